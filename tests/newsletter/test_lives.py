"""A subscriber's whole life, in any order: no path mails somebody who must not be mailed.

People act by the links in the mails that they got. The machine keeps its own, simpler account of who agreed to
what, by what they pressed, and holds each mail that goes out against it.
"""

import re
import uuid
from collections import defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from anymail.signals import AnymailTrackingEvent
from django.conf import settings as django_settings
from django.core import mail
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from pytest_django import Settings

from newsletter import editions
from newsletter.delivery.feedback import events
from newsletter.delivery.letters import send_owed_letters
from newsletter.delivery.sending import deliver_batch
from newsletter.models import Digest, Event
from papers.models import Topic
from subscribers import links, reminding, retention
from subscribers.leaving import end_pauses
from subscribers.models import Letter, Subscriber, Suppression
from tests.conftest import NOW, carry_out_requests
from tests.newsletter.conftest import make_papers

SITE = "https://papers.example"
LINK = re.compile(rf"{SITE}(/[^\s<>\"]+)")
ADDRESSES = [f"{name}@example.org" for name in ("ann", "ben")]
SIGN_UP = {"topics": ["graphs"], "cadence": "daily", "local_hour": "8", "zone": "Europe/Berlin"}
HOUR = timedelta(hours=1)
# Which of the machine's own words about a person each letter presumes.
PRESUMED = {
    "confirmation": {"asked"},
    "reminder": {"asked"},
    "welcome": {"agreed", "paused"},
    "preferences": {"agreed", "paused"},
    "goodbye": {"stopped"},
    "move_from": {"agreed", "paused"},
    "move_to": {"agreed", "paused"},
}
address = st.sampled_from(ADDRESSES)


