"""What providers have told without our metadata, and nobody has applied yet."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from newsletter.delivery import decisions
from newsletter.delivery.decisions import Left, Verdict
from newsletter.delivery.feedback import events
from newsletter.management import accounts
from newsletter.models import Digest, Edition, Event
from subscribers.emails import message_id
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned

Status = Digest.Status
# What an event may call a message of ours by.
NAMES: list[Callable[[Digest], str]] = [
    lambda digest: digest.provider_id,
    lambda digest: message_id(digest.uid),
    lambda digest: f"{digest.uid}@formerly.example",
    lambda digest: f"<{str(digest.uid).upper()}@papers.example>",
]


@pytest.fixture
def digests(edition: Edition) -> list[Digest]:
    """Two in doubt; by Postal, which knows no metadata."""
    for number, reader in enumerate(add_readers(2)):
        digest = planned(edition, reader)
        Digest.objects.filter(pk=digest.pk).update(
            status="in_doubt", reason="lost", submitted_at=NOW, settled_at=NOW, provider_id=f"postal-{number}"
        )
    return list(Digest.objects.order_by("pk"))


@pytest.fixture(params=NAMES, ids=["the provider's id", "ours", "ours of before", "ours in capitals"])
def delivered(request: pytest.FixtureRequest, digests: list[Digest]) -> Digest:
    """The first of them; the provider has told that it arrived."""
    tell(request.param(digests[0]))
    return digests[0]


def tell(called: str = "", **fields: object) -> None:
    values = {"provider": "Postal", "key": uuid4(), "type": "delivered", "happened_at": NOW, "message_id": called}
    Event.objects.create(**values | fields)


def not_sent() -> int:
    return decisions.resolve(Digest.objects.all(), Verdict.NOT_SENT, NOW)


def test_what_arrived_is_not_taken_for_unsent(delivered: Digest) -> None:
    assert decisions.left_alone(Digest.objects.all(), NOW) == Left(told=1, late=0)
    assert not_sent() == 1
    assert Digest.objects.get(status=Status.IN_DOUBT) == delivered
    events.apply_stored(NOW)
    assert Digest.objects.get(status=Status.DELIVERED) == delivered


def test_what_arrived_is_not_tried_again(delivered: Digest) -> None:
    Digest.objects.update(status="failed", reason="refused")
    assert decisions.retry_failed(Digest.objects.all(), NOW) == 1
    assert Digest.objects.get(status=Status.FAILED) == delivered


def test_it_is_shown_with_its_digest(delivered: Digest) -> None:
    assert "Postal: Delivered (not applied yet)" in "\n".join(accounts.of_digest(delivered))


@pytest.mark.parametrize(
    "fields",
    [
        {"called": ""},
        {"called": "<@papers.example>"},
        {"called": message_id(uuid4())},
        {"called": "postal-0", "letter_uid": uuid4()},
        {"called": "postal-0", "type": "rejected"},
    ],
    ids=["nothing named", "nobody", "another", "a letter", "a refusal"],
)
def test_what_was_told_of_another_mail_is_no_word_about_these(digests: list[Digest], fields: dict[str, str]) -> None:
    tell(**fields)
    assert not_sent() == 2


def test_a_digest_that_has_no_id_of_the_provider_is_not_called_by_none(digests: list[Digest]) -> None:
    Digest.objects.update(provider_id="")
    tell("")
    tell("<")
    assert not_sent() == 2
