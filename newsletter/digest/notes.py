"""The editor's note above the papers: how a mail has it, and how long it may be."""

from django.core.exceptions import ValidationError

from newsletter.digest.cards import plain

NOTE_LENGTH = 2_000  # characters


def as_mailed(note: str) -> str:
    """Its lines as a mail has them, but for what is too long for one."""
    return "\n".join(map(plain, note.splitlines()))


def check_length(note: str) -> None:
    """Raises ValidationError, in an editor's words, where a mail would have its beginning alone."""
    if (length := len(as_mailed(note))) > NOTE_LENGTH:
        raise ValidationError(
            f"The note has {length:,} characters, and a mail has room for {NOTE_LENGTH:,} of it: nothing was changed."
        )
