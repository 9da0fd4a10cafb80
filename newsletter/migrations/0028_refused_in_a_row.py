from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0027_alarms_of_doubts_and_no_papers"),
    ]

    operations = [
        migrations.AddField(
            model_name="softbounces",
            name="refusals",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, help_text="How often in a row it was refused at once."
            ),
        ),
        migrations.AddField(
            model_name="softbounces",
            name="refused_at",
            field=models.DateTimeField(help_text="When it last was.", null=True),
        ),
    ]
