"""The seed page, the topics and a page that can be broken."""

from datetime import date
from pathlib import Path

import pytest

from papers import topic_file
from papers.models import Topic
from papers.sources import seed_page

SEEDS = Path(__file__).parents[2] / "seeds"
TODAY = date(2026, 3, 21)  # the day after the seed page
DAY = date(2026, 3, 20)
ABSTRACT = "We propose a network and show that it works. " * 8


@pytest.fixture(scope="session")
def seed_bytes() -> bytes:
    return (SEEDS / "trending.txt").read_bytes()


@pytest.fixture(scope="session")
def seeds(seed_bytes: bytes) -> seed_page.ParsedPage:
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
