"""What others may listen to."""

from django.dispatch import Signal

# Sent after commit with `letter_id`. A nudge only: the row is the record, and a sweep finds it as well.
letter_owed = Signal()
