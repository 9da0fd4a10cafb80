from django.db import migrations, models
from django.db.models import Value
from django.db.models.functions import StrIndex, Substr


class Migration(migrations.Migration):
    dependencies = [
        ("subscribers", "0015_attacks_alarm"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="subscriber",
            index=models.Index(Substr("email", StrIndex("email", Value("@")) + 1), name="subscriber_of_domain"),
        ),
    ]
