import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('papers', '0007_standing'),
    ]

    operations = [
        migrations.CreateModel(
            name='Merged',
            fields=[
                ('number', models.BigIntegerField(help_text="The row's own, which stands in addresses.", primary_key=True, serialize=False)),
                ('arxiv_id', models.CharField(blank=True, max_length=32, verbose_name='arXiv id')),
                ('doi', models.CharField(blank=True, max_length=255, verbose_name='DOI')),
                ('title_key', models.CharField(max_length=64)),
                ('first_author', models.CharField(blank=True, max_length=100)),
                ('title', models.CharField(max_length=500)),
                ('merged_at', models.DateTimeField()),
                ('paper', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='merged', to='papers.paper')),
            ],
            options={
                'verbose_name_plural': 'merged papers',
                'ordering': ['-merged_at'],
                'indexes': [models.Index(condition=models.Q(('arxiv_id', ''), _negated=True), fields=['arxiv_id'], name='merged_arxiv_id'), models.Index(condition=models.Q(('doi', ''), _negated=True), fields=['doi'], name='merged_doi'), models.Index(fields=['title_key'], name='merged_title_key')],
            },
        ),
    ]
