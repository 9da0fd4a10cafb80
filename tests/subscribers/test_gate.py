import pytest
from pytest_django import DjangoAssertNumQueries

from subscribers.gate import refusals, why_not, why_not_mail
from subscribers.leaving import erase
from subscribers.models import Letter, Move, Subscriber, Suppression
from tests.conftest import NOW

MAY = {
    "confirmation": {"pending"},
    "welcome": {"active", "paused"},
    "preferences": {"active", "paused"},
    "goodbye": {"unsubscribed"},
    "move_from": {"active", "paused"},
    "move_to": {"active", "paused"},
}


def test_only_the_active_get_digests(everybody: dict[str, Subscriber]) -> None:
    said = refusals(everybody.values())
    assert {row.status for row in everybody.values() if row.pk not in said} == {"active"}
    assert said[everybody["bounced"].pk] == "the reader is bounced"


def test_the_suppressed_get_nothing(alice: Subscriber) -> None:
    assert why_not_mail(alice) is None
    Suppression.objects.add("alice@example.org", Suppression.Reason.OPERATOR)
    assert why_not_mail(alice) == "suppressed: an operator's decision"


def test_the_gate_reads_what_is_true_now(alice: Subscriber) -> None:
    Subscriber.objects.filter(pk=alice.pk).update(status="paused", next_digest_at=None)
    assert alice.status == "active"
    assert why_not_mail(alice) == "the reader is paused"


def test_the_erased_and_the_deleted_are_refused(alice: Subscriber, bob: Subscriber) -> None:
    erase(alice, NOW)
    Subscriber.objects.filter(pk=bob.pk).delete()
    assert refusals([alice, bob]) == dict.fromkeys([alice.pk, bob.pk], "the reader was erased")


def test_a_chunk_costs_three_queries(
    everybody: dict[str, Subscriber], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):
        refusals(everybody.values())


@pytest.mark.parametrize("kind", MAY)
def test_each_letter_has_its_readers(everybody: dict[str, Subscriber], kind: str) -> None:
    for row in everybody.values():
        Move.objects.create(subscriber=row, email=f"new-{row.email}")
    letters = [Letter(subscriber=row, kind=kind) for row in everybody.values()]
    assert {letter.subscriber.status for letter in letters if why_not(letter) is None} == MAY[kind]


def test_no_letter_passes_a_suppression(bob: Subscriber) -> None:
    Suppression.objects.add("bob@example.org", Suppression.Reason.COMPLAINED)
    assert why_not(Letter(subscriber=bob, kind="confirmation")) == "suppressed: marked as spam"
