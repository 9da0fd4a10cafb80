"""The one edge to the web for all sources: polite, bounded, and closed to everything but the hosts we mean.

Every answer comes within a size, a time and a number of redirects; only over https from a host on the
allow-list; and the address that is connected to is checked, not the name, so that no name and no redirect
leads into a private network. `FETCH_LOOPBACK` opens this machine, by http too, for tests and local mirrors.
"""

import random
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore2
from django.conf import settings
from django.utils import timezone

from papers.sources.network import GuardedBackend, RefusedAddressError
from papers.sources.pace import Pace
from papers.sources.shapes import SourceError, plain

CONNECT_SECONDS, READ_SECONDS = 10, 20
MAX_REDIRECTS = 3
TRIES = 3
LONGEST_RETRY_AFTER = 86_400  # seconds; a source that asks for more is asked again tomorrow
MAX_VALIDATOR = 500  # characters

Headers = dict[str, str]
Validators = dict[str, str]  # request header -> value: If-None-Match, If-Modified-Since


class RefusedError(SourceError):
    """It will not be different next time: a host, an address, a size or an answer that we do not take."""


class UnavailableError(SourceError):
    """It may be different next time. `retry_after` is how many seconds the source asked us to wait, if it did."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Answer:
    """What came: `content` is None where nothing has changed since `validators` were given to us."""

    content: bytes | None
    validators: Validators


def fetch(url: str, pace: Pace, validators: Validators | None = None) -> Answer:
    """Ask for `url`, again after 429, 503 and failures of the network. Raises RefusedError or UnavailableError.

    Waiting is bounded by FETCH_PATIENCE; a longer Retry-After is told to the caller. Either way nobody else asks
    this source before. The wait doubles after each failure, with up to as much again so that workers part.
    """
    attempt = 1
    while True:
        try:
            return _follow(url, pace, validators or {})
        except UnavailableError as error:
            wait = error.retry_after
            if wait is None:  # the jitter is no secret
                wait = settings.FETCH_BACK_OFF * 2 ** (attempt - 1) * (1 + random.random())  # noqa: S311
            if error.retry_after is not None or attempt < TRIES:
                pace.hold(wait)
            if attempt == TRIES or wait > settings.FETCH_PATIENCE:
                raise
            attempt += 1


def _follow(url: str, pace: Pace, validators: Validators) -> Answer:
    """Ask for `url` and where it leads to; each step is a request of its own, in its own turn."""
    for _ in range(MAX_REDIRECTS + 1):
        _check(url)
        with pace.turn():
            answer = _ask(url, validators)
        if isinstance(answer, Answer):
            return answer
        try:
            url = urljoin(url, answer)
        except ValueError as error:
            raise RefusedError(f"It leads to {plain(answer)}, which is no address.") from error
    raise RefusedError(f"More than {MAX_REDIRECTS} redirects.")


def _check(url: str) -> None:
    """Raises RefusedError for an address that we never ask."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise RefusedError(f"{plain(url)} is no address.") from error
    schemes = {"https", "http"} if settings.FETCH_LOOPBACK else {"https"}
    plainly = url.isascii() and url.isprintable() and " " not in url and parts.username is None
    if parts.scheme not in schemes or not plainly:
        raise RefusedError(f"{plain(url)} is not an https address.")
    if host not in settings.FETCH_HOSTS:
        raise RefusedError(f"{plain(host)} is not on the list of hosts (FETCH_HOSTS).")
    if port not in {None, 443} and not settings.FETCH_LOOPBACK:
        raise RefusedError(f"{plain(url)} names a port of its own.")


def _ask(url: str, validators: Validators) -> Answer | str:
    """One request: an answer, or where it leads to."""
    deadline = monotonic() + settings.FETCH_SECONDS
    backend = GuardedBackend(deadline, loopback=settings.FETCH_LOOPBACK)
    timeouts = {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS, "pool": CONNECT_SECONDS}
    headers = [
        ("User-Agent", f"{settings.SITE_NAME} (+{settings.SITE_URL})".encode("ascii", "replace").decode()),
        ("Accept-Encoding", "gzip"),
        ("Connection", "close"),
        *validators.items(),
    ]
    try:
        with (
            httpcore2.ConnectionPool(network_backend=backend, retries=0) as pool,
            pool.stream("GET", url, headers=headers, extensions={"timeout": timeouts}) as response,
        ):
            return _read(response)
    except RefusedAddressError as error:
        raise RefusedError(str(error)) from error
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.RemoteProtocolError, OSError) as error:
        raise UnavailableError(f"{urlsplit(url).hostname} does not answer: {_words(error)}.") from error
    except (httpcore2.LocalProtocolError, httpcore2.UnsupportedProtocol) as error:
        raise RefusedError(f"{plain(url)} cannot be asked: {_words(error)}.") from error


def _read(response: httpcore2.Response) -> Answer | str:
    status = response.status
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    if status == 200:
        body = b"".join(_bounded(_decoded(response.iter_stream(), headers)))
        return Answer(body, _validators(headers))
    if status == 304:
        return Answer(None, {})
    if status in {301, 302, 303, 307, 308} and headers.get("location"):
        return headers["location"]
    if status in {408, 425, 429} or status >= 500:
        raise UnavailableError(f"The source answers {status}.", _retry_after(headers.get("retry-after", "")))
    raise RefusedError(f"The source answers {status}.")


def _decoded(chunks: Iterable[bytes], headers: Headers) -> Iterator[bytes]:
    """The body as it was before compression, a piece at a time: a gzip bomb never unfolds further than asked."""
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        yield from chunks
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise RefusedError(f"The source compresses by {plain(encoding)}, which we did not ask for.")
    unfold = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            rest = chunk
            while rest and not unfold.eof:
                yield unfold.decompress(rest, 65_536)
                rest = unfold.unconsumed_tail
    except zlib.error as error:
        raise UnavailableError("The answer is not the gzip that it says it is.") from error
    yield unfold.flush()
    if not unfold.eof:
        raise UnavailableError("The answer ends in the middle.")


def _bounded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > settings.FETCH_BYTES:
            raise RefusedError(f"The answer is larger than {settings.FETCH_BYTES:,} bytes.")
        yield chunk


def _validators(headers: Headers) -> Validators:
    """What to say next time, so that an unchanged answer need not come again (RFC 9110, 13.1)."""
    found = {"If-None-Match": headers.get("etag", ""), "If-Modified-Since": headers.get("last-modified", "")}
    return {name: value for name, value in found.items() if 0 < len(value) <= MAX_VALIDATOR and value.isprintable()}


def _retry_after(text: str) -> float | None:
    """Seconds, of either form of RFC 9110, 10.2.3; None where there is none, never more than a day."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 20:
        seconds = float(text)
    else:
        try:
            when = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        seconds = (when - timezone.now()).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _words(error: Any) -> str:
    return plain(error) or type(error).__name__
