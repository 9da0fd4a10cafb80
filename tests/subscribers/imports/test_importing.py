"""From a file to readers, and to nobody who is known or suppressed."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, transaction
from django.db.models import Model

from papers.models import Topic
from subscribers import leaving, retention, signup, tasks
from subscribers.imports import admission, importing, report
from subscribers.imports.table import Row
from subscribers.models import Consent, Import, ImportPart, ImportReport, Letter, Subscriber, Suppression
from subscribers.wishes import Wishes
from tests.conftest import NOW
from tests.subscribers.imports.conftest import HEAD, PROOF, bring, finish, reasons, rows, stored

MANY = [f"reader{number}@example.org" for number in range(10)]


def everything() -> dict[type[Model], int]:
    return {model: model._default_manager.count() for model in (Subscriber, Consent, Letter, Suppression)}


def test_a_reader_comes_in_with_the_proof_and_is_mailed_at_their_own_hour(graphs: Topic) -> None:
    job = bring(f"{HEAD},topics,local_hour,zone\ncarol@example.org,{PROOF},graphs,7,Europe/Berlin")
    carol = Subscriber.objects.mailable().get()
    assert carol.next_digest_at == datetime(2026, 3, 21, 6, tzinfo=UTC)
    assert carol.confirmed_at == datetime(2025, 3, 20, tzinfo=UTC)
    assert list(carol.topics.all()) == [graphs]
    proof = carol.consents.get()
    assert (proof.action, proof.words) == ("imported", "https://old.example/subscribe")
    assert (proof.at, proof.page) == (carol.confirmed_at, f"import {job.pk}")
    assert not Letter.objects.exists()


def test_who_left_elsewhere_comes_in_as_unsubscribed(db: None) -> None:
    job = bring(f"{HEAD},status\ncarol@example.org,,,unsubscribed")
    carol = Subscriber.objects.get()
    assert (carol.status, carol.next_digest_at, carol.consents.get().action) == ("unsubscribed", None, "withdrawn")
    assert job.counts == {"imported as unsubscribed": 1}


def test_nobody_who_is_known_is_changed(everybody: dict[str, Subscriber]) -> None:
    before = list(Subscriber.objects.order_by("pk").values())
    emails = [reader.email or "" for reader in everybody.values()]
    job = bring(rows(*emails) + f"\nnew@example.org,{PROOF}")
    assert list(Subscriber.objects.exclude(email="new@example.org").order_by("pk").values()) == before
    assert job.counts == {"known here already": len(emails), "imported": 1}
    assert reasons(job)["3"] == "is known here and stays as it is: waiting for confirmation"


@pytest.mark.parametrize("reason", ["bounced", "complained", "erased", "operator"])
def test_nobody_who_is_suppressed_comes_in(db: None, reason: str) -> None:
    Suppression.objects.add("carol@müller.example", reason)
    job = bring(rows("Carol@xn--mller-kva.example.") + f"\ndave@müller.example,{PROOF}")
    assert [reader.email for reader in Subscriber.objects.all()] == ["dave@müller.example"]
    assert job.counts == {"suppressed": 1, "imported": 1}
    assert reasons(job)["2"].startswith("must not be mailed: ")


def test_the_erased_do_not_come_back(alice: Subscriber) -> None:
    leaving.erase(alice, NOW)
    assert bring(rows("alice@example.org")).counts == {"suppressed": 1}


def test_who_left_and_was_asked_again_in_vain_does_not_come_back(bob: Subscriber) -> None:
    """Their row would be forgotten as unconfirmed, and with it that they left."""
    leaving.leave(bob, NOW, page="leave")
    signup.ask("bob@example.org", Wishes(), NOW + timedelta(days=2))
    signup.forget_unconfirmed(NOW + timedelta(days=100))
    assert bring(rows("bob@example.org")).counts == {"known here already": 1}


def test_an_address_counts_once_however_it_is_written(db: None) -> None:
    again = ["READER0@example.org", "x@x.org", "y@x.org", "reader0@EXAMPLE.org."]
    job = finish(stored(rows(*MANY, *again)))
    assert job.checked == {"imported": 12, "twice in the file": 2}
    importing.confirm(job, "olga", NOW)
    finish(job)
    assert job.counts == job.checked
    assert Subscriber.objects.count() == 12


def test_a_check_changes_nothing_and_says_what_would_come(everybody: dict[str, Subscriber]) -> None:
    before = everything()
    job = finish(stored(rows(*MANY, "bob@example.org", "none")))
    assert everything() == before
    assert (job.status, job.checked) == ("checked", {"imported": 10, "known here already": 1, "no address": 1})
    assert list(reasons(job)) == ["12", "13"]
    assert job.counts == {}


def test_only_what_was_checked_and_confirmed_runs(db: None) -> None:
    job = stored(rows(*MANY))
    assert not importing.confirm(job, "olga", NOW)
    finish(job)
    finish(job)
    assert not Subscriber.objects.exists()
    assert importing.confirm(job, "olga", NOW)
    assert not importing.confirm(job, "otto", NOW)
    assert (job.decided_by, job.decided_at) == ("olga", NOW)


def test_a_file_that_cannot_be_read_is_refused_as_a_whole(db: None) -> None:
    job = bring(rows(*MANY) + f'\n"carol@example.org,{PROOF}')
    assert (job.status, job.fault[:18]) == ("refused", "The row on line 12")
    assert not Subscriber.objects.exists()
    assert not ImportPart.objects.exists()


def test_a_run_goes_on_where_it_stopped(db: None) -> None:
    job = finish(stored(rows(*MANY, "none")))
    importing.confirm(job, "olga", NOW)
    for _ in range(2):
        next(importing.work(job, lambda: NOW))
        job = Import.objects.get()
    assert (Subscriber.objects.count(), job.line) == (6, 7)
    finish(job)
    assert (job.status, job.counts) == ("done", {"imported": 10, "no address": 1})
    assert Consent.objects.count() == 10


def test_a_chunk_that_was_broken_off_is_done_again(db: None) -> None:
    job = finish(stored(rows(*MANY)))
    importing.confirm(job, "olga", NOW)
    with transaction.atomic():
        next(importing.work(job, lambda: NOW))
        transaction.set_rollback(True)
    finish(Import.objects.get())
    assert Import.objects.get().counts == {"imported": 10}


def test_two_at_once_double_nobody(db: None) -> None:
    job = finish(stored(rows(*MANY)))
    importing.confirm(job, "olga", NOW)
    one, other = (importing.work(Import.objects.get(), lambda: NOW) for _ in range(2))
    next(one)
    assert list(other) == [], "the rows that it read have been taken"
    list(one)
    assert Import.objects.get().counts == {"imported": 10}
    assert (Subscriber.objects.count(), Consent.objects.count()) == (10, 10)


def test_who_signs_up_at_this_very_moment_stays_as_they_are(db: None) -> None:
    asked = admission.Asked([])
    row = Row(2, {"email": "carol@example.org", "consent_at": "2025-03-20", "consent_source": "form"})
    welcome, _ = admission.judge([row], asked, NOW, lambda _: set())
    Subscriber.objects.create(email="carol@example.org")
    taken, late = admission.let_in(welcome, "import 1", NOW)
    assert (taken, [one.outcome for one in late]) == ([], ["known here already"])
    assert (Subscriber.objects.get().status, Consent.objects.count()) == ("pending", 0)


def test_cancelling_stops_within_a_chunk(db: None) -> None:
    job = finish(stored(rows(*MANY)))
    importing.confirm(job, "olga", NOW)
    working = importing.work(job, lambda: NOW)
    next(working)
    assert importing.cancel(Import.objects.get(), "otto", NOW)
    list(working)
    assert (Import.objects.get().status, Subscriber.objects.count()) == ("cancelled", 3)
    assert not importing.cancel(Import.objects.get(), "otto", NOW)
    assert not ImportPart.objects.exists()


def test_a_file_larger_than_is_meant_is_not_kept(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_BYTES", 10)
    with pytest.raises(importing.FileFault, match="cut it in pieces"):
        stored(rows(*MANY))
    assert not Import.objects.exists()


@pytest.mark.parametrize("cell", ["=1+1@x", "+1@x", "-1@x", "@x", "\t=1", " =1", "＝1@x"])
def test_no_cell_of_the_report_is_a_formula(db: None, cell: str) -> None:
    job = finish(stored(f'{HEAD}\n"{cell}",{PROOF}'))
    shown = report.sample_of(job)[0][1]
    assert shown.startswith("'")
    assert all(report.safe(text) == text for row in report.sample_of(job) for text in row)


def test_no_address_is_logged(db: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level(logging.DEBUG)
    job = bring(rows(*MANY, "none", "a@x.org, b@x.org"))
    monkeypatch.setattr(importing, "run", lambda *_: (_ for _ in ()).throw(OperationalError("reader1@example.org")))
    Import.objects.update(status="running")
    tasks.continue_import(job.pk)
    assert "OperationalError" in caplog.text
    assert "@" not in caplog.text


def test_what_names_people_goes_and_the_record_stays(db: None) -> None:
    bring(rows(*MANY, "none"))
    waiting = finish(stored(rows("none")))
    assert ImportPart.objects.count() == 1, "the file of an import that is done is gone already"
    retention.forget(NOW + timedelta(days=30))
    assert ImportReport.objects.count() == 2
    retention.forget(NOW + timedelta(days=30, seconds=1))
    assert not ImportReport.objects.exists()
    assert not ImportPart.objects.exists()
    waiting.refresh_from_db()
    assert (waiting.status, waiting.fault) == ("cancelled", "nobody confirmed it in time")
    assert Import.objects.filter(status="done").get().counts == {"imported": 10, "no address": 1}


def test_the_sweep_finds_what_was_left_behind(db: None) -> None:
    job = finish(stored(rows(*MANY)))
    assert not Import.objects.stalled(NOW + timedelta(days=1)).exists()
    importing.confirm(job, "olga", NOW)
    assert not Import.objects.stalled(NOW + timedelta(seconds=60)).exists()
    assert list(Import.objects.stalled(NOW + timedelta(seconds=61))) == [job]


def test_a_task_does_what_is_next(db: None) -> None:
    job = stored(rows(*MANY))
    tasks.continue_import(job.pk)
    job.refresh_from_db()
    assert importing.confirm(job, "olga", NOW)
    tasks.continue_import(job.pk)
    tasks.continue_import(job.pk)
    job.refresh_from_db()
    assert (job.status, job.counts, Subscriber.objects.count()) == ("done", {"imported": 10}, 10)
