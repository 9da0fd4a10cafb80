# What the admin's lists are looked through by.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("newsletter", "0016_idempotency_keys"),
        ("subscribers", "0011_held_domains"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="digest",
            index=models.Index(
                fields=["status", "-id"],
                condition=models.Q(
                    status__in=["bounced", "complained", "skipped", "failed", "in_doubt", "expired", "cancelled"]
                ),
                name="digest_by_end",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                fields=["type", "-id"],
                condition=~models.Q(type__in=["delivered", "sent"]),
                name="event_by_type",
            ),
        ),
        # The table is Django's: what was decided on one row, of a reader's and an edition's page (audit.decisions_on),
        # and the log's own search.
        migrations.RunSQL(
            "CREATE INDEX admin_log_of_row ON django_admin_log (object_id, content_type_id)",
            "DROP INDEX admin_log_of_row",
        ),
    ]
