"""An editor's note, which is plain text, as pages and mails show it."""

import re

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

# As in RFC 3986, without the quotes that may stand around it; a bracket belongs to it with its other half, and the mark
# that ends a sentence does not. Django's urlize links bare words too, and loses the full stop of "(https://a.example).".
_WORDS = r"[^\s()<>\[\]{}|\\^`\"'“”‘’«»]"
_ADDRESS = re.compile(rf"(https?://(?:{_WORDS}|\({_WORDS}*\))+(?<![.,;:!?…]))", re.IGNORECASE)


@register.filter
def linked(note: str) -> SafeString:
    """The note with its web addresses as links and all else escaped. `example.com` and mail addresses are words."""
    pieces = _ADDRESS.split(note)  # words, address, words, …
    return format_html_join(
        "",
        "{}",
        ((format_html('<a href="{0}">{0}</a>', piece) if at % 2 else piece,) for at, piece in enumerate(pieces)),
    )