class Life(RuleBasedStateMachine):
    """`word`, by leave key: asked, agreed, paused or stopped. `banned`: addresses that nothing may go to any more."""

    def __init__(self) -> None:
        super().__init__()
        self.whole = transaction.atomic()
        self.whole.__enter__()
        django_settings.REDIS_PREFIX = f"test-{uuid.uuid4().hex}"  # each life begins without a past
        self.clock = time_machine.travel(NOW, tick=False)
        self.traveller = self.clock.start()
        self.client = Client()
        self.word: dict[str, str] = {}
        self.proved: dict[str, str] = {}
        self.before: dict[str, tuple[str, object]] = {}  # the word before the last change, and when that was
        self.until: dict[str, date | None] = {}
        self.undoing: dict[str, tuple[str, str]] = {}  # the last leave's own undo, and what was before
        self.banned: set[str] = set()
        self.unanswered: dict[str, list[tuple[datetime, str]]] = defaultdict(list)  # what asked an address, and when
        self.arrived: list[tuple[str, str, dict[str, str]]] = []  # where each mail arrived, for whom, its metadata
        self.inbox: dict[str, list[str]] = {name: [] for name in [*ADDRESSES, "new@example.org"]}
        mail.outbox.clear()

    def teardown(self) -> None:
        self.clock.stop()
        transaction.set_rollback(True)
        self.whole.__exit__(None, None, None)

    # --- what the machine knows -----------------------------------------------------------------------

    def link(self, email: str, page: str) -> str:
        """The newest link to a page in somebody's inbox; empty where there is none."""
        return next((path for path in reversed(self.inbox[email]) if path.startswith(f"/{page}/")), "")

    def post(self, path: str, **fields: object) -> HttpResponse:
        answer = self.client.post(path, fields, secure=True)
        assert answer.status_code < 500
        return answer  # type: ignore[return-value]

    def now_is(self, key: str, word: str) -> None:
        self.before[key] = (self.word[key], timezone.now())
        self.word[key] = word

    def reader(self, email: str) -> Subscriber | None:
        """Whom the newest preferences link in an inbox opens."""
        try:
            return links.read_preferences(self.link(email, "preferences").removeprefix("/preferences/"))
        except links.BadLink:
            return None

    # --- what people do -------------------------------------------------------------------------------

    @initialize(ben=st.sampled_from(["confirms", "waits", "is reminded"]))
    def they_join(self, ben: str) -> None:
        for email in ADDRESSES:
            self.sign_up(email)
        self.mail_goes_out()
        for email in ADDRESSES if ben == "confirms" else ADDRESSES[:1]:
            self.confirm(email)
        self.mail_goes_out()
        if ben == "is reminded":
            self.days_pass(9)

    @rule(email=address)
    def sign_up(self, email: str) -> None:
        self.post(reverse("subscribe"), email=email, **SIGN_UP)
        self.requests_are_carried_out()

    @rule(email=address)
    def confirm(self, email: str) -> None:
        path = self.link(email, "confirm")
        try:
            key = links.read_confirm(path.removeprefix("/confirm/")).leave_key
        except links.BadLink:
            key = ""
        self.post(path or "/confirm/x")
        if self.word.get(key) == "asked":
            self.word[key], self.proved[key] = "agreed", email
            self.unanswered[email].clear()

    @rule(email=address, one_click=st.booleans())
    def leave(self, email: str, one_click: bool) -> None:
        key = self.link(email, "leave").removeprefix("/leave/")
        name = "one_click" if one_click else "leave"
        answer = self.post(reverse(name, args=[key or "x"]), **{"List-Unsubscribe": "One-Click"})
        if self.word.get(key, "stopped") != "stopped":
            self.undoing[key] = (answer.headers.get("Location", ""), self.word[key])
            self.word[key] = "stopped"
            self.before.pop(key, None)

    @rule(email=address, instead=st.sampled_from(["", "less_often", "pause"]))
    def undo_leaving(self, email: str, instead: str) -> None:
        key = self.link(email, "leave").removeprefix("/leave/")
        path, was = self.undoing.get(key, ("", ""))
        if path:
            done = self.post(path, instead=instead).status_code == 200
            assert not done or (self.word[key] == "stopped" and self.proved.get(key) not in self.banned)
            if done:
                self.word[key] = "paused" if instead == "pause" and was == "agreed" else was

    @rule(email=address)
    def pause(self, email: str) -> None:
        key = self.link(email, "leave").removeprefix("/leave/")
        self.post(reverse("pause", args=[key or "x"]))
        if self.word.get(key) == "agreed":
            self.until[key] = None
            self.now_is(key, "paused")

    @rule(email=address, days=st.integers(-1, 5))
    def pause_until(self, email: str, days: int) -> None:
        if reader := self.reader(email):
            day = reader.schedule.local_date(timezone.now()) + timedelta(days=days)
            path = reverse("pause_until", args=[links.preferences_token(reader)])
            done = self.post(path, until=day.isoformat(), version=reader.version).status_code == 302
            assert not done or self.word[reader.leave_key] in {"agreed", "paused"}
            if done:
                self.until[reader.leave_key] = day
                self.now_is(reader.leave_key, "paused")

    @rule(email=address)
    def resume(self, email: str) -> None:
        if reader := self.reader(email):
            self.post(reverse("resume", args=[links.preferences_token(reader)]))
            if self.word[reader.leave_key] == "paused":
                self.now_is(reader.leave_key, "agreed")

    @rule(email=address, age=st.integers(0, 2), hour=st.integers(0, 23))
    def change(self, email: str, age: int, hour: int) -> None:
        if reader := self.reader(email):
            wish = {**SIGN_UP, "local_hour": hour, "weekday": 1, "digest_size": 2, "language": "en"}
            path = reverse("preferences", args=[links.preferences_token(reader)])
            done = self.post(path, **wish, version=reader.version - age).status_code == 302
            assert not (done and age)
            if done:
                self.now_is(reader.leave_key, self.word[reader.leave_key])

    @rule(email=address)
    def take_back(self, email: str) -> None:
        if reader := self.reader(email):
            self.post(reverse("undo", args=[links.preferences_token(reader)]), version=reader.version)
            now = Subscriber.objects.get(pk=reader.pk)
            if now.version != reader.version:
                was, at = self.before[reader.leave_key]
                assert timezone.now() - at <= HOUR  # type: ignore[operator]
                self.until[reader.leave_key] = now.paused_until
                self.now_is(reader.leave_key, was)

    @rule(
        email=address, to=st.sampled_from(["new@example.org", *ADDRESSES]), who=st.sampled_from(["o", "n", "on", "no"])
    )
    def move(self, email: str, to: str, who: str) -> None:
        if reader := self.reader(email):
            path = reverse("move", args=[links.preferences_token(reader)])
            # Links of other wishes, which may lie in these inboxes too, are not pressed here.
            earlier = {address: len(self.inbox[address]) for address in (str(reader.email), to)}
            asked = self.post(path, email=to).status_code == 200
            self.mail_goes_out()
            for one in who if asked else "":
                address = str(reader.email) if one == "o" else to
                fresh = [path for path in self.inbox[address][earlier[address] :] if path.startswith("/address/")]
                self.post(fresh[-1] if fresh else "/address/x")
            now = Subscriber.objects.get(pk=reader.pk)
            if now.email != reader.email:
                assert (now.email, len(who)) == (to, 2)
                assert to not in self.banned
                assert self.word[now.leave_key] in {"agreed", "paused"}
                self.proved[now.leave_key] = to
                self.before.pop(now.leave_key, None)

    @rule(email=address)
    def erase(self, email: str) -> None:
        if reader := self.reader(email):
            self.post(reverse("erase", args=[links.preferences_token(reader)]))
            self.banned.add(str(reader.email))
            self.word[reader.leave_key] = "stopped"

    # --- what happens to them -------------------------------------------------------------------------

    @rule(type_=st.sampled_from(["bounced", "complained"]), number=st.integers(0, 40))
    def the_provider_tells(self, type_: str, number: int) -> None:
        """Of any mail that ever arrived, however old, by the address that it arrived at."""
        if self.arrived:
            to, key, metadata = self.arrived[number % len(self.arrived)]
            told = {"event_id": str(Event.objects.count()), "timestamp": timezone.now(), "recipient": to}
            events.store(AnymailTrackingEvent(event_type=type_, metadata=metadata, **told), "x")
            events.apply_stored(timezone.now())
            self.banned.add(to)
            if Subscriber.objects.filter(leave_key=key, email=to).exists():
                self.word[key] = "stopped"

    @rule(email=address)
    def an_operator_suppresses(self, email: str) -> None:
        Suppression.objects.add(email, Suppression.Reason.OPERATOR)
        self.banned.add(email)

    @rule(quarters=st.integers(4, 17))
    def days_pass(self, quarters: int) -> None:
        self.time_passes([6] * quarters)

    @rule(hours=st.sampled_from([0.2, 1.1, 6, 24 * 15]))
    def time_passes_at_once(self, hours: float) -> None:
        self.time_passes([hours])

    def time_passes(self, steps: list[float]) -> None:
        for hours in steps:
            self.traveller.shift(timedelta(hours=hours))
            end_pauses(timezone.now())
            reminding.remind(timezone.now())
            self.days_have_come()
            self.mail_goes_out()
        retention.forget(timezone.now())
        for key, word in self.word.items():
            if word == "asked" and not Subscriber.objects.filter(leave_key=key, status="pending").exists():
                self.word[key] = "stopped"

    def days_have_come(self) -> None:
        """Pauses until a day end on it."""
        today = timezone.now().astimezone(ZoneInfo("Europe/Berlin")).date()
        for key, until in self.until.items():
            if self.word[key] == "paused" and until and until <= today:
                self.word[key] = "agreed"
                self.before.pop(key, None)

    def requests_are_carried_out(self) -> None:
        """What was asked for, now or before; where the limits allow no letter, who had left stays as they are."""
        if carry_out_requests():
            for person in Subscriber.objects.filter(email__in=ADDRESSES, status="pending"):
                if self.word.get(person.leave_key, "stopped") == "stopped":
                    self.word[person.leave_key] = "asked"

    @rule()
    def digests_are_planned(self) -> None:
        editions.plan(timezone.now())

    @rule()
    def mail_goes_out(self) -> None:
        self.requests_are_carried_out()
        editions.plan(timezone.now())
        deliver_batch()
        send_owed_letters(timezone.now())
        for message in mail.outbox:
            self.arrive(message)
        mail.outbox.clear()

    def arrive(self, message: mail.EmailMessage) -> None:
        """One mail reaches an inbox: was it right to send it?"""
        [to], metadata = message.to, message.metadata  # type: ignore[attr-defined]
        assert to not in self.banned
        if "digest" in metadata:
            reader, allowed = Digest.objects.get(uid=metadata["digest"]).subscriber, {"agreed"}
        else:
            letter = Letter.objects.get(uid=metadata["letter"])
            reader, allowed = letter.subscriber, PRESUMED[letter.kind]
        assert self.word[reader.leave_key] in allowed
        if metadata.get("digest") or letter.kind not in {"confirmation", "reminder", "move_to"}:
            assert self.proved[reader.leave_key] == to
        else:
            self.keeps_to_the_limits(to, letter.kind)
        self.arrived.append((to, reader.leave_key, metadata))
        self.inbox[to] += LINK.findall(str(message.body)) + LINK.findall(str(message.extra_headers))

    def keeps_to_the_limits(self, to: str, kind: str) -> None:
        """An address is asked three times a year until it answers, and reminded once."""
        if kind in {"confirmation", "reminder"}:
            now = timezone.now()
            earlier = [(at, before) for at, before in self.unanswered[to] if now - at < timedelta(days=365)]
            assert len(earlier) < 3
            assert kind != "reminder" or "reminder" not in {before for _, before in earlier}
            self.unanswered[to].append((now, kind))


@pytest.mark.parametrize("lives", [4, pytest.param(60, marks=pytest.mark.heavy)])
def test_no_path_mails_somebody_who_must_not_be_mailed(settings: Settings, graphs: Topic, lives: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.POOL_DAYS = 3650
    make_papers(range(1, 41), graphs)
    steps = hypothesis_settings(
        max_examples=lives, stateful_step_count=40, deadline=None, derandomize=True, phases=[Phase.generate]
    )
    run_state_machine_as_test(Life, settings=steps)
