"""Idempotency keys: what is in doubt is asked about under the key it went by, and nobody is mailed twice."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import chain, repeat

import pytest
import time_machine
from pytest_django import Settings

from newsletter.delivery import decisions, ledger, repeats
from newsletter.delivery.decisions import Verdict
from newsletter.delivery.letters import send_owed_letters
from newsletter.delivery.sending import deliver_batch
from newsletter.delivery.wire import keys
from newsletter.models import Brake, Digest, Edition
from papers.models import Paper, Topic
from subscribers.letters import owe
from subscribers.models import Letter, Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned_readers, statuses
from tests.provider_stubs import Answer, BrevoCalls, Call, HttpProvider, ResendBatches, ResendCalls, serving

READERS = 6
Stub = BrevoCalls | ResendCalls
LOST = Answer(200, "garbage")


@pytest.fixture
def readers(papers: list[Paper], graphs: Topic) -> list[Subscriber]:
    return planned_readers(READERS, graphs)


def serve(settings: Settings, name: str, stub: Stub | ResendBatches) -> Iterator[HttpProvider]:
    settings.EMAIL_BACKEND = f"anymail.backends.{name}.EmailBackend"
    settings.SUBMIT_BATCH, settings.SEND_PER_SECOND = 1, 0
    with serving(HttpProvider(stub)) as http:
        settings.ANYMAIL = {f"{name.upper()}_API_KEY": "token", f"{name.upper()}_API_URL": http.url}
        yield http


@pytest.fixture
def brevo() -> BrevoCalls:
    return BrevoCalls()


@pytest.fixture(params=["brevo", "resend"])
def stub(request: pytest.FixtureRequest, brevo: BrevoCalls) -> Stub:
    return brevo if request.param == "brevo" else ResendCalls()


@pytest.fixture
def calls(settings: Settings, stub: Stub) -> Iterator[HttpProvider]:
    yield from serve(settings, "brevo" if isinstance(stub, BrevoCalls) else "resend", stub)


@pytest.fixture
def in_doubt(readers: list[Subscriber], calls: HttpProvider, stub: Stub) -> list[Subscriber]:
    """The first mail was taken, and neither the answer nor that to the repeat came."""
    stub.after = first(LOST, LOST)
    deliver_batch()
    assert statuses() == {"in_doubt": 1, "planned": READERS - 1}
    return readers


def first(*given: Answer) -> Callable[[Call], Answer | None]:
    """To the first calls; the others are answered as usual."""
    answers = chain(given, repeat(None))
    return lambda call: next(answers)


def got(stub: Stub) -> list[str]:
    return sorted(stub.recipient(message) for message in stub.accepted)


@pytest.mark.parametrize("answer", [Answer(is_late=True), LOST, Answer(200, "[]")])
def test_a_call_whose_answer_is_lost_is_made_again_and_sent_once(
    readers: list[Subscriber], calls: HttpProvider, stub: Stub, settings: Settings, answer: Answer
) -> None:
    settings.ANYMAIL |= {"REQUESTS_TIMEOUT": (5, 1 if answer.is_late else 5)}
    stub.after = first(answer)
    assert deliver_batch() == READERS
    assert statuses() == {"accepted": READERS}
    assert got(stub) == sorted(str(reader.email) for reader in readers)
    assert (calls.calls[0].body, stub.key(calls.calls[0])) == (calls.calls[1].body, stub.key(calls.calls[1]))
    assert len({stub.key(call) for call in calls.calls}) == len(calls.calls) - 1 == READERS


def test_a_call_over_which_the_machine_slept_is_not_made_again(
    readers: list[Subscriber], calls: HttpProvider, stub: Stub, clock: time_machine.Traveller
) -> None:
    def slept(_: Call) -> Answer:
        clock.shift(timedelta(days=2))
        return LOST

    stub.after = slept
    deliver_batch()
    assert statuses()["in_doubt"] == len(calls.calls) == 1


def test_a_call_that_never_arrived_goes_by_its_repeat(
    readers: list[Subscriber], calls: HttpProvider, stub: Stub
) -> None:
    stub.instead = first(Answer(500))
    assert deliver_batch() == READERS
    assert statuses() == {"accepted": READERS}
    assert len(stub.accepted) == READERS


def test_a_provider_that_failed_and_knows_the_key_leaves_doubt(
    readers: list[Subscriber], settings: Settings, brevo: BrevoCalls
) -> None:
    brevo.after = first(Answer(500))
    for _ in serve(settings, "brevo", brevo):
        deliver_batch()
        assert statuses() == {"in_doubt": 1, "planned": READERS - 1}
        assert [repeats.repeat(NOW), repeats.repeat(NOW)] == [0, 0]
    assert statuses() == {"in_doubt": 1, "planned": READERS - 1}
    assert not repeats.are_due(NOW)  # nothing more can be learnt from it


def test_a_doubt_ends_by_the_same_call_once_more(in_doubt: list[Subscriber], calls: HttpProvider, stub: Stub) -> None:
    assert repeats.are_due(NOW)
    assert repeats.repeat(NOW) == 1
    assert (calls.calls[-1].body, stub.key(calls.calls[-1])) == (calls.calls[0].body, stub.key(calls.calls[0]))
    assert statuses() == {"accepted": 1, "planned": READERS - 1}
    assert len(stub.accepted) == 1
    assert not repeats.are_due(NOW)


def test_a_doubt_is_not_asked_about_once_all_mail_is_stopped(in_doubt: list[Subscriber]) -> None:
    digest = Digest.objects.get(status="in_doubt")
    Brake.objects.pull("by hand")
    assert not ledger.ask_again(digest, NOW)
    assert statuses() == {"in_doubt": 1, "planned": READERS - 1}


def test_what_a_killed_worker_never_handed_over_goes_then(
    readers: list[Subscriber], calls: HttpProvider, stub: Stub
) -> None:
    stub.instead = first(LOST, LOST)
    deliver_batch()
    assert stub.accepted == []
    assert repeats.repeat(NOW) == 1
    assert statuses() == {"accepted": 1, "planned": READERS - 1}
    assert len(stub.accepted) == 1


def test_a_doubt_that_stays_is_asked_about_again(in_doubt: list[Subscriber], stub: Stub) -> None:
    stub.instead = first(LOST, LOST)
    assert repeats.repeat(NOW) == 0
    assert statuses() == {"in_doubt": 1, "planned": READERS - 1}
    assert repeats.repeat(NOW) == 1
    assert len(stub.accepted) == 1


def test_another_content_under_the_key_is_not_sent_either(
    in_doubt: list[Subscriber], stub: Stub, settings: Settings
) -> None:
    settings.POSTAL_ADDRESS = "2 Another Street"
    assert repeats.repeat(NOW) == 1
    assert len(stub.accepted) == 1


CHANGES: dict[str, Callable[[Settings], object]] = {
    "another account": lambda settings: setattr(settings, "ANYMAIL", settings.ANYMAIL | {"OTHER": "1"}),
    "the reader left": lambda _: Subscriber.objects.update(status="unsubscribed", next_digest_at=None),
    "the edition is paused": lambda _: Edition.objects.update(status="paused"),
    "all mail is stopped": lambda _: Brake.objects.pull("by hand"),
    "too late to be welcome": lambda _: Digest.objects.update(expires_at=NOW),
    "another provider": lambda settings: setattr(settings, "EMAIL_BACKEND", "anymail.backends.postmark.EmailBackend"),
}


@pytest.mark.parametrize("why", CHANGES)
def test_nobody_is_asked_where_the_mail_must_not_go_or_the_key_is_not_known(
    in_doubt: list[Subscriber], calls: HttpProvider, stub: Stub, settings: Settings, why: str
) -> None:
    CHANGES[why](settings)
    asked = len(calls.calls)
    assert repeats.repeat(NOW) == 0
    assert len(calls.calls) == asked
    assert Digest.objects.filter(status="in_doubt").count() == 1


def test_nobody_is_asked_when_the_provider_may_have_forgotten(
    in_doubt: list[Subscriber], settings: Settings, calls: HttpProvider
) -> None:
    later = NOW + keys.KEYS[settings.EMAIL_BACKEND].lifetime
    Digest.objects.update(expires_at=later + timedelta(hours=1))
    asked = len(calls.calls)
    with time_machine.travel(later, tick=False):
        assert not repeats.are_due(later)
        assert repeats.repeat(later) == 0
    assert len(calls.calls) == asked


def test_what_a_person_finds_unsent_goes_under_a_new_key(
    in_doubt: list[Subscriber], calls: HttpProvider, stub: Stub
) -> None:
    decisions.resolve(Digest.objects.all(), Verdict.NOT_SENT, NOW)
    assert deliver_batch() == READERS
    assert len({stub.key(call) for call in calls.calls}) == READERS + 1


def test_a_provider_that_still_works_at_the_first_call_leaves_doubt(in_doubt: list[Subscriber], stub: Stub) -> None:
    stub.instead = lambda call: Answer(409, {"name": "concurrent_idempotent_requests"})
    assert repeats.repeat(NOW) == 0
    assert statuses()["in_doubt"] == 1


def test_a_refusal_is_no_word_about_the_first_call(in_doubt: list[Subscriber], stub: Stub) -> None:
    stub.instead = lambda call: Answer(422, {"message": "no"})
    assert repeats.repeat(NOW) == 0
    assert statuses()["in_doubt"] == 1
    assert not repeats.are_due(NOW)


def test_a_provider_that_takes_nothing_any_more_stops_all_mail(in_doubt: list[Subscriber], stub: Stub) -> None:
    stub.instead = lambda call: Answer(401, {"message": "no"})
    assert repeats.repeat(NOW) == 0
    assert Brake.objects.engaged().exists()
    assert statuses()["in_doubt"] == 1


def test_a_call_of_many_has_no_key_of_a_single_digest(readers: list[Subscriber], settings: Settings) -> None:
    batches = ResendBatches()
    for _ in serve(settings, "resend", batches):
        settings.SUBMIT_BATCH = 10
        deliver_batch()
    assert len(batches.accepted) == READERS
    assert set(Digest.objects.values_list("idempotency_key", flat=True)) == {""}


def test_a_letter_too_is_sent_once_where_an_answer_is_lost(bob: Subscriber, calls: HttpProvider, stub: Stub) -> None:
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    stub.after = first(LOST)
    send_owed_letters(NOW)
    assert Letter.objects.get().status == "sent"
    assert (len(stub.accepted), len(calls.calls)) == (1, 2)


def test_by_smtp_there_are_no_keys(settings: Settings, readers: list[Subscriber]) -> None:
    assert keys.key_of(Digest.objects.first().uid, 1) == ""  # type: ignore[union-attr]
    assert not repeats.are_due(NOW)
