"""The list of those who must never be mailed: it only grows, and an operator can read it by address."""

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client

from subscribers import append_only, suppressing
from subscribers.gate import why_not_mail
from subscribers.leaving import erase
from subscribers.models import AppendOnlyError, Subscriber, Suppression
from tests.conftest import NOW

EVE = "eve@example.org"
TABLE = append_only.TABLE


@pytest.fixture
def eve(db: None) -> Suppression:
    Suppression.objects.add(EVE, Suppression.Reason.COMPLAINED)
    return Suppression.objects.get()


def test_the_first_reason_stands(eve: Suppression) -> None:
    assert not Suppression.objects.add(EVE, Suppression.Reason.BOUNCED)
    assert Suppression.objects.of(EVE) == {EVE: "marked as spam"}
    assert Suppression.objects.count() == 1


def test_a_name_that_a_narrow_page_cuts_off_ends_in_one_ellipsis(eve: Suppression) -> None:
    assert str(eve) == f"marked as spam, {eve.address_hash[:12]}…"


def test_no_row_is_changed_or_deleted_by_a_model(eve: Suppression) -> None:
    eve.reason = Suppression.Reason.OPERATOR
    attempts = [eve.save, eve.delete, Suppression.objects.all().delete, lambda: Suppression.objects.update(words="x")]
    attempts.append(lambda: Suppression.objects.bulk_update([eve], ["reason"]))
    attempts.append(lambda: Suppression(pk=eve.pk, address_hash="0", reason="operator").save())
    for attempt in attempts:
        with pytest.raises((AppendOnlyError, DatabaseError)), transaction.atomic():
            attempt()
    assert Suppression.objects.of(EVE) == {EVE: "marked as spam"}


@pytest.mark.parametrize("words", [f"UPDATE {TABLE} SET reason = 'operator'", f"DELETE FROM {TABLE}"])
def test_no_row_is_changed_or_deleted_by_anybody(eve: Suppression, words: str) -> None:
    with pytest.raises(DatabaseError, match="suppressions are only ever added"), transaction.atomic():
        connection.cursor().execute(words)
    assert Suppression.objects.of(EVE)


@pytest.mark.parametrize("written", ["Eve@Müller.example", " eve@xn--mller-kva.example ", "EVE@MÜLLER.EXAMPLE."])
def test_an_address_is_suppressed_however_it_is_written(db: None, written: str) -> None:
    assert suppressing.suppress(written, "asked by telephone", by="olga")
    assert not suppressing.suppress("eve@müller.example", "again", by="olga")
    found = suppressing.standing("Eve@XN--Mller-kva.Example.")
    assert (found.reason, found.rows[0].words, found.rows[0].by) == (
        "an operator's decision",
        "asked by telephone",
        "olga",
    )


def test_the_api_goes_through_the_same_gate(client: Client, db: None) -> None:
    suppressing.suppress("eve@müller.example", "asked by telephone", by="olga")
    asked = {"email": "EVE@xn--mller-kva.example."}
    assert client.post("/api/v1/subscriptions", asked, content_type="application/json").status_code == 202
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize(("address", "words"), [("eve", "why"), (EVE, " \n"), (EVE, "x" * 301), (EVE, "a\0b")])
def test_an_operator_names_an_address_and_a_reason(db: None, address: str, words: str) -> None:
    for decide in (suppressing.suppress, lambda *given, by: suppressing.lift(*given, by=by, at=NOW)):
        with pytest.raises(ValidationError):
            decide(address, words, by="olga")
    assert not Suppression.objects.exists()


def test_a_lift_is_another_row(eve: Suppression) -> None:
    assert suppressing.lift("EVE@example.org", "she asked us to", by="olga", at=NOW)
    assert not suppressing.lift(EVE, "once more", by="olga", at=NOW)
    assert Suppression.objects.of(EVE) == {}
    assert [row.reason for row in Suppression.objects.about(EVE)] == ["lifted", "complained"]


def test_who_is_suppressed_again_after_a_lift_stays_so(eve: Suppression) -> None:
    suppressing.lift(EVE, "she asked us to", by="olga", at=NOW)
    assert Suppression.objects.add(EVE, Suppression.Reason.BOUNCED)
    assert Suppression.objects.of(EVE) == {EVE: "the address does not exist"}


def test_a_lift_does_not_reach_what_it_has_not_seen(eve: Suppression) -> None:
    """A complaint and a bounce that came at once are two rows; a lift of one leaves the other in force."""
    Suppression.objects.create(address_hash=eve.address_hash, reason="bounced")
    Suppression.objects.create(address_hash=eve.address_hash, reason="lifted", lifts=eve)
    assert Suppression.objects.of(EVE) == {EVE: "the address does not exist"}
    assert Suppression.objects.lift(EVE, "both", "olga") == 1
    assert Suppression.objects.of(EVE) == {}


@pytest.mark.parametrize("status", ["bounced", "complained", "unsubscribed", "paused", "pending"])
def test_a_lift_makes_nobody_mailable(everybody: dict[str, Subscriber], status: str) -> None:
    email = everybody[status].email or ""
    Suppression.objects.add(email, Suppression.Reason.BOUNCED)
    suppressing.lift(email, "the mailbox exists", by="olga", at=NOW)
    now = Subscriber.objects.get(email=email)
    assert now.status == ("unsubscribed" if status in {"bounced", "complained"} else status)
    assert why_not_mail(now)


def test_a_reader_who_is_suppressed_by_hand_gets_nothing_until_it_is_lifted(alice: Subscriber) -> None:
    suppressing.suppress("alice@example.org", "letter from a lawyer", by="olga")
    assert why_not_mail(alice) == "suppressed: an operator's decision"
    suppressing.lift("alice@example.org", "a mistake", by="olga", at=NOW)
    assert why_not_mail(alice) is None


def test_who_was_erased_and_asks_again_may_sign_up_after_a_lift(alice: Subscriber) -> None:
    erase(alice, NOW)
    assert suppressing.lift("alice@example.org", "wrote to us", by="olga", at=NOW)
    assert suppressing.standing("alice@example.org").subscriber is None
    assert Suppression.objects.of("alice@example.org") == {}


@pytest.mark.django_db(transaction=True)
def test_migrating_makes_the_guard_anew(eve: Suppression) -> None:
    with connection.schema_editor() as editor:
        append_only.remove(editor)
    append_only.repair(using="default")
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        connection.cursor().execute(f"DELETE FROM {TABLE}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", [1, 2])
def test_a_test_that_commits_is_forgotten(time: int) -> None:
    assert not Suppression.objects.exists()
    Suppression.objects.add(EVE, Suppression.Reason.BOUNCED)
