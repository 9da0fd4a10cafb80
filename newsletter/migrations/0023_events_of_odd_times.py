# What a provider told with a time that cannot be was kept, and could not be read again by Python.

from datetime import UTC, datetime, timedelta

from django.db import migrations
from django.db.models import F, Q


def take_their_arrival(apps, schema_editor):
    odd = Q(happened_at__lt=datetime(2000, 1, 1, tzinfo=UTC)) | Q(happened_at__gt=F("received_at") + timedelta(days=1))
    apps.get_model("newsletter", "Event").objects.filter(odd).update(happened_at=F("received_at"))


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0022_merged_before"),
    ]

    operations = [
        migrations.RunPython(take_their_arrival, migrations.RunPython.noop),
    ]
