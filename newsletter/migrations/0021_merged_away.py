from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0020_no_checked_digest"),
    ]

    operations = [
        migrations.AddField(
            model_name="digest",
            name="merged_away",
            field=models.BooleanField(
                default=False,
                db_default=False,
                help_text="Its papers went into others that its reader had been told of twice.",
            ),
        ),
    ]
