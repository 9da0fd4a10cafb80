# Who was told of an attack stands with the other alarms. The column stays for the workers of before, which read it while
# this is taken into use; a later migration can drop it.

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("subscribers", "0014_letters_tried"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField(model_name="attack", name="told_at")],
        ),
    ]
