"""Many kept SMTP sessions in one thread: the carrier for Django's own SMTP settings."""

import selectors
import smtplib
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.smtp import EmailBackend

from newsletter.delivery.wire.outcomes import Kind, Outcome, Report, in_words, on_connect
from newsletter.delivery.wire.smtp_session import Garbled, Heard, Prepared, Session, Transaction, prepare

OPENERS = 8  # sessions opened at once, each in a thread: names, TLS and passwords take their time
TRIES = 3  # sessions that a message is begun in: servers end kept sessions when they like
READ, READ_WRITE = selectors.EVENT_READ, selectors.EVENT_READ | selectors.EVENT_WRITE


class SmtpSessions:
    """A `Carrier` over up to `SUBMIT_CONNECTIONS` sessions, fewer where the server takes no more."""

    per_call = 1
    prepare: Callable[..., Prepared] = staticmethod(prepare)

    def __init__(self) -> None:
        self._most = settings.SUBMIT_CONNECTIONS
        self._sessions: list[Session] = []
        self._waiting: deque[Transaction] = deque()
        self._begun: dict[int, tuple[Session, Transaction]] = {}  # and not handed over
        self._reports: list[Report] = []
        self._openers = ThreadPoolExecutor(OPENERS, thread_name_prefix="smtp")
        self._opening = 0
        self._opened: SimpleQueue[smtplib.SMTP | Exception] = SimpleQueue()
        self._selector = selectors.DefaultSelector()
        # An opener rings, so that waiting for servers ends when a session is open.
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)
        self._selector.register(self._bell, READ)

    def room(self) -> int:
        return self._most - len(self._waiting)

    def at_once(self) -> int:
        return self._most

    def offer(self, key: int, prepared: Prepared) -> None:
        self._waiting.append(Transaction(key, prepared))
        self._begin()

    def hand_over(self, key: int) -> None:
        if key in self._begun:  # else its session was lost: the report says so
            session, transaction = self._begun.pop(key)
            session.hand_over(transaction)
            if self._waiting and session.may_begin:
                self._begin_in(session)
            self._write(session)

    def drop(self, key: int) -> None:
        self._waiting = deque(one for one in self._waiting if one.key != key)
        if key in self._begun:
            session, transaction = self._begun[key]
            transaction.is_dropped = True
            self._leave_dropped(session)

    def step(self, seconds: float) -> list[Report]:
        for event, mask in self._selector.select(0 if self._reports else seconds):
            session: Session | None = event.data
            if session is None:
                self._answer_the_bell()
            elif session in self._sessions:  # an event before may have ended it
                if mask & selectors.EVENT_WRITE:
                    self._write(session)
                if mask & selectors.EVENT_READ:
                    self._read(session)
        self._lose_the_silent()
        self._begin()
        reports, self._reports = self._reports, []
        return reports

    def close(self) -> None:
        self._openers.shutdown()
        self._answer_the_bell()
        for session in self._sessions:
            with suppress(OSError):
                if session.is_idle:
                    session.socket.send(b"QUIT\r\n")
            session.socket.close()
        self._selector.close()
        self._bell.close()
        self._ringer.close()

    def _begin(self) -> None:
        """Give what waits to sessions that are free, and open more where none is."""
        while self._waiting and (free := next((one for one in self._sessions if one.may_begin), None)):
            self._begin_in(free)
            self._write(free)
        # The first one alone: where it is refused, so are all, and a wrong password is said once.
        most = self._most if self._sessions else 1
        wanted = min(len(self._waiting), most - len(self._sessions)) - self._opening
        for _ in range(wanted):
            self._opening += 1
            self._openers.submit(self._open)

    def _begin_in(self, session: Session) -> None:
        transaction = self._waiting.popleft()
        self._begun[transaction.key] = (session, transaction)
        session.begin(transaction)

    def _open(self) -> None:
        """In a thread of its own."""
        try:
            self._opened.put(opened())
        except Exception as error:  # noqa: BLE001 - whatever it is, no message was begun
            self._opened.put(error)
        self._ringer.send(b"\0")

    def _answer_the_bell(self) -> None:
        with suppress(BlockingIOError):
            self._bell.recv(1024)
        with suppress(Empty):
            while True:
                self._take(self._opened.get_nowait())

    def _take(self, opened: smtplib.SMTP | Exception) -> None:
        self._opening -= 1
        if isinstance(opened, smtplib.SMTP):
            session = Session(opened, settings.EMAIL_TIMEOUT)
            self._sessions.append(session)
            self._selector.register(session.socket, READ, session)
        elif self._sessions or self._opening:
            self._most = max(1, len(self._sessions) + self._opening)  # the server takes no more of us
        else:
            outcome = on_connect(opened)
            self._reports += [(one.key, outcome) for one in self._waiting]
            self._waiting.clear()

    def _write(self, session: Session) -> None:
        if session not in self._sessions:
            return
        try:
            session.write()
        except OSError as error:
            self._lose(session, error)
            return
        if bool(session.out) != session.is_watched_for_writing:
            session.is_watched_for_writing = bool(session.out)
            self._selector.modify(session.socket, READ_WRITE if session.out else READ, session)

    def _read(self, session: Session) -> None:
        try:
            for heard in session.read():
                self._note(heard)
        except (OSError, EOFError, Garbled) as error:
            self._lose(session, error)
        else:
            self._leave_dropped(session)
            self._write(session)

    def _leave_dropped(self, session: Session) -> None:
        """Where the server waits for content that does not come, hanging up is the only way out."""
        if session.ready and session.ready.is_dropped:
            del self._begun[session.ready.key]
            self._lose(session, ConnectionAbortedError("given up by us"))

    def _note(self, heard: Heard) -> None:
        transaction, outcome = heard
        if outcome is not None:
            self._begun.pop(transaction.key, None)
        self._reports.append((transaction.key, outcome))

    def _lose_the_silent(self) -> None:
        now = time.monotonic()
        for session in [one for one in self._sessions if one.deadline is not None and one.deadline < now]:
            self._lose(session, TimeoutError("no answer in time"))

    def _lose(self, session: Session, error: Exception) -> None:
        """End a session; what was handed over in it is in doubt, what was only begun goes to another."""
        if session not in self._sessions:
            return
        self._sessions.remove(session)
        self._selector.unregister(session.socket)
        session.socket.close()
        why = in_words(error)
        self._reports += [(one.key, Outcome(Kind.DOUBT, why)) for one in session.submitted]
        for transaction in [one for its, one in self._begun.values() if its is session]:
            del self._begun[transaction.key]
            if transaction.is_dropped:
                continue
            if transaction.is_ready or transaction.tries + 1 >= TRIES:
                self._reports.append((transaction.key, Outcome(Kind.UNSENT, why)))
            else:
                self._waiting.appendleft(transaction.afresh())


def opened() -> smtplib.SMTP:
    """A session, encrypted and signed in as the settings say. Raises whatever got in the way, ImproperlyConfigured
    where the settings contradict each other.
    """
    try:
        backend = EmailBackend()
    except ValueError as error:
        raise ImproperlyConfigured(str(error)) from error
    try:
        backend.open()
        connection = backend.connection
        assert connection is not None  # noqa: S101 - it was opened
        connection.ehlo_or_helo_if_needed()
    except Exception:
        with suppress(OSError, smtplib.SMTPException):
            backend.close()
        raise
    return connection
