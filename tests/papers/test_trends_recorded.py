"""What trends do on real listings, replayed through the real way of storing papers.

The listings lie beside the project and are no part of it; without them these tests have nothing to say.
"""

import gzip
import json
import statistics
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from papers import harvest, topic_file, trends
from papers.models import Paper, PaperTopic, Topic
from papers.models.topics import BELONGS
from papers.records import ListingRecord, PaperRecord, ReadingRecord

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "daily-listings.jsonl.gz"
SEEDS = Path(__file__).parents[2] / "seeds"
FIRST, LAST = "2025-06-16", "2025-07-13"  # four weeks: the window, and as much before it
SMALL = range(trends.FEWEST, 21)  # papers of a topic in two weeks

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not RECORDED.exists(), reason="the recorded listings are not beside the project"),
]


@pytest.fixture(scope="module")
def replayed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Once for all tests, which only look: each begins and ends within this transaction."""
    with django_db_blocker.unblock(), transaction.atomic():
        replay()
        yield
        transaction.set_rollback(True)


def replay() -> None:
    topic_file.store(topic_file.parse((SEEDS / "topics.json").read_bytes()))
    with gzip.open(RECORDED, "rt", encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if FIRST <= row["day"] <= LAST]
    harvest.store(map(record, rows), datetime(2025, 7, 14, tzinfo=UTC))


def record(row: dict[str, object]) -> PaperRecord:
    day = date.fromisoformat(str(row["day"]))
    morning = datetime.combine(day, time(12), tzinfo=UTC)
    return PaperRecord.from_source(
        title=str(row["title"]),
        abstract=str(row["abstract"] or ""),
        authors=[str(name) for name in row["authors"] or ()],  # type: ignore[attr-defined]
        arxiv_id=str(row["id"]),
        listing=ListingRecord("hugging-face", day),
        reading=ReadingRecord(morning, upvotes=int(row["upvotes"] or 0), comments=int(row["comments"] or 0)),  # type: ignore[call-overload]
    )


def of_late() -> list[PaperTopic]:
    """The memberships that make up what is usual."""
    latest = max(Paper.objects.values_list("listed_on", flat=True))
    rows = PaperTopic.objects.filter(paper__listed_on__gt=latest - trends.USUAL_WINDOW, strength__gte=BELONGS)
    return list(rows.select_related("topic", "paper"))


@pytest.mark.usefixtures("replayed")
def test_small_topics_have_trends_of_their_own() -> None:
    """Where none of a topic's papers is among the most noticed tenth of all, some stand out in it nevertheless."""
    by_topic: dict[str, list[PaperTopic]] = {}
    for row in of_late():
        by_topic.setdefault(row.topic.slug, []).append(row)
    notice = sorted({row.paper_id: row.paper.notice for rows in by_topic.values() for row in rows}.values())
    loud = notice[-len(notice) // 10]
    small = [rows for rows in by_topic.values() if len(rows) in SMALL and all(row.paper.notice < loud for row in rows)]
    best = [max(rows, key=lambda row: row.standing) for rows in small]
    assert len(best) >= 5
    assert all(row.standing >= 1 for row in best)
    mean, spread = statistics.fmean(notice), statistics.pstdev(notice)
    assert sum((row.paper.notice - mean) / spread < 1 for row in best) >= 5, "among all papers they would be lost"


@pytest.mark.usefixtures("replayed")
def test_nobody_stands_out_by_being_listed_last() -> None:
    rows = of_late()
    days = [float(row.paper.listed_on.toordinal()) for row in rows if row.paper.listed_on]
    assert statistics.correlation([row.standing for row in rows], days) ** 2 < 0.05
    assert statistics.correlation([row.standing for row in rows], [row.paper.notice for row in rows]) > 0.8


@pytest.mark.usefixtures("replayed")
def test_a_paper_changes_its_place_only_for_a_reason() -> None:
    before = places()
    assert trends.rank() == 0
    trends.normalise()
    assert places() == before
    middling = Paper.objects.trending()[Paper.objects.count() // 2]
    middling.readings.create(taken_at=datetime(2025, 7, 13, 18, tzinfo=UTC), upvotes=5_000)
    assert trends.rank() == 1
    after = places()
    assert after["all"].index(middling.pk) < before["all"].index(middling.pk)
    for name, order in before.items():
        assert [pk for pk in after[name] if pk != middling.pk] == [pk for pk in order if pk != middling.pk]


def places() -> dict[str, list[int]]:
    """The order of all papers, and of each topic's."""
    orders = {"all": list(Paper.objects.trending().values_list("pk", flat=True))}
    for topic in Topic.objects.all():
        orders[topic.slug] = list(Paper.objects.about(topic).values_list("pk", flat=True))
    return orders
