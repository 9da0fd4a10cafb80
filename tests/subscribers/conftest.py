"""Two topics to choose from, and a form filled in as a person would."""

import pytest
from pytest_django import Settings

from papers.models import Topic
from subscribers.models import Subscriber

START = {"cadence": "daily", "local_hour": "8", "zone": "Europe/Berlin"}


@pytest.fixture(autouse=True)
def _here_and_now(fixed_clock: object, settings: Settings) -> None:
    """All of these tests happen at NOW, and their client speaks plain HTTP."""
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture
def graphs(db: None) -> Topic:
    return Topic.objects.create(slug="graphs", name="Graph neural networks", field="Machine learning")


@pytest.fixture
def vision(db: None) -> Topic:
    return Topic.objects.create(slug="vision", name="Computer vision", field="Machine learning")


@pytest.fixture
def form(graphs: Topic, vision: Topic) -> dict[str, object]:
    """Carol, who is new, asks for graphs every day at 8 in Berlin."""
    return {"email": "carol@example.org", "topics": ["graphs"], **START}


@pytest.fixture
def choices(graphs: Topic, vision: Topic) -> dict[str, object]:
    """What the preferences page posts."""
    return {**START, "topics": ["vision"], "weekday": "1", "digest_size": "5", "language": "en", "version": "0"}


@pytest.fixture
def everybody(alice: Subscriber, bob: Subscriber) -> dict[str, Subscriber]:
    """One subscriber of each status but erased, by status."""
    rest = ["paused", "unsubscribed", "bounced", "complained"]
    others = {name: Subscriber.objects.create(email=f"{name}@example.org", status=name) for name in rest}
    return {"active": alice, "pending": bob, **others}
