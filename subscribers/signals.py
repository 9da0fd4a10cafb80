"""What others may listen to."""

from django.dispatch import Signal

# Sent after commit with `letter_id`. A nudge only: the row is the record, and a sweep finds it as well.
letter_owed = Signal()

# Sent with `subscriber`, `papers` that they like, as typed, and `at`, within the transaction that takes their wishes.
shown = Signal()

# Sent after commit with `request_id`; a nudge as well.
request_stored = Signal()

# The three below reach what other apps store of people, so that subscribers need not know of it.

# Sent with `subscriber`; each listener returns what it knows of them, as a dict that JSON can hold.
exporting = Signal()
# Sent with `subscriber` within the transaction that erases them; a listener that fails undoes it all.
erasing = Signal()
# Sent once a day with `at`: forget what need not be kept any longer. Each listener returns counts by name.
forgetting = Signal()
