from django.db import migrations, models

from subscribers.lookups import DomainOf


class Migration(migrations.Migration):
    dependencies = [
        ("subscribers", "0015_attacks_alarm"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="subscriber",
            index=models.Index(DomainOf("email"), name="subscriber_of_domain"),
        ),
    ]
