from datetime import timedelta

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from papers.models import Topic
from subscribers import leaving, links, signup
from subscribers.models import Consent, Letter, Subscriber, Suppression
from subscribers.schedule import Cadence
from subscribers.signals import letter_owed
from subscribers.signup import ask, confirm
from subscribers.tasks import forget
from subscribers.wishes import Wishes
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
CAROL = "carol@example.org"
Status = Subscriber.Status


def kinds() -> list[str]:
    return list(Letter.objects.order_by("pk").values_list("kind", flat=True))


def settle(letter_status: str = Letter.Status.SENT) -> None:
    Letter.objects.update(status=letter_status)


def test_asking_stores_the_wish_its_proof_and_one_letter(graphs: Topic) -> None:
    ask(CAROL, Wishes((graphs,), Cadence.WEEKLY, 18, zone="Asia/Tokyo"), NOW, "192.0.2.0/24")
    carol = Subscriber.objects.get(email=CAROL)
    assert (carol.status, carol.cadence, carol.local_hour, carol.zone) == ("pending", "weekly", 18, "Asia/Tokyo")
    assert list(carol.topics.all()) == [graphs]
    assert kinds() == ["confirmation"]
    proof = carol.consents.get()
    assert (proof.action, proof.words, proof.network) == ("asked", signup.CONSENT_WORDS, "192.0.2.0/24")


def test_asking_twice_keeps_one_row_one_letter_and_the_newer_wish(graphs: Topic, vision: Topic) -> None:
    ask(CAROL, Wishes((graphs,)), NOW)
    ask(CAROL, Wishes((vision,), local_hour=20), NOW)
    carol = Subscriber.objects.get()
    assert (list(carol.topics.all()), carol.local_hour) == ([vision], 20)
    assert kinds() == ["confirmation"]


def test_a_confirmation_goes_out_once_a_day_and_three_times_ever(db: None) -> None:
    owed = []
    for hours in range(0, 24 * 13, 6):
        before = Letter.objects.count()
        ask(CAROL, Wishes(), NOW + timedelta(hours=hours))
        owed += [hours] * (Letter.objects.count() - before)
        settle()
    assert owed == [0, 24, 48]


def test_confirming_starts_the_digest(bob: Subscriber) -> None:
    assert confirm(bob, NOW, "192.0.2.0/24")
    bob.refresh_from_db()
    assert (bob.status, bob.confirmed_at) == ("active", NOW)
    assert bob.next_digest_at == NOW + timedelta(seconds=30)
    assert kinds() == ["welcome"]
    assert bob.consents.get().words == signup.CONFIRM_WORDS


def test_confirming_again_changes_nothing(bob: Subscriber) -> None:
    assert [confirm(bob, NOW), confirm(bob, NOW + DAY)] == [True, False]
    bob.refresh_from_db()
    assert bob.confirmed_at == NOW
    assert kinds() == ["welcome"]


@pytest.mark.parametrize("status", ["unsubscribed", "bounced", "complained", "paused"])
def test_an_old_confirmation_revives_nobody(everybody: dict[str, Subscriber], status: str) -> None:
    assert not confirm(everybody[status], NOW)
    assert Subscriber.objects.get(pk=everybody[status].pk).status == status


def test_the_suppressed_cannot_be_confirmed(bob: Subscriber) -> None:
    Suppression.objects.add("bob@example.org", Suppression.Reason.OPERATOR)
    assert not confirm(bob, NOW)


@pytest.mark.parametrize(
    ("status", "letters"),
    [
        ("active", ["preferences"]),
        ("paused", ["preferences"]),
        ("pending", ["confirmation"]),
        ("unsubscribed", ["confirmation"]),
        ("bounced", []),
        ("complained", []),
    ],
)
def test_what_a_known_address_gets_for_asking(
    everybody: dict[str, Subscriber], status: str, letters: list[str]
) -> None:
    person = everybody[status]
    ask(person.email or "", Wishes(), NOW)
    assert kinds() == letters
    person.refresh_from_db()
    assert person.status == ("pending" if status == "unsubscribed" else status)


def test_somebody_elses_sign_up_does_not_touch_an_active_reader(alice: Subscriber, graphs: Topic) -> None:
    ask("alice@example.org", Wishes((graphs,), Cadence.MONTHLY), NOW)
    alice.refresh_from_db()
    assert (alice.cadence, alice.topics.count()) == ("daily", 0)


def test_a_suppressed_address_leaves_no_trace(db: None) -> None:
    Suppression.objects.add(CAROL, Suppression.Reason.COMPLAINED)
    ask(CAROL, Wishes(), NOW)
    assert not Subscriber.objects.exists()
    assert kinds() == []


def test_coming_back_takes_a_new_confirmation(alice: Subscriber) -> None:
    leaving.leave(alice, NOW, page="leave")
    ask("alice@example.org", Wishes(), NOW + DAY)
    alice.refresh_from_db()
    assert (alice.status, alice.next_digest_at) == ("pending", None)
    assert confirm(links.read_confirm(links.confirm_token(alice)), NOW + DAY)


def test_a_letter_is_announced_after_commit_and_a_broken_listener_breaks_nothing(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, heard: list[int]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        ask(CAROL, Wishes(), NOW)
        assert heard == []
    assert heard == [Letter.objects.get().pk]


@pytest.fixture
def heard() -> object:
    """What a listener hears that fails each time."""
    ids: list[int] = []

    def listen(letter_id: int, **_: object) -> None:
        ids.append(letter_id)
        raise ConnectionError

    own, letter_owed.receivers = letter_owed.receivers, []
    letter_owed.connect(listen)
    yield ids
    letter_owed.disconnect(listen)
    letter_owed.receivers = own
    letter_owed.sender_receivers_cache.clear()


def test_the_unconfirmed_are_forgotten_after_fourteen_days(
    alice: Subscriber, bob: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signup, "FORGET_CHUNK", 1)
    ask(CAROL, Wishes(), NOW + timedelta(minutes=-1))
    ask("dave@example.org", Wishes(), NOW + timedelta(minutes=-1))
    assert signup.forget_unconfirmed(NOW + 14 * DAY) == 2
    assert set(Subscriber.objects.values_list("email", flat=True)) == {"alice@example.org", "bob@example.org"}


def test_who_came_back_without_confirming_is_kept_as_having_left(alice: Subscriber) -> None:
    Subscriber.objects.update(status=Status.PENDING, next_digest_at=None, confirmed_at=NOW)
    assert signup.forget_unconfirmed(NOW + 15 * DAY) == 0
    assert Subscriber.objects.get().status == Status.UNSUBSCRIBED


def test_the_task_forgets_by_the_clock(bob: Subscriber) -> None:
    Subscriber.objects.update(status_changed_at=NOW - 15 * DAY)
    forget()
    assert not Subscriber.objects.exists()


def test_each_proof_says_what_was_agreed_to(bob: Subscriber) -> None:
    confirm(bob, NOW)
    assert str(Consent.objects.get()) == "confirmed by mail 2026-03-20 09:00"


def test_another_link_works_as_long_as_the_first(bob: Subscriber) -> None:
    late = NOW + 13 * DAY
    assert signup.resend_confirmation(bob, late)
    assert signup.forget_unconfirmed(late + 13 * DAY) == 0
    assert signup.forget_unconfirmed(late + 15 * DAY) == 1
