"""Every mail we ever send is built here, by `compose`; the list of functions is the list of what we say."""

import re
import uuid
from collections.abc import Mapping
from email.header import Header
from email.utils import formataddr
from functools import lru_cache
from typing import Any

from anymail.message import AnymailMessage
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import get_language, override

from subscribers import links
from subscribers.models import Letter
from subscribers.schedule import in_words
from subscribers.styling import inlined

# Marks, embeddings, overrides and isolates, which make a line read as something that it is not.
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# With these: controls, line and paragraph separators, surrogates, which could start another header or another line.
UNSAFE = re.compile(f"[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff{''.join(sorted(BIDI))}]")
HEADER_NAME = re.compile(r"[!-9;-~]+")  # RFC 5322, 3.6.8
BARE_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
OURS_ALONE = {"to", "cc", "bcc", "from", "sender", "reply-to", "subject", "return-path"}
# Characters of a header's line where it can be folded: RFC 5322, 2.1.1, allows 78; with encoded words RFC 2047, 2, 76.
LINE = 76
# RFC 3834 asks automatic answers to stay away; Exchange needs to be told in its own words.
TRANSACTIONAL = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


class Mail(AnymailMessage):  # type: ignore[misc]
    """A mail whose subject begins on its header's first line.

    Django's own folds one that is not ASCII as if the header had no name; then a line end stands before it, which some
    take for a part of it.
    """

    def message(self, *args: Any, **options: Any) -> Any:
        message = super().message(*args, **options)
        if not self.subject.isascii():
            message.replace_header("Subject", encoded_words("Subject", self.subject))
        return message


class UnsafeHeader(ValueError):  # noqa: N818 - named for what was found
    """A header, subject or address with something in it that could become another header or recipient."""


