"""Any number of rows of every model that the admin lists, as real as the lists need them."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from newsletter.models import Alarm, Brake, Digest, Edition, Event, Feedback
from papers.models import BackFill, Listing, Paper, PaperTopic, Reading, Source, Topic, TopicModel
from subscribers.models import (
    Attack,
    Consent,
    HeldDomain,
    Import,
    Letter,
    Parting,
    Subscriber,
    SubscriptionRequest,
    Suppression,
)
from tests.conftest import NOW

DAY, UNTIL = NOW.date(), NOW + timedelta(hours=12)
ATTEMPT = {"ip_address": "192.0.2.1", "user_agent": "a browser", "attempt_time": NOW}
TRAINED = {"trained_at": NOW, "trained_until": DAY, "papers": 9, "held_out": 1, "learnt": []}
MEASURES = {"candidate": {"micro_f1": 0.5}, "phrases": {"micro_f1": 0.4}}
Maker = Callable[[int], Model]


def day(number: int) -> date:
    return DAY - timedelta(days=number)


class Fresh:
    """Rows that other rows hang on, one for each: made at once when the first is asked for."""

    def __init__(self, model: type[Model], count: int, values: Callable[[int], dict[str, Any]]) -> None:
        self._model, self._count, self._values = model, count, values
        self._rows: list[Any] = []

    def __call__(self) -> Any:
        if not self._rows:
            there = self._model._default_manager.count()
            numbers = range(there, there + self._count)
            self._rows = self._model._default_manager.bulk_create(self._model(**self._values(n)) for n in numbers)
        return self._rows.pop()


def makers(count: int) -> dict[type[Model], Maker]:
    """How to make `count` rows of each model, by their numbers; what they hang on is shared, or made with them."""
    title = Paper.objects.get_or_create(title="A paper")[0]
    topic = Topic.objects.get_or_create(slug="robots", name="Robotics", description="Robots.", field="ML")[0]
    source = Source.objects.get_or_create(name="a-source", kind="hugging-face")[0]
    root = User.objects.get_or_create(username="root")[0]
    weekly = Edition.objects.get_or_create(kind="weekly", date=DAY)[0]
    kind = ContentType.objects.get_for_model(Edition)
    reader = Fresh(Subscriber, count, lambda n: {"email": f"reader{n}@example.org", "status": "active"})
    paper = Fresh(Paper, count, lambda n: {"title": f"Of a topic {n}", "title_key": f"of-a-topic-{n}"})
    return {
        AccessAttempt: lambda n: AccessAttempt(username=f"name{n}", failures_since_start=1, **ATTEMPT),
        AccessLog: lambda n: AccessLog(username=f"name{n}", **ATTEMPT),
        AccessFailureLog: lambda n: AccessFailureLog(username=f"name{n}", **ATTEMPT),
        TOTPDevice: lambda n: TOTPDevice(user=root, name=f"phone {n}"),
        StaticDevice: lambda n: StaticDevice(user=root, name=f"sheet {n}"),
        User: lambda n: User(username=f"person{n}"),
        Group: lambda n: Group(name=f"group {n}"),
        LogEntry: lambda n: LogEntry(user=root, content_type=kind, object_id=str(n), object_repr="x", action_flag=2),
        HeldDomain: lambda n: HeldDomain(domain=f"domain{n}.example", until=UNTIL),
        Edition: lambda n: Edition(kind="daily", date=day(n)),
        Digest: lambda n: Digest(edition=weekly, subscriber=reader(), not_before=NOW, expires_at=UNTIL),
        Event: lambda n: Event(provider="Brevo", key=str(n), type="delivered", happened_at=NOW),
        Feedback: lambda n: Feedback(subscriber=reader(), paper=title, kind="more"),
        Alarm: lambda n: Alarm(kind="brake", row=n, reason=f"no. {n}", began_at=NOW, told_at=NOW),
        Brake: lambda n: Brake(reason=f"no. {n}", released_at=NOW),
        Source: lambda n: Source(name=f"source-{n}", kind="hugging-face"),
        BackFill: lambda n: BackFill(source=source, since=DAY, until=DAY, status="done", not_before=NOW),
        Paper: lambda n: Paper(title=f"Paper {n}", title_key=f"paper-{n}", listed_on=day(n)),
        Topic: lambda n: Topic(slug=f"topic-{n}", name=f"Topic {n}", description=".", field="ML"),
        TopicModel: lambda n: TopicModel(verdict=f"no. {n}", digest=str(n), weights=b"", measures=MEASURES, **TRAINED),
        PaperTopic: lambda n: PaperTopic(paper=paper(), topic=topic, strength=0.5, source="text"),
        Listing: lambda n: Listing(paper=title, source="seed-page", day=day(n), place=1),
        Reading: lambda n: Reading(paper=title, taken_at=NOW - timedelta(hours=n)),
        Import: lambda n: Import(file_name=f"{n}.csv", sha256=str(n), status="done", uploaded_at=NOW, moved_at=NOW),
        Subscriber: lambda n: Subscriber(email=f"someone{n}@example.org", zone="Europe/Berlin"),
        Consent: lambda n: Consent(subscriber=reader(), action="confirmed", words="Yes"),
        Suppression: lambda n: Suppression(address_hash=f"{n:064}", reason="bounced"),
        Letter: lambda n: Letter(subscriber=reader(), kind="welcome", not_before=NOW),
        Parting: lambda n: Parting(reason="no_time", day=DAY),
        SubscriptionRequest: lambda n: SubscriptionRequest(email=f"asker{n}@example.org", status="held"),
        Attack: lambda n: Attack(reason=f"no. {n}", began_at=NOW, ended_at=NOW),
    }


def one_of_each() -> dict[type[Model], Any]:
    """A row of every model."""
    return {model: model._default_manager.bulk_create([maker(0)])[0] for model, maker in makers(1).items()}


def make(model: type[Model], count: int, start: int = 0) -> list[Any]:
    """So many rows of a model. Raises KeyError where nobody has said how one is made."""
    maker = makers(count)[model]
    return model._default_manager.bulk_create(maker(number) for number in range(start, start + count))
