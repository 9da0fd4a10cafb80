"""What others may listen to."""

from django.dispatch import Signal

# Sent with `keep` and `drop`, two papers that are one work, within the transaction that merges them and before any row
# moves: whoever has rows of papers may decide which of two that cannot both stay does. A listener that fails undoes it.
merging = Signal()
# Sent with `paper`, `former` (the Merged row), `values` (before and after of each field) and `by` (a user, or the name
# of a command), within the same transaction.
merged = Signal()