def compose(  # noqa: PLR0913 - by name only: the parts that a mail has
    *,
    to: str,
    subject: str,
    text: str,
    html: str,
    headers: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Mail:
    """One mail with both its parts; for the rest see `envelope`."""
    message = Mail(body=text, **envelope(to=to, subject=subject, headers=headers, metadata=metadata))
    message.attach_alternative(html, "text/html")
    return message


def envelope(
    *,
    to: str,
    subject: str,
    headers: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What a Mail to one bare address needs beside its parts, from us, in the language that is spoken now (RFC 3282).

    A Message-ID comes with it unless `headers` has one.

    Raises UnsafeHeader rather than repair anything: what is unsafe here was not cleaned where it came in.
    """
    if not BARE_ADDRESS.fullmatch(safe(to)):
        raise UnsafeHeader("The recipient is not one bare address.")
    own = {"Message-ID": "", "Content-Language": "", **(headers or {})}
    own["Message-ID"] = own["Message-ID"] or message_id(uuid.uuid4())
    own["Content-Language"] = own["Content-Language"] or get_language() or settings.LANGUAGE_CODE
    for name in own:
        ours_to_set(name)
    safe(" ".join(own.values()))
    return {
        "subject": safe(subject),
        "from_email": sender(settings.MAIL_FROM_NAME, settings.MAIL_FROM),
        "to": [to],
        "headers": own,
        "metadata": dict(metadata or {}),
    }


def safe(value: str) -> str:
    """The value as it is. Raises UnsafeHeader where it has characters that no header should have."""
    if found := UNSAFE.search(value):
        raise UnsafeHeader(f"U+{ord(found[0]):04X} does not belong in a header.")
    return value


@lru_cache(maxsize=64)
def ours_to_set(name: str) -> None:
    """Raises UnsafeHeader for the name of a header that is none, or not for the caller of `compose` to set."""
    if not HEADER_NAME.fullmatch(name) or name.lower() in OURS_ALONE:
        raise UnsafeHeader(f"The header {name!r} is not for the caller to set.")


@lru_cache(maxsize=8)
def sender(name: str, address: str) -> str:
    """Who our mails are from. Raises UnsafeHeader."""
    return named("From", safe(name), safe(address))


def named(header: str, name: str, address: str) -> str:
    """A name with its address, or with the id of its list, as this header has them: RFC 5322, 3.4, and RFC 2919."""
    return formataddr((name, address)) if name.isascii() else f"{encoded_words(header, name)} <{address}>"


@lru_cache(maxsize=1_000)  # many mails have the same subjects
def encoded_words(header: str, text: str) -> str:
    """The text in ASCII, in as many words of RFC 2047 as fit into lines of this header, with a space between them."""
    return Header(text, "utf-8", LINE, header).encode(linesep="")


def message_id(uid: uuid.UUID) -> str:
    """Our own Message-ID for a thing of ours: the same thing sent again keeps it."""
    return f"<{uid}@{settings.MAIL_FROM.rpartition('@')[2]}>"


def letter_email(letter: Letter) -> EmailMultiAlternatives:
    """The mail that a letter stands for, in its reader's language."""
    with override(letter.subscriber.language):
        return BY_KIND[Letter.Kind(letter.kind)](letter)


def confirmation(letter: Letter) -> EmailMultiAlternatives:
    """Asks whether the address really wants this. No word in it comes from whoever typed the address."""
    return written(letter, "confirmation", {"confirm_url": links.confirm_url(letter.subscriber)})


def reminder(letter: Letter) -> EmailMultiAlternatives:
    """Asks once more, and says that it is for the last time."""
    left = letter.subscriber.status_changed_at + settings.KEEP_UNCONFIRMED - letter.requested_at
    return written(letter, "reminder", {"confirm_url": links.confirm_url(letter.subscriber), "days": left.days})


def welcome(letter: Letter) -> EmailMultiAlternatives:
    """Says what comes when, and how to change or end it."""
    reader = letter.subscriber
    due = reader.next_digest_at
    context = {
        "first": due and in_words(due, letter.requested_at, reader.zone),
        "schedule": reader.schedule,
        "topics": list(reader.topics.all()),
        "preferences_url": links.preferences_url(reader),
        "leave_url": links.leave_url(reader),
    }
    return written(letter, "welcome", context, unsubscribing(links.one_click_url(reader)))


def preferences(letter: Letter) -> EmailMultiAlternatives:
    """The link to one's preferences, on demand."""
    urls = {
        "preferences_url": links.preferences_url(letter.subscriber),
        "leave_url": links.leave_url(letter.subscriber),
    }
    return written(letter, "preferences", urls)


def goodbye(letter: Letter) -> EmailMultiAlternatives:
    """The last one, after leaving."""
    return written(letter, "goodbye", {"subscribe_url": settings.SITE_URL + links.public("subscribe")})


def move_from(letter: Letter) -> EmailMultiAlternatives:
    """Asks the old address whether its reader wants to move. It does not name the new one."""
    move = letter.subscriber.move
    urls = {
        "agree_url": links.move_url(move, "old"),
        "preferences_url": links.preferences_url(letter.subscriber),
        "kept": settings.KEEP_MOVE.days,
    }
    return written(letter, "move_from", urls)


def move_to(letter: Letter) -> EmailMultiAlternatives:
    """Asks the new address. No word in it comes from whoever typed it."""
    move = letter.subscriber.move
    context = {"agree_url": links.move_url(move, "new"), "kept": settings.KEEP_MOVE.days}
    return written(letter, "move_to", context, to=move.email)


def alarm(operator: str, words: Mapping[str, object]) -> EmailMultiAlternatives:
    """Tells an operator of what cannot wait: `headline`, `reason`, `since`, `advice`, `link`, `link_words`."""
    return rendered(operator, "alarm", words)


BY_KIND = {
    Letter.Kind.CONFIRMATION: confirmation,
    Letter.Kind.REMINDER: reminder,
    Letter.Kind.WELCOME: welcome,
    Letter.Kind.PREFERENCES: preferences,
    Letter.Kind.GOODBYE: goodbye,
    Letter.Kind.MOVE_FROM: move_from,
    Letter.Kind.MOVE_TO: move_to,
}


def unsubscribing(one_click_url: str) -> dict[str, str]:
    """The headers of RFC 2369 and RFC 8058 by which mail programs offer to unsubscribe."""
    return {
        "List-Unsubscribe": f"<{one_click_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def written(
    letter: Letter,
    name: str,
    context: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
    to: str | None = None,
) -> EmailMultiAlternatives:
    """Write a letter from its folder in templates/emails/; `to` where it is not for the reader's own address."""
    named = {"Message-ID": message_id(letter.uid), **(headers or {})}
    return rendered(to or letter.subscriber.email or "", name, context, named, {"letter": str(letter.uid)})


def rendered(
    to: str,
    name: str,
    context: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> EmailMultiAlternatives:
    """A mail from its folder in templates/emails/, which nobody's own program should answer."""
    shared = {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "sender": settings.MAIL_FROM_NAME,
        "postal_address": settings.POSTAL_ADDRESS,
    }
    whole = {**shared, **context}
    return compose(
        to=to,
        subject=render_to_string(f"emails/{name}/subject.txt", whole).strip(),
        text=render_to_string(f"emails/{name}/body.txt", whole),
        html=inlined(render_to_string(f"emails/{name}/body.html", whole)),
        headers={**TRANSACTIONAL, **(headers or {})},
        metadata=metadata,
    )
