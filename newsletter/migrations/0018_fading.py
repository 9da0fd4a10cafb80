from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0017_admin_speed"),
    ]

    operations = [
        migrations.AddField(
            model_name="profile",
            name="likes",
            field=models.FloatField(default=0, help_text="How many papers are liked, older ones counting less."),
        ),
        migrations.AlterField(
            model_name="profile",
            name="authors",
            field=models.JSONField(default=dict, help_text="Weights of the authors of liked papers."),
        ),
        # Learned otherwise from now on: without its profile a taste is learned anew before the next digest.
        migrations.RunSQL("DELETE FROM newsletter_profile", migrations.RunSQL.noop),
    ]
