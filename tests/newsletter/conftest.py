"""A small world for the tests of editions and delivery: two topics, eight papers, a relay."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives
from pytest_django.fixtures import Settings

from newsletter import editions, tasks
from newsletter.models import Digest, Edition, EditionPaper, Event
from papers.models import Authorship, Listing, Paper, PaperTopic, Topic
from subscribers.emails import compose
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.stubs import Api, Relay, Server, http_api, smtp_relay, smtp_server


@pytest.fixture(autouse=True)
def clock(fixed_clock: time_machine.Traveller) -> time_machine.Traveller:
    """Every test here happens at NOW."""
    return fixed_clock


@pytest.fixture
def graphs(db: None) -> Topic:
    return Topic.objects.create(slug="graphs", name="Graph neural networks", description="On graphs.", field="ML")


@pytest.fixture
def robots(db: None) -> Topic:
    return Topic.objects.create(slug="robots", name="Robotics", description="Robots.", field="ML")


def make_papers(numbers: Iterable[int], topic: Topic, strength: float = 0.9, **fields: object) -> list[Paper]:
    """The papers of these places on the page, all at once; a lower number trends more."""
    values = {number: of_place(number, topic) | fields for number in numbers}
    papers = [Paper(**one) for one in values.values()]
    for paper in papers:
        paper.set_keys()
    Paper.objects.bulk_create(papers)
    Authorship.objects.store(papers)
    PaperTopic.objects.bulk_create(
        PaperTopic(paper=paper, topic=topic, strength=strength, source=PaperTopic.Source.TEXT) for paper in papers
    )
    Listing.objects.bulk_create(
        Listing(paper=paper, source="seed-page", day=paper.listed_on, place=number)
        for number, paper in zip(values, papers, strict=True)
    )
    return papers


def of_place(number: int, topic: Topic) -> dict[str, object]:
    return {
        "title": f"{topic.name} paper {number}",
        "abstract": f"We present result {number}. It holds.",
        "authors": ["Ada Lovelace", "Emmy Noether"],
        "listed_on": NOW.date(),
        "hot": 100 - number,
        "notice": 2 - number / 10,
    }


def make_paper(number: int, topic: Topic, strength: float = 0.9, **fields: object) -> Paper:
    [paper] = make_papers([number], topic, strength, **fields)
    return paper


@pytest.fixture
def graph_papers(graphs: Topic) -> list[Paper]:
    return make_papers((1, 3, 5, 7), graphs)


@pytest.fixture
def robot_papers(robots: Topic) -> list[Paper]:
    return make_papers((2, 4, 6, 8), robots)


@pytest.fixture
def papers(graph_papers: list[Paper], robot_papers: list[Paper]) -> list[Paper]:
    return graph_papers + robot_papers


def add_readers(count: int, *topics: Topic, **fields: object) -> list[Subscriber]:
    """Active daily readers whose hour has come."""
    readers = Subscriber.objects.bulk_create(
        Subscriber(
            email=f"reader{number}@example.org",
            status=Subscriber.Status.ACTIVE,
            next_digest_at=NOW - timedelta(minutes=1),
            **fields,
        )
        for number in range(count)
    )
    follows = Subscriber.topics.through
    follows.objects.bulk_create(follows(subscriber=reader, topic=topic) for reader in readers for topic in topics)
    return readers


def planned_readers(count: int, *topics: Topic) -> list[Subscriber]:
    """Such readers, with a digest for each planned."""
    readers = add_readers(count, *topics)
    editions.plan(NOW)
    return readers


def statuses() -> dict[str, int]:
    """How many digests of the day's edition have which status."""
    return {status: number for status, number in Edition.objects.get(kind="daily").accounts().items() if number}


@pytest.fixture
def edition(papers: list[Paper], db: None) -> Edition:
    edition = Edition.objects.create(kind="daily", date=NOW.date())
    EditionPaper.objects.bulk_create(
        EditionPaper(edition=edition, paper=paper, hot=paper.hot, notice=paper.notice) for paper in papers
    )
    return edition


def planned(edition: Edition, reader: Subscriber) -> Digest:
    return Digest.objects.create(
        edition=edition, subscriber=reader, not_before=NOW, expires_at=NOW + timedelta(hours=12)
    )


@pytest.fixture
def digest(edition: Edition, alice: Subscriber) -> Digest:
    """Alice's, which her provider has taken."""
    digest = planned(edition, alice)
    Digest.objects.update(status=Digest.Status.ACCEPTED, submitted_at=NOW)
    return digest


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    """A relay that says what a test wants it to."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with smtp_server(Server()) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def relay(settings: Settings) -> Iterator[Relay]:
    with smtp_relay(Relay()) as relay:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", relay.port
        yield relay


@pytest.fixture
def postmark(settings: Settings) -> Iterator[Api]:
    with http_api() as api:
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {
            "POSTMARK_SERVER_TOKEN": "token",
            "POSTMARK_API_URL": api.url,
            "REQUESTS_TIMEOUT": (1, 0.5),
        }
        yield api


def message_to(address: str) -> EmailMultiAlternatives:
    return compose(
        to=address, subject="Papers", text="Some papers.", html="<p>Some papers.</p>", headers={}, metadata={}
    )


def happened(kind: str, hard: bool | None = None, message_id: str = "", **fields: object) -> Event:
    """A stored event, as `store` writes it."""
    number = Event.objects.count()
    own = {"provider": "P", "key": f"k{number}", "type": kind, "message_id": message_id, "happened_at": NOW}
    return Event.objects.create(**own, hard=kind == "bounced" if hard is None else hard, **fields)


@pytest.fixture
def at_once(db: None) -> Iterator[None]:
    """Who calls a task does its work."""
    conf = tasks.tick.app.conf
    conf.task_always_eager = True
    yield
    conf.task_always_eager = False
