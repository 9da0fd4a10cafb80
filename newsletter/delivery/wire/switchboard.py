"""Many calls to a provider at a time, in one thread.

Threads would wait for each other more than for the provider, since only one of them runs Python at a time. So each call
is a greenlet, and where requests would wait for an answer it leaves the thread to the others. anymail and requests know
nothing of it: what they meet is an adapter that carries their calls over one event loop's connections.
"""

import asyncio
import io
import os
import ssl
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import lru_cache
from typing import Any, cast
from weakref import WeakSet

import aiohttp
import requests
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from django.conf import settings
from greenlet import getcurrent, greenlet
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, prepend_scheme_if_needed, select_proxy
from urllib3 import HTTPResponse
from yarl import URL

from newsletter.delivery.wire.callers import Submit
from newsletter.delivery.wire.outcomes import Kind, Outcome, Report, in_words

LARGE = 1 << 20  # octets; aiohttp wants what is longer in pieces, so that the others are not kept waiting
TURNS = 3  # of the loop, after which even a closed TLS connection has been noticed
PARTING = 1  # seconds
LONGEST = 1 << 16  # octets of one header of an answer, as with requests
OURS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")  # headers that requests has set, or left out

# Errors from before any byte of a call reached the provider.
NEVER_THERE = (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError, aiohttp.ConnectionTimeoutError)

# Makes a client whose calls go through the adapter.
Client = Callable[[BaseAdapter], AbstractContextManager[Submit]]


class Switchboard:
    """Calls of many clients, each with one call at a time; another client joins where all are busy. It has the same
    interface as `Callers`, and like them it is used by one thread.
    """

    def __init__(self, client: Client) -> None:
        self._client, self._clients, self._idle = client, ExitStack(), list[Submit]()
        self._loop = asyncio.new_event_loop()
        self._adapter = Adapter()
        self._lines: set[Line] = set()  # under way
        self._reports: list[Report] = []

    def call(self, keys: Sequence[int], content: Any) -> None:
        """Messages by their sender's keys, and what the client is handed for them."""
        line = Line(self._carry_out, time.monotonic() + settings.LEASE.total_seconds())
        self._lines.add(line)
        self._go_on(line, line.switch(keys, content))

    def answers(self, seconds: float) -> list[Report]:
        """What has been answered; waits for at most so long for the first."""
        until = self._loop.time() + (0 if self._reports else seconds)
        pause = self._loop.call_at(until, self._loop.stop)
        try:
            self._loop.run_forever()
        finally:
            pause.cancel()
        reports, self._reports = self._reports, []
        return reports

    def close(self) -> None:
        """Hang up. What is under way is not waited for: nobody would hear what comes of it."""
        for line in self._lines:
            line.throw()  # a suspended greenlet refers to itself and would never be collected
        self._clients.close()
        self._loop.run_until_complete(self._adapter.hang_up())
        self._loop.close()

    def _carry_out(self, keys: Sequence[int], content: Any) -> None:
        submit = self._idle.pop() if self._idle else self._clients.enter_context(self._client(self._adapter))
        try:
            outcomes = submit(content)
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            outcomes = [Outcome(Kind.DOUBT, in_words(error))] * len(keys)
        self._idle.append(submit)
        self._reports += zip(keys, outcomes, strict=True)
        if self._loop.is_running():  # else it would stop at once when it next runs
            self._loop.stop()

    def _go_on(self, line: "Line", asked: Coroutine[Any, Any, Any]) -> None:
        """Let a call have what it waits for; one that is over waits for nothing."""
        if line.dead:
            self._lines.discard(line)
        else:
            self._loop.create_task(asked).add_done_callback(lambda done: self._resume(line, done))

    def _resume(self, line: "Line", done: asyncio.Task[Any]) -> None:
        if not line.dead:  # by `close`
            error = aiohttp.ClientError("was called off") if done.cancelled() else done.exception()
            self._go_on(line, line.throw(error) if error else line.switch(done.result()))


class Line(greenlet):
    """A call under way. `until`: monotonic, when it must have begun; after that another worker may hold its digests,
    and have called under the same keys.
    """

    def __init__(self, run: Callable[..., None], until: float) -> None:
        super().__init__(run)
        self.until = until

    def wait_for(self, asked: Coroutine[Any, Any, Any]) -> Any:
        assert self.parent  # noqa: S101 - whoever began the call
        return self.parent.switch(asked)


