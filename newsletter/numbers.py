"""What may be the number of a row, before a database is asked."""

LONGEST = 18  # digits that any database holds


def is_number(text: str) -> bool:
    """Whether a row could have it."""
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST
