import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('papers', '0008_merging'),
    ]

    operations = [
        migrations.CreateModel(
            name='BackFill',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateField(help_text='The first day.')),
                ('until', models.DateField(help_text='The last day.')),
                ('status', models.CharField(choices=[('on', 'going on'), ('stopped', 'stopped'), ('failed', 'gave up'), ('done', 'done')], default='on', editable=False, max_length=7)),
                ('waiting', models.JSONField(editable=False, null=True)),
                ('asked', models.PositiveIntegerField(default=0, editable=False, help_text='Answers so far.')),
                ('found', models.PositiveIntegerField(default=0, editable=False)),
                ('new', models.PositiveIntegerField(default=0, editable=False)),
                ('updated', models.PositiveIntegerField(default=0, editable=False)),
                ('skipped', models.PositiveIntegerField(default=0, editable=False)),
                ('failures', models.PositiveIntegerField(default=0, editable=False, help_text='In a row.')),
                ('fault', models.TextField(blank=True, editable=False)),
                ('begun_at', models.DateTimeField(auto_now_add=True)),
                ('moved_at', models.DateTimeField(auto_now=True)),
                ('not_before', models.DateTimeField(editable=False)),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='back_fills', to='papers.source')),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'on')), fields=('source',), name='one_back_fill_of_a_source')],
            },
        ),
    ]
