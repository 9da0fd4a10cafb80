"""Days of the past, fetched a few answers at a time: watched, stopped, and gone on with."""

from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from papers import back_fill, harvest, tasks
from papers.models import BackFill, Listing, Paper
from papers.sources.models import Source
from tests.conftest import NOW
from tests.papers.replay import Replay, Reply, as_json, daily, harvested

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]


@pytest.fixture
def days(web: Replay) -> Replay:
    """A paper a day."""

    def answer(query: dict[str, str]) -> Reply:
        day = query["date"]
        return Reply(as_json(daily(f"2603.000{day[-2:]}", f"Paper of {day}", day)))

    web.on["/api/daily_papers"] = answer
    return web


def job(name: str = "hugging-face", since: date = date(2026, 3, 1), until: date = date(2026, 3, 10)) -> BackFill:
    return BackFill.objects.create(source=Source.objects.get(name=name), since=since, until=until, not_before=NOW)


def again(known: BackFill) -> BackFill:
    return BackFill.objects.select_related("source").get(pk=known.pk)


def test_it_goes_on_where_the_last_worker_ended(days: Replay) -> None:
    asked = job()
    assert back_fill.go_on(again(asked), limit=4)
    half = again(asked)
    assert (half.asked, half.remaining, half.percent, half.new) == (4, 6, 40, 4)
    assert not back_fill.go_on(half, limit=100)
    done = again(asked)
    assert (done.status, done.asked, done.new, done.percent) == ("done", 10, 10, 100)
    assert len(days.asked) == 10
    assert Listing.objects.earliest("day").day == date(2026, 3, 1)


def test_the_sources_own_rhythm_and_place_stay_as_they_are(days: Replay) -> None:
    untouched = Source.objects.filter(name="hugging-face").values()
    before = untouched.get()
    back_fill.go_on(again(job()))
    assert untouched.get() == before


def test_pages_that_lead_to_others_are_followed_across_workers(web: Replay) -> None:
    pages = {"": harvested(("2603.00001", "One"), token="next"), "next": harvested(("2603.00002", "Two"))}
    web.on["/oai"] = lambda query: Reply(pages[query.get("resumptionToken", "")])
    asked = job("arxiv-oai")
    assert back_fill.go_on(again(asked), limit=1)
    assert again(asked).percent is None
    back_fill.go_on(again(asked), limit=10)
    assert Paper.objects.filter(title__in=["One", "Two"]).count() == 2


def test_stopped_in_the_middle_it_asks_no_further_and_can_go_on(days: Replay) -> None:
    asked = job()
    back_fill.go_on(again(asked), watch=lambda at: at.asked == 3 and BackFill.objects.all().stop())
    assert (again(asked).status, len(days.asked)) == ("stopped", 4)
    assert BackFill.objects.all().resume(NOW) == 1
    back_fill.go_on(again(asked))
    assert (again(asked).status, Paper.objects.count()) == ("done", 10)


def test_a_source_that_is_away_is_waited_for_longer_each_time_and_then_given_up(
    web: Replay, fixed_clock: time_machine.Traveller
) -> None:
    web.on["/api/daily_papers"] = Reply(status=503)
    asked = job()
    waits = []
    while again(asked).status == "on":
        back_fill.go_on(again(asked))
        waits.append(again(asked).not_before - NOW)
    assert waits[:3] == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert (len(waits), again(asked).status) == (back_fill.GIVES_UP_AFTER, "failed")
    assert "503" in again(asked).fault


def test_an_answer_that_cannot_be_read_costs_that_answer(days: Replay) -> None:
    days.once = [Reply(b"[[[")]
    asked = job()
    back_fill.go_on(again(asked))
    assert (again(asked).status, again(asked).found) == ("done", 9)
    assert "not JSON" in again(asked).fault