class Adapter(BaseAdapter):
    """Carries what requests has prepared, and makes of the answer what requests would have made of it. It is called
    within a `Line` only.
    """

    def __init__(self) -> None:
        super().__init__()
        self._session: aiohttp.ClientSession | None = None
        self._requests = HTTPAdapter()

    def send(  # noqa: PLR0913, PLR0917 - as requests calls it
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Raises requests' own errors: ConnectTimeout and SSLError where nothing was sent."""
        line = cast(Line, getcurrent())
        how = {"timeout": times(timeout), "ssl": trust(verify, cert), "proxy": proxy(request, proxies)}
        try:
            answer = line.wait_for(self._send(request, line.until, **how))
        except aiohttp.ClientSSLError as error:
            raise requests.exceptions.SSLError(in_words(error), request=request) from error
        except NEVER_THERE as error:
            raise requests.ConnectTimeout(in_words(error), request=request) from error
        except TimeoutError as error:
            raise requests.ReadTimeout(request=request) from error
        except aiohttp.ClientError as error:
            raise requests.ConnectionError(in_words(error), request=request) from error
        return self._requests.build_response(request, answer)

    async def _send(self, request: requests.PreparedRequest, until: float, **how: Any) -> HTTPResponse:
        await turns()  # the loop stood still: it hears now which connections were closed meanwhile
        if time.monotonic() > until:
            raise aiohttp.ConnectionTimeoutError("its worker slept past its lease")
        body = request.body.encode() if isinstance(request.body, str) else request.body
        async with self._opened().request(
            str(request.method),
            URL(str(request.url), encoded=True).with_user(None),  # of which requests has made a header
            data=io.BytesIO(body) if isinstance(body, bytes) and len(body) > LARGE else body,
            headers=cast(dict[str, str], request.headers),
            skip_auto_headers=OURS,
            allow_redirects=False,
            **how,
        ) as answer:
            content = io.BytesIO(await answer.read())
            return HTTPResponse(content, answer.headers, answer.status, reason=answer.reason, preload_content=False)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=Connector(limit=settings.SUBMIT_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                max_line_size=LONGEST,
                max_field_size=LONGEST,
            )
        return self._session

    def close(self) -> None:
        """A client that ends leaves the connections to the others."""

    async def hang_up(self) -> None:
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for task in under_way:
            task.cancel()
        if under_way:  # a signal that raised may have left one that never ends
            await asyncio.wait(under_way, timeout=PARTING)
        if self._session:
            await self._session.close()
        await turns()  # in which the last sockets are closed


class Connector(aiohttp.TCPConnector):
    """Keeps connections, but uses none again on which something came that no call had asked for, such as a 408 to its
    silence: the next call would take it for its own answer.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)
        self._used = WeakSet[ResponseHandler]()

    async def connect(self, *args: Any, **kwargs: Any) -> Connection:
        connection = await super().connect(*args, **kwargs)
        while (protocol := cast(ResponseHandler, connection.protocol)) in self._used and protocol.should_close:
            protocol.abort()
            connection.close()
            connection = await super().connect(*args, **kwargs)
        self._used.add(protocol)
        return connection


def pause(seconds: float) -> None:
    """Let the call in which this is called wait, while the others go on."""
    cast(Line, getcurrent()).wait_for(asyncio.sleep(seconds))


def mount(session: requests.Session, adapter: BaseAdapter) -> None:
    """Let all calls of the session go through the adapter."""
    for scheme in list(session.adapters):
        session.mount(scheme, adapter)


async def turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


def times(timeout: Any) -> aiohttp.ClientTimeout:
    """The client's own, from byte to byte; also one for getting a connection, however slow the provider or its name,
    and one for the whole call, because an answer that drips would never end.
    """
    connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    most = settings.EMAIL_TIMEOUT
    return aiohttp.ClientTimeout(total=2 * most, connect=most, sock_connect=connect, sock_read=read)


def proxy(request: requests.PreparedRequest, proxies: Any) -> str | None:
    """The one that requests would ask."""
    found = select_proxy(str(request.url), proxies)
    return prepend_scheme_if_needed(found, "http") if found else None


@lru_cache(maxsize=8)
def trust(verify: bool | str, cert: Any) -> ssl.SSLContext | bool:
    """Whom requests would trust, and what it would show of us. Raises requests' SSLError for unusable files."""
    if not verify:
        return False
    bundle = DEFAULT_CA_BUNDLE_PATH if verify is True else verify
    try:
        is_folder = os.path.isdir(bundle)
        context = ssl.create_default_context(cafile=None if is_folder else bundle, capath=bundle if is_folder else None)
        if cert:
            context.load_cert_chain(*((cert,) if isinstance(cert, str) else cert))
    except OSError as error:
        raise requests.exceptions.SSLError(in_words(error)) from error
    return context
