# Two workers could pull two brakes for one cause; of those that are engaged the first stays.

from django.db import migrations, models
from django.db.models import F, Q


def release_the_second(apps, schema_editor):
    brakes = apps.get_model("newsletter", "Brake").objects
    for cause in brakes.order_by().values_list("cause", flat=True).distinct():
        engaged = brakes.filter(cause=cause, released_at=None).order_by("pk")
        brakes.filter(pk__in=list(engaged.values_list("pk", flat=True)[1:])).update(released_at=F("pulled_at"))


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0024_refusals"),
    ]

    operations = [
        migrations.RunPython(release_the_second, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="brake",
            constraint=models.UniqueConstraint(
                condition=Q(released_at=None), fields=("cause",), name="one_brake_of_a_cause"
            ),
        ),
    ]