def test_it_waits_while_the_source_is_being_fetched(days: Replay) -> None:
    asked = job()
    Source.objects.filter(name="hugging-face").claim(NOW, asked=True)
    with pytest.raises(harvest.BusyError):
        back_fill.go_on(again(asked))
    tasks.go_on_with_back_fill(asked.pk)
    assert (again(asked).status, days.asked) == ("on", [])


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Whom the tasks wake."""
    woken: list[int] = []
    monkeypatch.setattr(tasks.go_on_with_back_fill, "delay", woken.append)
    return woken


def test_a_task_makes_some_requests_and_wakes_the_next(days: Replay, calls: list[int]) -> None:
    asked = job(since=date(2026, 2, 1), until=date(2026, 3, 1))
    tasks.go_on_with_back_fill(asked.pk)
    assert (again(asked).asked, calls) == (harvest.ASKS_A_TASK, [asked.pk])
    tasks.go_on_with_back_fill(asked.pk)
    assert (again(asked).status, calls) == ("done", [asked.pk])


def test_the_tick_finds_what_was_not_woken(web: Replay, calls: list[int]) -> None:
    asked = job()
    tasks.fetch_due()
    assert calls == [asked.pk]


class TestTheAdmin:
    ADD = reverse("admin:papers_backfill_add")

    def form(self, **values: Any) -> dict[str, Any]:
        source = Source.objects.get(name=values.pop("source", "hugging-face"))
        return {"source": source.pk, "since": "2026-03-01", "until": "2026-03-10"} | values

    def test_it_is_asked_for_watched_stopped_and_resumed(
        self, days: Replay, admin_client: Client, django_capture_on_commit_callbacks: Any, calls: list[int]
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            there = admin_client.post(self.ADD, self.form(), secure=True)["Location"]
        asked = BackFill.objects.get()
        assert (there, calls) == (reverse("admin:papers_backfill_change", args=[asked.pk]), [asked.pk])
        back_fill.go_on(again(asked), limit=4)
        page = admin_client.get(there, secure=True)
        assert "40 %: 4 answers, 6 to go" in page.content.decode()
        assert page["Refresh"] == "5"
        for action, status in (("stop", "stopped"), ("resume", "on")):
            chosen = {"action": action, "_selected_action": [asked.pk]}
            answer = admin_client.post(reverse("admin:papers_backfill_changelist"), chosen, secure=True)
            assert (answer["Location"], again(asked).status) == (there, status)

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"since": "2026-03-11"}, "after the last"),
            ({"since": "1991-07-31"}, "No source goes back"),
            ({"source": "arxiv-feed"}, "only the last announcement"),
        ],
    )
    def test_what_cannot_be_is_said(self, admin_client: Client, values: dict[str, str], words: str) -> None:
        assert words in admin_client.post(self.ADD, self.form(**values), secure=True).content.decode()
        assert not BackFill.objects.exists()

    def test_one_at_a_time_for_a_source(self, admin_client: Client) -> None:
        first = job()
        assert "stop it first" in admin_client.post(self.ADD, self.form(), secure=True).content.decode()
        BackFill.objects.all().stop()
        job()
        chosen = {"action": "resume", "_selected_action": [first.pk]}
        admin_client.post(reverse("admin:papers_backfill_changelist"), chosen, secure=True)
        assert again(first).status == "stopped"


class TestTheCommand:
    def run(self, *words: str) -> str:
        out = StringIO()
        call_command("back_fill", *words, stdout=out, stderr=StringIO())
        return out.getvalue()

    def test_it_fetches_and_says_what_came(self, days: Replay) -> None:
        said = self.run("hugging-face", "--since", "2026-03-01", "--until", "2026-03-03")
        assert said == "Done: 3 papers in 3 answers, 3 new, 0 updated, 0 skipped.\n"
        assert BackFill.objects.get().status == "done"

    def test_a_dry_run_asks_nothing(self, days: Replay) -> None:
        said = self.run("hugging-face", "--since", "2026-03-01", "--until", "2026-03-03", "--dry-run")
        assert "begin with 3 requests" in said
        assert (days.asked, BackFill.objects.count()) == ([], 0)

    @pytest.mark.parametrize("words", [("nothing", "--since", "2026-03-01"), ("arxiv-feed", "--since", "2026-03-01")])
    def test_what_cannot_be_is_refused(self, words: tuple[str, ...]) -> None:
        with pytest.raises(CommandError):
            self.run(*words)
