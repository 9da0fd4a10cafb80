"""Many messages a call: each message's own answer settles its own digest."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, repeat

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from newsletter.delivery.sending import deliver_batch
from newsletter.delivery.wire import throttle
from newsletter.delivery.wire.batch_apis import Postmark, Resend, batch_api, messages_a_call
from newsletter.delivery.wire.throttle import Lane
from newsletter.models import Brake, Digest, DigestPaper
from papers.models import Paper, Topic
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import message_to, planned_readers, statuses
from tests.provider_stubs import Answer, Batches, Call, HttpProvider, PostmarkBatches, ResendBatches, serving

INACTIVE = {"ErrorCode": 406, "Message": "You tried to send to a recipient that has been marked as inactive."}
READERS = 30


@pytest.fixture
def readers(papers: list[Paper], graphs: Topic) -> list[Subscriber]:
    return planned_readers(READERS, graphs)


def provider(settings: Settings, name: str, batches: Batches) -> Iterator[HttpProvider]:
    settings.EMAIL_BACKEND, settings.SUBMIT_SLICE, settings.SEND_PER_SECOND = "", 20, 0
    settings.EMAIL_BACKEND = f"anymail.backends.{name}.EmailBackend"
    token = {"postmark": "POSTMARK_SERVER_TOKEN", "resend": "RESEND_API_KEY"}[name]
    with serving(HttpProvider(batches)) as http:
        url = {f"{name.upper()}_API_URL": http.url}
        settings.ANYMAIL = {token: "token", "REQUESTS_TIMEOUT": (5, 5), **url}
        yield http


@pytest.fixture
def postmark_batches() -> PostmarkBatches:
    return PostmarkBatches()


@pytest.fixture
def postmark_calls(settings: Settings, postmark_batches: PostmarkBatches) -> Iterator[HttpProvider]:
    settings.SUBMIT_BATCH = 10
    yield from provider(settings, "postmark", postmark_batches)


@pytest.fixture
def resend_batches() -> ResendBatches:
    return ResendBatches()


@pytest.fixture
def resend_calls(settings: Settings, resend_batches: ResendBatches) -> Iterator[HttpProvider]:
    yield from provider(settings, "resend", resend_batches)


def of(address: str) -> Digest:
    return Digest.objects.get(subscriber__email=address)


def sizes(calls: HttpProvider) -> list[int]:
    return [len(call.json) for call in calls.calls]


def second(*given: Answer) -> Callable[[Call], Answer | None]:
    """To the second call, which is a full one."""
    answers = chain([None, *given], repeat(None))
    return lambda call: next(answers)


def test_postmark_takes_full_calls_and_names_each_message(
    readers: list[Subscriber], postmark_calls: HttpProvider, postmark_batches: PostmarkBatches
) -> None:
    assert deliver_batch() == READERS
    assert sizes(postmark_calls)[0] == 1  # until it is known that the provider takes anything
    assert (max(sizes(postmark_calls)), len(postmark_calls.calls)) == (10, 4)
    assert statuses() == {"accepted": READERS}
    assert {one["To"] for one in postmark_batches.accepted} == {reader.email for reader in readers}
    assert len(set(Digest.objects.values_list("provider_id", flat=True))) == READERS
    told = {one["Metadata"]["digest"] for one in postmark_batches.accepted}
    assert told == {str(uid) for uid in Digest.objects.values_list("uid", flat=True)}


def test_resend_takes_full_calls_and_names_each_message(
    readers: list[Subscriber], resend_calls: HttpProvider, resend_batches: ResendBatches
) -> None:
    assert deliver_batch() == READERS
    assert (max(sizes(resend_calls)), len(resend_calls.calls)) == (10, 4)
    assert {one["to"][0] for one in resend_batches.accepted} == {reader.email for reader in readers}
    assert len(set(Digest.objects.values_list("provider_id", flat=True))) == READERS
    metadata = [json.loads(one["headers"]["X-Metadata"])["digest"] for one in resend_batches.accepted]
    assert sorted(metadata) == sorted(str(uid) for uid in Digest.objects.values_list("uid", flat=True))


def test_a_recipient_that_postmark_refuses_fails_alone(
    readers: list[Subscriber], postmark_calls: HttpProvider, postmark_batches: PostmarkBatches
) -> None:
    postmark_batches.refuse = {"reader3@example.org": INACTIVE}
    deliver_batch()
    assert statuses() == {"accepted": READERS - 1, "failed": 1}
    assert of("reader3@example.org").reason.startswith("Postmark 406")


def test_a_message_that_resend_refuses_fails_alone_and_the_others_keep_their_names(
    readers: list[Subscriber], resend_calls: HttpProvider, resend_batches: ResendBatches
) -> None:
    resend_batches.refuse = {"reader3@example.org": "Invalid `to` field: reader3@example.org"}
    deliver_batch()
    assert statuses() == {"accepted": READERS - 1, "failed": 1}
    assert of("reader3@example.org").reason == "Resend: Invalid `to` field: (address)"
    assert of("reader3@example.org").provider_id == ""
    assert len(set(Digest.objects.values_list("provider_id", flat=True))) == READERS


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"ErrorCode": 300, "Message": "Invalid 'To' address"}, "failed"),
        ({"ErrorCode": 100, "Message": "Maintenance"}, "planned"),
        ({"ErrorCode": 429, "Message": "Rate Limit Exceeded"}, "planned"),
        ({"ErrorCode": 0, "Message": "OK"}, "in_doubt"),  # without a name
        ({}, "in_doubt"),
    ],
)
def test_what_postmark_says_of_one_message_is_judged_by_its_code(
    readers: list[Subscriber],
    postmark_calls: HttpProvider,
    postmark_batches: PostmarkBatches,
    said: dict[str, object],
    status: str,
) -> None:
    postmark_batches.refuse = {"reader3@example.org": said}
    deliver_batch()
    assert of("reader3@example.org").status == status
    assert of("reader4@example.org").status == "accepted"  # of the same call


@pytest.mark.parametrize(
    "said",
    [{"ErrorCode": 412, "Message": "Account is pending"}, {"ErrorCode": 300, "Message": "Invalid 'From' address"}],
)
def test_an_account_that_may_not_send_stops_all_mail(
    readers: list[Subscriber], postmark_calls: HttpProvider, postmark_batches: PostmarkBatches, said: dict[str, object]
) -> None:
    postmark_batches.refuse = {str(reader.email): said for reader in readers}
    assert deliver_batch() == 0
    assert statuses() == {"planned": READERS}
    assert Brake.objects.engaged().exists()
    assert not DigestPaper.objects.exists()


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Answer(429, headers={"Retry-After": "5"}), "planned"),
        (Answer(500), "in_doubt"),
        (Answer(200, "<html>"), "in_doubt"),
        (Answer(200, {"data": "?"}), "in_doubt"),
        (Answer(200, []), "in_doubt"),
        (Answer(200, [{"ErrorCode": 0, "MessageID": "x"}]), "in_doubt"),
        (Answer(301, headers={"Location": "/"}), "in_doubt"),
    ],
)
def test_a_call_without_answers_is_judged_for_each_of_its_messages(
    readers: list[Subscriber],
    postmark_calls: HttpProvider,
    postmark_batches: PostmarkBatches,
    answer: Answer,
    found: str,
) -> None:
    postmark_batches.instead = second(answer)
    deliver_batch()
    assert statuses()[found] >= 9
    assert Counter(one["To"] for one in postmark_batches.accepted).most_common(1)[0][1] == 1


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_call_that_is_refused_as_such_stops_all_mail(
    readers: list[Subscriber], postmark_calls: HttpProvider, postmark_batches: PostmarkBatches, status: int
) -> None:
    postmark_batches.instead = lambda call: Answer(status, {"ErrorCode": 10, "Message": "no"})
    assert deliver_batch() == 0
    assert statuses() == {"planned": READERS}
    assert str(status) in Brake.objects.engaged().get().reason
    assert len(postmark_calls.calls) <= 2


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_poison_message_in_a_call_fails_alone(
    readers: list[Subscriber], postmark_calls: HttpProvider, postmark_batches: PostmarkBatches, status: int
) -> None:
    postmark_batches.instead = lambda call: Answer(status, "no") if b"reader3@" in call.body else None
    deliver_batch()
    assert statuses() == {"accepted": READERS - 1, "failed": 1}
    assert of("reader3@example.org").status == "failed"
    assert len({one["To"] for one in postmark_batches.accepted}) == len(postmark_batches.accepted) == READERS - 1


def test_a_call_to_postmark_whose_answer_is_lost_leaves_all_of_it_in_doubt(
    readers: list[Subscriber], postmark_calls: HttpProvider, postmark_batches: PostmarkBatches, settings: Settings
) -> None:
    settings.ANYMAIL = settings.ANYMAIL | {"REQUESTS_TIMEOUT": (5, 0.5)}
    postmark_batches.after = second(Answer(is_late=True))
    deliver_batch()
    found = statuses()
    assert found["in_doubt"] in {9, 10}
    assert len(postmark_batches.accepted) == found["accepted"] + found["in_doubt"]


def test_an_answer_that_drips_is_not_waited_for(
    readers: list[Subscriber], postmark_calls: HttpProvider, postmark_batches: PostmarkBatches, settings: Settings
) -> None:
    settings.EMAIL_TIMEOUT = 0.5
    postmark_batches.after = second(Answer(body=" " * 1000, drips=True))
    deliver_batch()
    found = statuses()
    assert found["in_doubt"] in {9, 10}
    assert set(Digest.objects.filter(status="in_doubt").values_list("reason", flat=True)) == {"no whole answer in time"}
    assert len(postmark_batches.accepted) == found["accepted"] + found["in_doubt"]


@pytest.mark.parametrize("answer", [Answer(is_late=True), Answer(500), Answer(200, "garbage")])
def test_a_call_to_resend_whose_answer_is_lost_is_made_again_and_sent_once(
    readers: list[Subscriber],
    resend_calls: HttpProvider,
    resend_batches: ResendBatches,
    settings: Settings,
    answer: Answer,
) -> None:
    settings.ANYMAIL = settings.ANYMAIL | {"REQUESTS_TIMEOUT": (5, 0.5)}
    resend_batches.after = second(answer)
    assert deliver_batch() == READERS
    assert statuses() == {"accepted": READERS}
    assert len(resend_batches.accepted) == READERS
    assert len(resend_calls.calls) == len({call.body for call in resend_calls.calls}) + 1


def test_what_resend_says_to_the_repeat_is_no_word_about_the_first(
    readers: list[Subscriber], resend_calls: HttpProvider, resend_batches: ResendBatches
) -> None:
    answers = iter([Answer(500), Answer(429)])
    resend_batches.after = lambda call: next(answers)
    deliver_batch()
    assert len(resend_batches.accepted) == 1
    assert statuses() == {"in_doubt": 1, "planned": READERS - 1}


def test_a_key_that_is_used_already_leaves_doubt(
    readers: list[Subscriber], resend_calls: HttpProvider, resend_batches: ResendBatches
) -> None:
    resend_batches.instead = lambda call: Answer(409, {"name": "concurrent_idempotent_requests"})
    deliver_batch()
    assert statuses() == {"in_doubt": 1, "planned": READERS - 1}


def test_batches_are_for_calls_that_can_be_repeated_unless_one_asks(settings: Settings) -> None:
    settings.SUBMIT_SLICE, settings.SUBMIT_BATCH = 1000, None
    assert (messages_a_call(Resend), messages_a_call(Postmark)) == (100, 1)
    settings.SUBMIT_BATCH = 2000
    assert (messages_a_call(Resend), messages_a_call(Postmark)) == (100, 500)
    settings.SUBMIT_SLICE = 20
    assert messages_a_call(Postmark) == 10


@pytest.mark.parametrize(
    ("backend", "batch", "width"), [("postmark", 1, 20), ("resend", 10, 1), ("mailgun", 10, 20), ("smtp", 10, 20)]
)
def test_all_others_go_one_message_a_call(settings: Settings, backend: str, batch: int, width: int) -> None:
    settings.EMAIL_BACKEND = f"anymail.backends.{backend}.EmailBackend"
    settings.SUBMIT_BATCH, settings.SUBMIT_SLICE = batch, width
    assert batch_api() is None


def test_a_call_holds_no_more_bytes_than_the_provider_takes(
    readers: list[Subscriber], postmark_calls: HttpProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Postmark, "most_bytes", 60_000)
    assert deliver_batch() == READERS
    assert max(len(call.body) for call in postmark_calls.calls) <= 60_000
    assert sum(sizes(postmark_calls)) == READERS


def test_the_providers_rate_counts_calls(
    readers: list[Subscriber], resend_calls: HttpProvider, settings: Settings
) -> None:
    settings.SEND_PER_SECOND, settings.WORKER_PROCESSES = 3, 1
    assert deliver_batch() == 20  # of three calls in the first second, one is the letters'
    assert sum(sizes(resend_calls)) == 20


def poison(call: Call) -> Answer | None:
    return Answer(422, "no") if b"reader3@" in call.body else None


def test_the_halves_of_a_call_are_counted_too_and_those_without_a_turn_stay_planned(
    readers: list[Subscriber], resend_calls: HttpProvider, resend_batches: ResendBatches, settings: Settings
) -> None:
    settings.SEND_PER_SECOND, settings.WORKER_PROCESSES = 3, 1
    resend_batches.instead = poison
    nudges: list[str] = []
    assert deliver_batch(more=lambda: nudges.append("go on")) == 10
    assert sorted(sizes(resend_calls)) == [1, 9, 10]
    assert statuses() == {"accepted": 10, "planned": 20}
    assert (nudges, DigestPaper.objects.values("digest").distinct().count()) == (["go on"], 10)


def test_the_halves_of_a_call_wait_for_their_turn_within_the_run(
    readers: list[Subscriber], resend_calls: HttpProvider, resend_batches: ResendBatches, settings: Settings
) -> None:
    settings.SEND_PER_SECOND, settings.WORKER_PROCESSES = 20, 1
    resend_batches.instead = poison
    with time_machine.travel(NOW):
        began = time.monotonic()
        throttle.calls(20, Lane.DIGESTS, timezone.now())
        deliver_batch(seconds=60)
    assert statuses() == {"accepted": READERS - 1, "failed": 1}
    assert time.monotonic() - began > (len(resend_calls.calls) - 1) / 20


def test_a_message_for_two_never_gets_into_a_call(postmark_calls: HttpProvider) -> None:
    message = message_to("alice@example.org")
    message.bcc = ["bob@example.org"]
    api = batch_api()
    assert api is not None
    with pytest.raises(ValueError, match="one recipient"):
        api.prepare(message)
