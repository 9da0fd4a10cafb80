"""What anymail has built, written as JSON by orjson; and a form of it, which is filled in for each similar digest.

The standard library takes ten times as long for the texts of a digest: it was a fifteenth of what a call cost a worker.
To let anymail build messages that differ in a dozen words was more than half of what a digest in a batch cost.
"""

import logging
import re
from collections import deque
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cache
from string import ascii_lowercase
from typing import Any

import orjson
from anymail.backends.base_requests import AnymailRequestsBackend, RequestsPayload
from anymail.utils import UNSET
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.message import EmailAlternative
from requests.structures import CaseInsensitiveDict

from newsletter.digest.rendering import DigestMail
from newsletter.digest.slots import Slots, Slotted

log = logging.getLogger(__name__)

# Attributes that make some backends nest JSON in JSON, as ASCII; their payloads stay anymail's.
MERGING = ("merge_data", "merge_global_data", "merge_metadata", "merge_headers")


def write_fast(backend: AnymailRequestsBackend) -> None:
    """Have this backend's payloads written by orjson, in UTF-8, where nothing is to be merged, as in all of ours."""
    build = backend.build_message_payload

    def build_message_payload(message: EmailMessage, defaults: Mapping[str, Any]) -> RequestsPayload:
        payload = build(message, defaults)
        if not any(name in defaults or getattr(message, name, UNSET) is not UNSET for name in MERGING):
            payload.__class__ = fast(payload.__class__)
        return payload

    backend.build_message_payload = build_message_payload


@cache
def fast(kind: Any) -> Any:
    """The same payload, written by orjson."""

    class Fast(kind):  # type: ignore[misc]  # of whatever provider
        def serialize_json(self, data: object) -> bytes | str:
            try:
                # Copied: orjson over-allocates, then shrinks; the leftovers came to 70 MB of fragments in a worker.
                return bytes(memoryview(orjson.dumps(data, default=headers)))
            except TypeError:  # anymail knows how, or can say what in the message cannot be written
                return str(super().serialize_json(data))

    return Fast


def headers(value: object) -> dict[str, str]:
    """What anymail keeps headers in, as JSON knows it. Raises TypeError for anything else."""
    if not isinstance(value, CaseInsensitiveDict):
        raise TypeError(type(value).__name__)
    return dict(value)


@dataclass(frozen=True)
class Item:
    """One message in the provider's own JSON, and the headers that its call needs."""

    body: bytes
    headers: Mapping[str, str]


Write = Callable[[EmailMultiAlternatives], Item]

PLAIN = re.compile(r"[\w+-]+(\.[\w+-]+)*@[\w-]+(\.[\w-]+)+", re.ASCII)  # an address that is written in one way only
WORD = re.compile(r"[\w-]+", re.ASCII)  # of metadata: Resend has it as JSON within the JSON
PLACES = ascii_lowercase  # names of a form's slots, other than those for its two parts
HOST = "@slots.invalid"  # of a slot, where an address is asked for
# The attributes of a message that a form has slots for, and one that says nothing.
OWN = {"to", "subject", "body", "alternatives", "extra_headers", "metadata", "anymail_status"}


class Forms:
    """Digests as `write` writes them, but what is the same in all of them is written only once.

    The first one of a kind is written in both ways. Where these differ, no form is used for its kind.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._forms = deque[tuple[object, Form | None]](maxlen=8)  # there is one kind, unless a mail's headers vary

    def written(self, message: EmailMultiAlternatives) -> Item:
        """Raises what `write` raises."""
        if not isinstance(message, DigestMail) or message.is_joined or not is_plain(message):
            return self._write(message)
        kind = kind_of(message)
        for known, form in self._forms:
            if known == kind:
                return form.fill(message) if form else self._write(message)
        item = self._write(message)
        self._forms.append((kind, form_of(message, item, self._write)))
        return item


class Form:
    """A digest in the provider's JSON, with slots for whatever can be one reader's own."""

    def __init__(self, message: DigestMail, write: Write) -> None:
        """Raises what `write` raises, or whatever comes of a message with slots that it cannot handle."""
        slots = Slots(*PLACES, "text", "html")
        item = write(hollow(message, slots))
        self._body, self._headers = Slotted(item.body.decode().replace(HOST, ""), ready=slots), item.headers

    def fill(self, message: DigestMail) -> Item:
        values = dict(zip(PLACES, map(in_json, own(message)), strict=False))
        values["text"], values["html"] = map(b"".join, message.encoded(in_json))
        return Item(b"".join(self._body.fill(values, str.encode)), self._headers)


def form_of(message: DigestMail, item: Item, write: Write) -> Form | None:
    """The form of this message, from which `write` made the item; None where filling it in makes anything else."""
    try:
        form = Form(message, write)
        filled = form.fill(message)
        is_same = filled.headers == item.headers and orjson.loads(filled.body) == orjson.loads(item.body)
    except Exception:
        log.exception("no form can be made of a digest for this provider")
        return None
    return form if is_same else None


def is_plain(message: DigestMail) -> bool:
    """Whether it has nothing that a backend might write in another way, leave out or refuse."""
    values, words = message.extra_headers.values(), message.metadata.values()
    is_simple = message.subject and all(values) and "".join(values).isascii() and all(map(WORD.fullmatch, words))
    return bool(is_simple and PLAIN.fullmatch(message.to[0]))


def kind_of(message: DigestMail) -> object:
    """What messages have in common that may share a form."""
    alike = {name: value for name, value in vars(message).items() if name not in OWN and name[0] != "_"}
    return alike, list(message.extra_headers), list(message.metadata)


def own(message: DigestMail) -> list[str]:
    """What can be one reader's own, apart from the two parts."""
    return [message.to[0], message.subject, *message.extra_headers.values(), *message.metadata.values()]


def hollow(message: DigestMail, slots: Slots) -> DigestMail:
    """The message with slots for what is its own."""
    to, subject, *others = map(slots.__getitem__, PLACES[: len(own(message))])
    empty = copy(message)
    empty.to, empty.subject = [to + HOST], subject
    empty.body, empty.alternatives = slots["text"], [EmailAlternative(slots["html"], "text/html")]
    place = iter(others)
    empty.extra_headers = {name: next(place) for name in message.extra_headers}
    empty.metadata = {name: next(place) for name in message.metadata}
    return empty


def in_json(text: str) -> bytes:
    """A text as it stands between quotes."""
    return orjson.dumps(text)[1:-1]
