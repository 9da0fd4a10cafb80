"""The seed page, the topics and a page that can be broken."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import redis
from pytest_django import Settings

from papers import topic_file
from papers.models import Topic
from papers.sources import seed_page
from papers.sources.shapes import Parsed
from tests.papers.replay import Replay, replay_server
from tests.servers import redis_server

SEEDS = Path(__file__).parents[2] / "seeds"
TODAY = date(2026, 3, 21)  # the day after the seed page
DAY = date(2026, 3, 20)
ABSTRACT = "We propose a network and show that it works. " * 8


@pytest.fixture(scope="session")
def seed_bytes() -> bytes:
    return (SEEDS / "trending.txt").read_bytes()


@pytest.fixture(scope="session")
def seeds(seed_bytes: bytes) -> Parsed:
    return seed_page.parse(seed_bytes, today=TODAY)


@pytest.fixture
def topics(db: None) -> dict[str, Topic]:
    """All topics of seeds/topics.json, by slug."""
    topic_file.store(topic_file.parse((SEEDS / "topics.json").read_bytes()))
    return {topic.slug: topic for topic in Topic.objects.all()}


def page(*papers: tuple[str, str], day: str = "Mar 20", end: str = "\n") -> bytes:
    """A small page with the usual head."""
    parts = ["new", "Subscribe", "byAK and the research community", day]
    return (end * 2).join([*parts, *(text for paper in papers for text in paper)]).encode()


@pytest.fixture(scope="session")
def private_redis() -> Iterator[str]:
    """A Redis of this test process alone: turns are taken in it."""
    with redis_server() as url:
        yield url


@pytest.fixture
def web(settings: Settings, private_redis: str) -> Iterator[Replay]:
    """All sources on loopback, at a pace for tests."""
    with replay_server() as replay:
        settings.REDIS_URL = private_redis
        settings.FETCH_HOSTS = ["127.0.0.1"]
        settings.FETCH_LOOPBACK = True
        settings.FETCH_EVERY = {"arxiv": 0.001, "hugging-face": 0.001}
        settings.FETCH_BACK_OFF = 0.01
        settings.FETCH_PATIENCE = 2
        settings.SOURCE_URLS = {
            "hugging-face": replay.url("/api/daily_papers"),
            "arxiv-feed": replay.url("/atom"),
            "arxiv-api": replay.url("/api/query"),
            "arxiv-oai": replay.url("/oai"),
        }
        with redis.from_url(private_redis) as client:
            client.flushall()
        yield replay
