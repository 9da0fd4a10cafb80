"""The trend formula says what it should, and is stored where it is needed."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from papers.models import Paper, PaperTopic, Topic
from papers.tasks import rank as rank_task
from papers.trends import SECONDS_PER_UNIT, Popularity, hot, normalise, rank, trend, trends_of

NOW = datetime(2026, 3, 20, tzinfo=UTC)
DAY = NOW.date()
AGE = NOW.timestamp() / SECONDS_PER_UNIT


def test_the_formula_is_the_published_one() -> None:
    expected = math.log10(1 + 312 + 40 / 2 + 3 * math.log10(1 + 99)) + AGE
    assert hot(Popularity(312, 40, 99), None, NOW) == pytest.approx(expected)


def test_ten_times_the_popularity_is_worth_22_hours() -> None:
    assert hot(Popularity(99), None, NOW) == pytest.approx(hot(Popularity(9), None, NOW + timedelta(hours=22)))


def test_comments_count_no_further_than_upvotes() -> None:
    assert hot(Popularity(4, 400), None, NOW) == hot(Popularity(4, 4), None, NOW)


def test_a_place_counts_only_without_a_reading() -> None:
    assert hot(None, 1, NOW) == pytest.approx(math.log10(51) + AGE)
    assert hot(Popularity(0), 1, NOW) == hot(None, None, NOW) == AGE


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_a_better_place_is_hotter(one: int, other: int) -> None:
    assert (hot(None, one, NOW) > hot(None, other, NOW)) == (one < other)


def test_the_parts_are_told_in_words() -> None:
    words = trend(Popularity(312, 40), 3, NOW).in_words()
    assert words == "312 upvotes (312.0) · 40 comments (20.0) · listed on 20 March 2026"
    assert trend(None, 2, NOW).in_words() == "no. 2 on its page (25.0) · listed on 20 March 2026"


@pytest.fixture
def paper(db: None) -> Paper:
    return Paper.objects.create(title="Pointer Networks", published_at=NOW - timedelta(days=30))


def test_the_latest_reading_counts(paper: Paper) -> None:
    paper.listings.create(source="page", day=DAY, place=1)
    for hours, upvotes in ((2, 187), (1, 66)):
        paper.readings.create(taken_at=NOW + timedelta(hours=hours), upvotes=upvotes)
    assert trends_of([paper])[paper.pk].hot == hot(Popularity(187), None, NOW)


def test_stars_are_those_of_the_last_7_days(paper: Paper) -> None:
    for days, stars in ((0, 10), (3, 40), (8, 100), (9, 109)):
        paper.readings.create(taken_at=NOW + timedelta(days=days), stars=stars)
    parts = trends_of([paper])[paper.pk].parts
    assert parts == (("99 code stars gained in 7 days", 6.0),)


def test_the_best_listing_counts(paper: Paper) -> None:
    paper.listings.create(source="page", day=DAY, place=50)
    paper.listings.create(source="feed", day=DAY, place=2)
    paper.listings.create(source="page", day=date(2026, 1, 1), place=1)
    assert trends_of([paper])[paper.pk].hot == hot(None, 2, NOW)


def test_a_paper_that_was_never_listed_counts_from_its_publication(paper: Paper) -> None:
    assert trends_of([paper])[paper.pk].listed_at == NOW - timedelta(days=30)


def test_ranking_stores_what_changed_and_only_that(paper: Paper) -> None:
    assert (rank(), rank()) == (1, 0)
    paper.readings.create(taken_at=NOW, upvotes=9)
    rank_task()
    paper.refresh_from_db()
    assert paper.hot == pytest.approx(1 + (NOW - timedelta(days=30)).timestamp() / SECONDS_PER_UNIT)


def test_many_papers_are_ranked_in_few_queries(db: None, django_assert_max_num_queries: object) -> None:
    papers = Paper.objects.bulk_create(Paper(title=str(n), title_key=str(n)) for n in range(400))
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        assert rank(papers) == 400


def topic_paper(topic: Topic, day: date, upvotes: int, strength: float = 0.8) -> PaperTopic:
    paper = Paper.objects.create(title=f"{topic} {day} {upvotes}", authors=[f"A{upvotes}"], listed_on=day)
    paper.listings.create(source="page", day=day)
    paper.readings.create(taken_at=NOW, upvotes=upvotes)
    return PaperTopic.objects.create(paper=paper, topic=topic, strength=strength, source=PaperTopic.Source.TEXT)


def test_a_paper_is_compared_with_its_own_topic(db: None) -> None:
    big, small = (Topic.objects.create(slug=name, name=name) for name in ("big", "small"))
    for upvotes in (100, 200, 300):
        topic_paper(big, DAY, upvotes)
    modest = [topic_paper(small, DAY, upvotes) for upvotes in (1, 2, 30)][-1]
    rank()
    normalise()
    modest = PaperTopic.objects.select_related("topic").get(pk=modest.pk)
    assert modest.standing > 1
    assert modest.standing_in_words.endswith("above the usual")


def test_what_is_usual_ends_with_the_latest_list_and_counts_what_belongs(db: None) -> None:
    topic = Topic.objects.create(slug="graphs", name="graphs")
    for upvotes in (9, 99):
        topic_paper(topic, DAY, upvotes)
    topic_paper(topic, DAY - timedelta(days=14), 9_999)
    topic_paper(topic, DAY, 99_999, strength=0.2)
    rank()
    normalise()
    topic.refresh_from_db()
    assert topic.usual_hot == pytest.approx(1.5 + AGE)
    assert topic.hot_spread == pytest.approx(0.5)


def test_a_topic_without_recent_papers_has_nothing_usual(db: None) -> None:
    topic = Topic.objects.create(slug="quiet", name="quiet", usual_hot=5, hot_spread=2)
    normalise()
    topic_paper(topic, DAY - timedelta(days=30), 1)
    topic_paper(Topic.objects.create(slug="other", name="other"), DAY, 1)
    normalise()
    topic.refresh_from_db()
    assert (topic.usual_hot, topic.hot_spread) == (0, 0)


def test_a_topics_rows_follow_their_papers_score(db: None) -> None:
    row = topic_paper(Topic.objects.create(slug="graphs", name="graphs"), DAY, 9)
    rank()
    late = PaperTopic.objects.create(
        paper=row.paper, topic=Topic.objects.create(slug="late", name="late"), strength=1, source="editor"
    )
    rank([row.paper])
    for one in (row, late):
        one.refresh_from_db()
        assert one.hot == pytest.approx(1 + AGE)


def test_what_is_usual_costs_the_same_however_many_papers(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    topic = Topic.objects.create(slug="graphs", name="graphs")
    for upvotes in range(1, 30):
        topic_paper(topic, DAY, upvotes)
    with django_assert_num_queries(4):
        normalise()
