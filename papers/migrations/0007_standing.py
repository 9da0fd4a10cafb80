from django.db import migrations, models


class Migration(migrations.Migration):
    """Not renamed: the numbers are of another measure, and the next ranking fills them."""

    dependencies = [
        ('papers', '0006_similar'),
    ]

    operations = [
        migrations.RemoveField(model_name='topic', name='usual_hot'),
        migrations.RemoveField(model_name='topic', name='hot_spread'),
        migrations.AddField(
            model_name='topic',
            name='usual_notice',
            field=models.FloatField(default=0, editable=False, help_text="Mean notice of its last 14 days' papers."),
        ),
        migrations.AddField(
            model_name='topic',
            name='notice_spread',
            field=models.FloatField(default=0, editable=False, help_text='Standard deviation of the same.'),
        ),
    ]
