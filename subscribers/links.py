"""The links in our mails: signed for what could bring mail or show data, plain random for what only ends it.

A signature has one salt per purpose, so that no link opens another door. A leave link carries the
subscriber's random key instead: it works for ever, whatever happens to SECRET_KEY.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, b64_decode, b64_encode
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from subscribers.models import Move, Subscriber
from subscribers.signers import ShortSigner, ShortTimestampSigner

CONFIRM_FOR = timedelta(days=14)
PREFERENCES_FOR = timedelta(days=30)
UNDO_FOR = timedelta(days=7)

LEAVE_KEY = re.compile(r"[A-Za-z0-9_-]{22}")
INSTANT = "%Y%m%dT%H%M%S%f"
NOT_OURS = _("This link is not complete, or it is not one of ours.")


class BadLink(Exception):  # noqa: N818 - said as the reader would say it
    """A link that is not, or not wholly, one of ours. Its text is for the reader."""

    status = 404
    subscriber: Subscriber | None = None  # whose it was, where that is known

    def __init__(self, words: str | Promise = NOT_OURS) -> None:
        super().__init__(words)


class ExpiredLink(BadLink):
    """A link of ours whose time is over."""

    status = 410

    def __init__(self, subscriber: Subscriber | None) -> None:
        super().__init__(_("This link is too old: for your safety it worked for a limited time only."))
        self.subscriber = subscriber


@dataclass(frozen=True)
class Farewell:
    """A leave or a pause that can be taken back: whose, what they were before, and when it was."""

    subscriber: Subscriber
    was: Subscriber.Status
    at: datetime


def confirm_token(subscriber: Subscriber) -> str:
    return _signer("confirm").sign(written(subscriber.uid))


def preferences_token(subscriber: Subscriber) -> str:
    return _signer("preferences").sign(written(subscriber.uid))


def undo_token(farewell: Farewell) -> str:
    at = farewell.at.astimezone(UTC).strftime(INSTANT)
    return _signer("undo").sign(f"{written(farewell.subscriber.uid)}.{farewell.was}.{at}")


def back_token(subscriber: Subscriber, version: int) -> str:
    """Takes back the change that made this version."""
    return _signer("back").sign(f"{written(subscriber.uid)}.{version}")


def move_url(move: Move, side: str) -> str:
    """Where the "old" or the "new" address agrees to a change of address."""
    return absolute("agree", _signer("move").sign(f"{written(move.uid)}.{side}"))


def confirm_url(subscriber: Subscriber) -> str:
    return absolute("confirm", confirm_token(subscriber))


def preferences_url(subscriber: Subscriber) -> str:
    return absolute("preferences", preferences_token(subscriber))


class PreferencesUrls:
    """`preferences_url` for many readers: what is the same for all of them is looked up once."""

    def __init__(self) -> None:
        self._signer = _signer("preferences")
        self._before, self._after = absolute("preferences", "TOKEN").split("TOKEN")

    def of(self, subscriber: Subscriber) -> str:
        return f"{self._before}{self._signer.sign(written(subscriber.uid))}{self._after}"


class DigestKeys:
    """Opens a digest's copy on the web: its uid, signed for good. The uid alone, which stands in a mail's Message-ID,
    opens nothing.
    """

    def __init__(self) -> None:
        self._signer = ShortSigner(salt="subscribers.digest", sep=".")

    def of(self, uid: UUID) -> str:
        return self._signer.sign(written(uid))

    def uid(self, key: str) -> UUID:
        """Raises BadLink."""
        try:
            return read(self._signer.unsign(key))
        except (BadSignature, ValueError) as error:
            raise BadLink from error


def leave_url(subscriber: Subscriber) -> str:
    """The page with the button."""
    return absolute("leave", subscriber.leave_key)


def one_click_url(subscriber: Subscriber) -> str:
    """The address for List-Unsubscribe (RFC 8058)."""
    return absolute("one_click", subscriber.leave_key)


def public(name: str) -> str:
    """The path of a public page, in the language that is spoken now."""
    language = get_language() or settings.LANGUAGE_CODE
    return reverse(name) + ("" if language == settings.LANGUAGE_CODE else f"?language={language}")


def absolute(name: str, *args: str) -> str:
    """A page of ours as the world reaches it."""
    return settings.SITE_URL + reverse(name, args=args)


def read_confirm(token: str) -> Subscriber:
    """Raises BadLink or ExpiredLink, like every reader here."""
    return _owner(_unsigned("confirm", token, CONFIRM_FOR))


def read_preferences(token: str) -> Subscriber:
    return _owner(_unsigned("preferences", token, PREFERENCES_FOR))


def read_undo(token: str) -> Farewell:
    uid, was, at = _unsigned("undo", token, UNDO_FOR).split(".")
    left_at = datetime.strptime(at, INSTANT).replace(tzinfo=UTC)
    return Farewell(_owner(uid), Subscriber.Status(was), left_at)


def read_back(token: str) -> tuple[Subscriber, int]:
    """Whose change is to be taken back, and the version that it made."""
    uid, version = _unsigned("back", token, settings.KEEP_FORMER).split(".")
    return _owner(uid), int(version)


def read_move(token: str) -> tuple[Move, str]:
    """A wish for another address, and which of the two addresses has this link."""
    uid, side = _unsigned("move", token, settings.KEEP_MOVE).split(".")
    found = Move.objects.select_related("subscriber").filter(uid=read(uid)).first()
    if found is None:
        raise BadLink(_("This change of address was made already, or replaced by another, or it is too old."))
    return found, side


def read_leave(key: str) -> Subscriber:
    if not LEAVE_KEY.fullmatch(key):
        raise BadLink
    found = Subscriber.objects.filter(leave_key=key).first()
    if found is None:
        raise BadLink(_("We know nobody by this link any more. Nothing will be mailed because of it."))
    return found


def written(uid: UUID) -> str:
    """A uid as our links have it, in 22 characters."""
    return b64_encode(uid.bytes).decode()


def read(uid: str) -> UUID:
    """Raises ValueError."""
    return UUID(bytes=b64_decode(uid.encode()))


def _signer(purpose: str) -> ShortTimestampSigner:
    # Mail programs take a colon, the default, for the end of a link.
    return ShortTimestampSigner(salt=f"subscribers.{purpose}", sep=".")


def _unsigned(purpose: str, token: str, max_age: timedelta) -> str:
    signer = _signer(purpose)
    try:
        return signer.unsign(token, max_age=max_age)
    except SignatureExpired as error:
        uid = signer.unsign(token).partition(".")[0]
        raise ExpiredLink(Subscriber.objects.filter(uid=read(uid)).first()) from error
    except (BadSignature, ValueError) as error:
        raise BadLink from error


def _owner(uid: str) -> Subscriber:
    found = Subscriber.objects.exclude(status=Subscriber.Status.ERASED).filter(uid=read(uid)).first()
    if found is None:
        words = _("There is nothing behind this link any more: the subscription was never confirmed, or erased.")
        raise BadLink(words)
    return found
