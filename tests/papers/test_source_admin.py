"""Sources in the admin, and papers that a person has edited."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client

from papers import tasks
from papers.models import Paper
from papers.records import PaperRecord
from papers.sources.models import Source
from tests.conftest import NOW
from tests.meanwhile import meanwhile

pytestmark = pytest.mark.django_db
RECORD = PaperRecord.from_source(title="Pointer Networks", arxiv_id="2603.00001", abstract="We propose.")


def test_each_source_shows_how_it_went(admin_client: Client) -> None:
    Source.objects.filter(name="arxiv-feed").update(last_error="It is down.\nReally.", found=1234, last_run_at=NOW)
    page = admin_client.get("/admin/papers/source/", secure=True).content.decode()
    assert ("It is down." in page, "Really" in page, "1234" in page) == (True, False, True)


def test_fetch_now_makes_a_source_due_and_wakes_a_worker(
    admin_client: Client, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wakened: list[Any] = []
    monkeypatch.setattr(tasks.fetch_source, "delay", lambda *given, **named: wakened.append((given, named)))
    source = Source.objects.get(name="arxiv-feed")
    Source.objects.update(is_on=True, next_run_at=NOW)
    form = {"action": "fetch_now", "_selected_action": [source.pk]}
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post("/admin/papers/source/", form, secure=True)
    assert wakened == [((source.pk,), {"asked": True})]
    assert Source.objects.get(name="arxiv-feed").next_run_at is None


@pytest.mark.django_db(transaction=True)
def test_without_redis_the_next_tick_fetches(admin_client: Client) -> None:
    source = Source.objects.create(name="mirror", kind=Source.Kind.ARXIV_FEED, is_on=True, next_run_at=NOW)
    form = {"action": "fetch_now", "_selected_action": [source.pk]}
    assert admin_client.post("/admin/papers/source/", form, secure=True).status_code == 302
    source.refresh_from_db()
    assert source.next_run_at is None


@pytest.mark.django_db(transaction=True)
def test_a_list_that_is_saved_during_a_run_leaves_what_the_run_has_written(admin_client: Client) -> None:
    source = Source.objects.create(name="mirror", kind=Source.Kind.ARXIV_FEED, categories=["cs.LG"])
    form = {
        "form-TOTAL_FORMS": 1,
        "form-INITIAL_FORMS": 1,
        "form-0-id": source.pk,
        "form-0-is_on": "on",
        "_save": "Save",
    }
    with meanwhile(f"UPDATE papers_source SET found = 500 WHERE id = {source.pk}"):
        assert admin_client.post("/admin/papers/source/", form, secure=True).status_code == 302
    source.refresh_from_db()
    assert (source.is_on, source.found) == (True, 500)


@pytest.mark.parametrize("categories", [[], ["cs LG"], "cs.LG", [1], None])
def test_a_feed_needs_categories_that_arxiv_has(categories: object) -> None:
    with pytest.raises(ValidationError):
        Source(name="x", kind=Source.Kind.ARXIV_FEED, categories=categories).full_clean()


def test_what_a_person_edits_is_theirs(admin_client: Client) -> None:
    Paper.objects.upsert([RECORD])
    paper = Paper.objects.get()
    form = {
        "title": "Pointer Nets",
        "abstract": paper.abstract,
        "authors": "",
        "categories": "",
        "arxiv_id": paper.arxiv_id,
        "url": paper.url,
        "pdf_url": paper.pdf_url,
        **{f"{name}-{part}_FORMS": 0 for name in ("paper_topics", "listings") for part in ("TOTAL", "INITIAL")},
    }
    assert admin_client.post(f"/admin/papers/paper/{paper.pk}/change/", form, secure=True).status_code == 302
    Paper.objects.upsert([RECORD])
    paper.refresh_from_db()
    assert (paper.title, paper.edited_fields) == ("Pointer Nets", ["title"])


def test_a_paper_can_follow_its_sources_again(admin_client: Client) -> None:
    Paper.objects.upsert([RECORD])
    Paper.objects.update(title="Mine", edited_fields=["title"])
    chosen = {"action": "let_sources_update", "_selected_action": [Paper.objects.get().pk]}
    admin_client.post("/admin/papers/paper/", chosen, secure=True)
    Paper.objects.upsert([RECORD])
    assert Paper.objects.get().title == "Pointer Networks"


def test_an_operators_table_is_imported_with_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "papers.csv").write_text("title,arxiv_id,day\nPointer Networks,2603.00001,2026-03-20\n…,,\n")
    call_command("import_papers", tmp_path / "papers.csv", dry_run=True)
    assert not Paper.objects.exists()
    call_command("import_papers", tmp_path / "papers.csv")
    report = capsys.readouterr().out
    assert "Found 1 papers of 20 March 2026: 1 new, 0 updated, 0 known already; 1 skipped." in report
    assert "skipped line 3: The title has no letter in it." in report
