"""What trends do on real listings, replayed through the real way of storing papers.

The listings lie beside the project and are no part of it; without them these tests have nothing to say.
"""

import gzip
import json
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from papers import harvest, topic_file, trends
from papers.models import Paper, PaperTopic, Topic
from papers.records import ListingRecord, PaperRecord, ReadingRecord

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "daily-listings.jsonl.gz"
SEEDS = Path(__file__).parents[2] / "seeds"
FIRST, LAST = "2025-06-16", "2025-07-13"  # four weeks: the window, and as much before it
SMALL = range(4, 21)  # papers of a topic in two weeks

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not RECORDED.exists(), reason="the recorded listings are not beside the project"),
]


@pytest.fixture
def replayed() -> None:
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


@pytest.mark.usefixtures("replayed")
def test_small_topics_have_trends_of_their_own() -> None:
    latest = max(Paper.objects.values_list("listed_on", flat=True))
    window = Paper.objects.filter(listed_on__gt=latest - trends.USUAL_WINDOW)
    loudest = set(window.trending().values_list("pk", flat=True)[: window.count() // 5])
    best = []
    for topic in Topic.objects.all():
        rows = PaperTopic.objects.filter(topic=topic, paper__in=window, strength__gte=0.3).select_related("topic")
        if len(rows) in SMALL:
            best.append(max(row.standing for row in rows))
    assert len(best) >= 4
    # Of four papers two may be equally far ahead, and then neither is a whole deviation.
    assert min(best) >= 0.5
    assert sum(standing >= 1 for standing in best) >= 0.75 * len(best)
    quiet = PaperTopic.objects.filter(paper__in=window).exclude(paper__in=loudest).select_related("topic")
    assert any(row.standing >= 1 for row in quiet), "a paper can trend in its field without being among the loudest"


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
