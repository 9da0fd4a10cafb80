"""Runs of sources against a server that replays their answers, through the real download path."""

from datetime import date, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from pytest_django import Settings

from papers import harvest, readings, tasks
from papers.models import Listing, Paper, PaperTopic, Reading, Topic
from papers.records import PaperRecord
from papers.sources.models import LEASE, Source
from tests.conftest import NOW
from tests.papers.conftest import DAY, SEEDS
from tests.papers.replay import Replay, Reply, announced, as_json, daily, feed, found, harvested

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]


def source(name: str) -> Source:
    return Source.objects.get(name=name)


def fetched(name: str, **options: object) -> harvest.Run:
    return harvest.fetch(source(name), asked=True, **options)  # type: ignore[arg-type]


def command(*words: str) -> str:
    out = StringIO()
    call_command("fetch", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_all_sources_fill_one_database(web: Replay, topics: dict[str, Topic]) -> None:
    call_command("import_papers", SEEDS / "trending.txt", stdout=StringIO())
    title = "Pointer Networks"
    web.on["/api/daily_papers"] = Reply(as_json(daily("2603.00001", title), daily("2603.00002", "No categories yet")))
    web.on["/atom/cs.AI+cs.CL+cs.CV+cs.LG+cs.RO+stat.ML"] = Reply(feed(announced("2603.00001v1", title)))
    web.on["/oai"] = Reply(harvested(("2603.00001", title), ("2603.00003", "Of the past")))
    web.on["/api/query"] = Reply(found(("2603.00002v1", "No categories yet")))
    for name in ("hugging-face", "arxiv-feed", "arxiv-oai", "arxiv-categories"):
        assert fetched(name).errors == []
    assert Paper.objects.count() == 54 + 2  # Pointer Networks is of the seeds
    one = Paper.objects.get(arxiv_id="2603.00001")
    assert set(one.listings.values_list("source", flat=True)) == {"seed-page", "hugging-face", "arxiv"}
    assert Paper.objects.get(arxiv_id="2603.00002").categories == ["cs.LG", "stat.ML"]
    assert PaperTopic.objects.filter(paper=one).exists()


def test_a_paper_of_the_seed_page_learns_its_id_from_arxiv(web: Replay) -> None:
    Paper.objects.upsert([PaperRecord.from_source(title="Pointer Networks", abstract="We lost formulae.")])
    web.on["/atom/cs.AI+cs.CL+cs.CV+cs.LG+cs.RO+stat.ML"] = Reply(feed(announced("2603.00001v1", "Pointer networks")))
    fetched("arxiv-feed")
    paper = Paper.objects.get()
    assert (paper.arxiv_id, paper.abstract) == ("2603.00001", "We propose a network with α.")


def test_a_new_version_updates_who_is_known_and_adds_nobody(web: Replay) -> None:
    Paper.objects.upsert([PaperRecord.from_source(title="Old title", arxiv_id="2603.00001")])
    entries = [announced("2603.00001v2", "New title", "replace"), announced("2601.00001v9", "Unknown", "replace")]
    web.on["/atom/cs.AI+cs.CL+cs.CV+cs.LG+cs.RO+stat.ML"] = Reply(feed(*entries))
    run = fetched("arxiv-feed")
    assert (run.result.found, Paper.objects.get().title) == (1, "New title")


def test_fetching_twice_changes_nothing(web: Replay) -> None:
    web.on["/api/daily_papers"] = Reply(as_json(daily("2603.00001", "T")), headers={"ETag": '"1"'})
    fetched("hugging-face")
    before = [list(model.objects.values()) for model in (Paper, Listing, Reading)]
    run = fetched("hugging-face")
    assert (run.unchanged, web.headers[-1]["if-none-match"]) == (1, '"1"')
    assert before == [list(model.objects.values()) for model in (Paper, Listing, Reading)]


def test_an_answer_that_cannot_be_read_stops_no_other(web: Replay) -> None:
    def answer(query: dict[str, str]) -> Reply:
        return Reply(b"[[[") if query["date"] == "2026-03-18" else Reply(as_json(daily("2603.00001", query["date"])))

    web.on["/api/daily_papers"] = answer
    run = fetched("hugging-face", days=(date(2026, 3, 17), DAY))
    assert (run.asked, len(run.errors), run.result.found) == (4, 1, 3)
    assert "not JSON" in source("hugging-face").last_error


def test_a_source_that_fails_is_recorded_and_tried_again_later_and_later(web: Replay) -> None:
    web.on["/api/daily_papers"] = Reply(status=404)
    for failures, minutes in ((1, 15), (2, 30), (3, 60), (4, 120), (5, 180), (6, 180)):
        fetched("hugging-face")
        row = source("hugging-face")
        assert (row.failures, row.next_run_at, row.lease_until) == (failures, NOW + timedelta(minutes=minutes), None)
    assert row.last_error == "The source answers 404."


def test_a_source_that_asks_for_peace_gets_it(web: Replay) -> None:
    web.on["/api/daily_papers"] = Reply(status=429, headers={"Retry-After": "36000"})
    fetched("hugging-face")
    assert source("hugging-face").next_run_at == NOW + timedelta(hours=10)


def test_a_fault_of_ours_is_recorded_too(web: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    web.on["/api/daily_papers"] = Reply(as_json(daily("2603.00001", "T")))
    Source.objects.filter(name="hugging-face").update(view="nonsense", cursor=[])
    monkeypatch.delitem(harvest.MODULES, "hugging-face")
    fetched("hugging-face")
    assert "fault of this program" in source("hugging-face").last_error


def test_a_quiet_day_is_no_error(web: Replay) -> None:
    web.on["/atom/cs.AI+cs.CL+cs.CV+cs.LG+cs.RO+stat.ML"] = Reply(feed())
    assert (fetched("arxiv-feed").errors, source("arxiv-feed").found) == ([], 0)


def backfill(query: dict[str, str]) -> Reply:
    page = int(query.get("resumptionToken", "0"))
    return Reply(harvested((f"2603.0000{page}", f"Paper {page}"), token=str(page + 1) if page < 3 else ""))


def test_a_backfill_goes_on_where_it_stopped(web: Replay) -> None:
    Source.objects.filter(name="arxiv-oai").update(categories=["cs"])
    web.on["/oai"] = backfill
    assert (fetched("arxiv-oai", days=(date(2026, 1, 1), None), limit=2).result.new, Paper.objects.count()) == (2, 2)
    web.once = [Reply(status=503)] * 3
    assert fetched("arxiv-oai").errors == ["The source answers 503."]
    assert (fetched("arxiv-oai").result.new, Paper.objects.count()) == (2, 4)
    assert [url.rpartition("=")[2] for url in web.asked] == ["2026-01-01", "1", "2", "2", "2", "2", "3"]


def test_a_finished_harvest_goes_on_from_its_day(web: Replay) -> None:
    Source.objects.filter(name="arxiv-oai").update(categories=["cs"])
    web.on["/oai"] = Reply(harvested(("2603.00001", "T")))
    fetched("arxiv-oai")
    with time_machine.travel(NOW + timedelta(days=9), tick=False):
        fetched("arxiv-oai")
    assert web.asked[-1].endswith("from=2026-03-19")


def test_a_token_that_expired_begins_its_days_anew(web: Replay) -> None:
    Source.objects.filter(name="arxiv-oai").update(categories=["cs"])
    web.on["/oai"] = backfill
    fetched("arxiv-oai", days=(date(2026, 1, 1), None), limit=1)
    web.once = [Reply(harvested(error='<error code="badResumptionToken"/>'))]
    fetched("arxiv-oai")
    fetched("arxiv-oai")
    assert (web.asked[2].endswith("from=2026-01-01"), Paper.objects.count()) == (True, 4)


def test_a_source_that_leads_in_circles_is_left(web: Replay) -> None:
    Source.objects.filter(name="arxiv-oai").update(categories=["cs"])
    web.on["/oai"] = Reply(harvested(("2603.00001", "T"), token="again"))
    run = fetched("arxiv-oai")
    assert (run.asked, "circles" in run.errors[0]) == (2, True)


def test_only_papers_without_categories_are_asked_for(web: Replay) -> None:
    Paper.objects.upsert(
        [
            PaperRecord.from_source(title="A", arxiv_id="2603.00001"),
            PaperRecord.from_source(title="B", arxiv_id="2603.00002", categories=["cs.LG"]),
            PaperRecord.from_source(title="C"),
        ]
    )
    web.on["/api/query"] = Reply(found(("2603.00001", "A")))
    fetched("arxiv-categories")
    assert web.asked == ["/api/query?id_list=2603.00001&max_results=100"]
    fetched("arxiv-categories")
    assert len(web.asked) == 1


def test_two_workers_never_fetch_the_same_source(web: Replay) -> None:
    mine = Source.objects.filter(name="hugging-face")
    assert (mine.claim(NOW, asked=True), mine.claim(NOW, asked=True)) == (True, False)
    with pytest.raises(harvest.BusyError):
        fetched("hugging-face")
    assert mine.claim(NOW + LEASE, asked=True)


def test_who_lost_a_source_disturbs_nobody(web: Replay) -> None:
    def answer(_: dict[str, str]) -> Reply:
        return Reply(as_json(daily("2603.00001", "T")))

    web.on["/api/daily_papers"] = answer
    later = NOW + timedelta(hours=1)
    run = fetched("hugging-face", watch=lambda _: Source.objects.update(lease_until=later))
    assert ("another worker" in run.errors[0], source("hugging-face").lease_until) == (True, later)


def test_only_what_is_on_and_due_is_fetched_by_beat(web: Replay) -> None:
    assert not Source.objects.due(NOW).exists()
    Source.objects.update(is_on=True)
    Source.objects.filter(name="arxiv-oai").update(next_run_at=NOW + timedelta(minutes=1))
    Source.objects.filter(name="arxiv-feed").update(lease_until=NOW + timedelta(minutes=1))
    due = Source.objects.due(NOW)
    assert set(due.values_list("name", flat=True)) == {"hugging-face", "arxiv-categories"}
    web.on["/api/daily_papers"] = Reply(as_json(daily("2603.00001", "T")))
    tasks.fetch_source(source("hugging-face").pk)
    tasks.fetch_source(source("hugging-face").pk)  # told twice
    assert (len(web.asked), Paper.objects.count()) == (1, 1)


def test_popularity_is_read_again_on_its_days(web: Replay) -> None:
    counts = iter(range(10, 1000))

    def answer(query: dict[str, str]) -> Reply:
        rows = [daily("2603.00001", "T", upvotes=next(counts))] if query["date"] == "2026-03-20" else []
        return Reply(as_json(*rows))

    web.on["/api/daily_papers"] = answer
    read_on = []
    for day in range(20):
        with time_machine.travel(NOW + timedelta(days=day), tick=False):
            fetched("hugging-face")
            before = Reading.objects.count()
            fetched("hugging-face")
            assert (Reading.objects.count() == before) or day == 0
        if Reading.objects.filter(taken_at__date=DAY + timedelta(days=day)).exists():
            read_on.append(day)
    assert tuple(read_on) == readings.STAGES


def test_a_reading_that_an_outage_missed_is_made_up_for(web: Replay) -> None:
    web.on["/api/daily_papers"] = Reply(as_json(daily("2603.00001", "T")))
    fetched("hugging-face")
    assert readings.days_due("hugging-face", DAY + timedelta(days=2)) == (DAY,)
    assert readings.days_due("hugging-face", DAY + timedelta(days=21)) == (DAY,)
    assert readings.days_due("hugging-face", DAY + timedelta(days=22)) == ()


def test_the_command_reports_what_it_did(web: Replay) -> None:
    web.on["/api/daily_papers"] = Reply(as_json(daily("2603.00001", "T"), "a string"))
    report = command("hugging-face")
    assert "Found 1 papers in 1 answers: 1 new, 0 updated, 0 known already; 1 readings; 1 skipped." in report
    assert "skipped paper 2: it is no paper" in report
    row = source("hugging-face")
    assert (row.found, row.new, row.skipped, row.last_report) == (1, 1, 1, "paper 2: it is no paper")


def test_a_dry_run_asks_and_changes_nothing(web: Replay) -> None:
    web.on["/api/daily_papers"] = Reply(as_json(daily("2603.00001", "T")), headers={"ETag": '"1"'})
    before = list(Source.objects.values())
    assert "1 new" in command("hugging-face", "--dry-run")
    assert (Paper.objects.count(), list(Source.objects.values())) == (0, before)


def test_the_command_says_what_is_wrong(web: Replay) -> None:
    with pytest.raises(CommandError, match="there are: arxiv-categories, arxiv-feed"):
        command("arxiv")
    with pytest.raises(CommandError, match="only the last announcement"):
        command("arxiv-feed", "--since", "2026-03-01")


def test_without_redis_a_source_fails_in_words(web: Replay, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    assert "Redis does not answer" in fetched("arxiv-feed").errors[0]
    assert source("arxiv-feed").failures == 1


def test_a_feed_of_several_chunks_is_stored(web: Replay) -> None:
    entries = [announced(f"2603.{n:05}", f"Paper {n}") for n in range(400)]
    web.on["/atom/cs.AI+cs.CL+cs.CV+cs.LG+cs.RO+stat.ML"] = Reply(feed(*entries))
    assert fetched("arxiv-feed").result.new == 400


def test_nothing_that_a_person_edited_is_written_over(web: Replay) -> None:
    Paper.objects.upsert([PaperRecord.from_source(title="Wrong", arxiv_id="2603.00001", authors=["Ada"])])
    Paper.objects.update(title="Right", abstract="", edited_fields=["title", "abstract"])
    web.on["/api/daily_papers"] = Reply(as_json(daily("2603.00001", "Wrong again")))
    fetched("hugging-face")
    paper = Paper.objects.get()
    assert (paper.title, paper.abstract, paper.authors) == ("Right", "", ["Ada Lovelace", "Alan Turing"])
