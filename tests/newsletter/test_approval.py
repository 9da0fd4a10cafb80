"""Editions that wait until somebody approves them: by hand, or because their cadence needs it."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from pytest_django import Settings
from time_machine import Traveller

from newsletter import census, editions
from newsletter.delivery import canaries, ledger
from newsletter.delivery.sending import deliver_batch
from newsletter.models import Digest, Edition, EditionPaper
from papers.models import Paper, Topic
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned
from tests.newsletter.test_brakes import Pressed, states
from tests.newsletter.test_cockpit import EDITIONS, sign_in
from tests.stubs import Relay, smtp_relay


@pytest.fixture
def due(papers: list[Paper], graphs: Topic) -> list[Subscriber]:
    return add_readers(3, graphs)


@pytest.fixture
def waiting(due: list[Subscriber], settings: Settings) -> Edition:
    """Planned for three readers, by a cadence that needs approval."""
    settings.NEEDS_APPROVAL = ["daily"]
    editions.plan(NOW)
    return Edition.objects.get()


def press(action: str, edition: Edition, role: str = "Operator") -> str:
    asked = {"action": action, "_selected_action": [edition.pk]}
    page = sign_in(role).post(EDITIONS, asked, secure=True, follow=True)
    edition.refresh_from_db()
    return page.content.decode()


def test_by_default_an_edition_goes_by_itself(due: list[Subscriber], relay: Relay) -> None:
    editions.plan(NOW)
    assert Edition.objects.get().status == "open"
    assert deliver_batch() == 3


def test_what_needs_approval_is_planned_and_not_claimed(waiting: Edition, relay: Relay) -> None:
    assert (waiting.status, waiting.reason) == ("held", "Daily editions need approval")
    assert states(waiting) == {"planned": 3}
    assert ledger.claim(NOW, 10) == []
    assert deliver_batch() == 0


def test_once_approved_it_goes(waiting: Edition, relay: Relay) -> None:
    press("approve", waiting)
    assert (waiting.status, waiting.reason) == ("open", "")
    assert deliver_batch() == 3


def test_another_cadence_does_not_wait(due: list[Subscriber], settings: Settings, relay: Relay) -> None:
    settings.NEEDS_APPROVAL = ["weekly", "monthly"]
    editions.plan(NOW)
    assert deliver_batch() == 3


def test_what_one_reader_asked_for_waits_for_nobody(alice: Subscriber, papers: list[Paper], settings: Settings) -> None:
    settings.NEEDS_APPROVAL = ["daily", "weekly", "monthly"]
    editions.plan_sample(alice, NOW)
    assert len(ledger.claim(NOW, 10)) == 1


def test_readers_whose_hour_comes_later_wait_with_the_others(waiting: Edition, graphs: Topic) -> None:
    Subscriber.objects.create(email="late@example.org", status="active", next_digest_at=NOW)
    editions.plan(NOW)
    assert Edition.objects.get().digests.count() == 4
    assert ledger.claim(NOW, 10) == []


def test_an_edition_is_held_and_approved_by_hand(edition: Edition, alice: Subscriber) -> None:
    planned(edition, alice)
    press("hold", edition, "Editor")
    assert ledger.claim(NOW, 10) == []
    Edition.objects.all().approve()
    assert len(ledger.claim(NOW, 10)) == 1


def test_of_several_that_were_chosen_each_that_is_not_held_is_said_to_be_so(edition: Edition) -> None:
    over = [
        Edition.objects.create(kind="daily", date=NOW.date() - timedelta(n), status="cancelled") for n in range(1, 13)
    ]
    asked = {"action": "hold", "_selected_action": [one.pk for one in (edition, *over)]}
    page = sign_in("Editor").post(EDITIONS, asked, secure=True, follow=True)
    said = [str(message) for message in page.context["messages"]]
    assert said[0] == "Of the chosen editions, 1 changed: each waits for approval."
    assert f"{over[0]} cannot be held (cancelled): nothing was changed." in said
    assert said[-1] == "So it is with 2 more."


def test_what_is_cancelled_lets_nothing_follow_its_first_copies(edition: Edition) -> None:
    Edition.objects.update(canary="ahead", status="cancelled")
    press("follow", edition, "Editor")
    edition.refresh_from_db()
    assert edition.canary == "ahead"


def test_a_hold_in_mid_slice_lets_no_further_slice_out(
    transactional_db: None, due: list[Subscriber], settings: Settings
) -> None:
    editions.plan(NOW)
    settings.SUBMIT_SLICE = 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with smtp_relay(Pressed("hold")) as relay:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", relay.port
        deliver_batch()
    assert len(relay.accepted) == 1
    assert states(Edition.objects.get()) == {"accepted": 1, "planned": 2}


def test_who_comes_too_late_for_an_approval_is_told_why(waiting: Edition) -> None:
    assert ledger.sweep(NOW + timedelta(hours=13))["expired"] == 3
    assert set(waiting.digests.values_list("status", "reason")) == {("expired", "nobody approved its edition in time")}


def test_what_is_too_late_for_another_reason_says_so(edition: Edition, alice: Subscriber) -> None:
    planned(edition, alice)
    assert ledger.sweep(NOW + timedelta(hours=13))["expired"] == 1
    assert Digest.objects.get().reason == "too late to be welcome"


def test_its_first_copies_go_ahead_once_it_is_approved(waiting: Edition, clock: Traveller, relay: Relay) -> None:
    press("canary", waiting)
    assert (waiting.canary, waiting.canary_size) == ("ahead", 20)
    Edition.objects.update(canary_size=1)
    canaries.advance(NOW)
    assert deliver_batch() == 0
    Edition.objects.all().approve()
    canaries.advance(NOW)
    assert deliver_batch() == 1
    clock.shift(timedelta(minutes=10))
    canaries.advance(NOW + timedelta(minutes=10))
    assert deliver_batch() == 2


@pytest.mark.parametrize(
    ("status", "action", "becomes"),
    [
        ("paused", "approve", "paused"),
        ("cancelled", "approve", "cancelled"),
        ("cancelled", "hold", "cancelled"),
        ("paused", "hold", "paused"),
        ("held", "resume", "held"),
        ("held", "pause", "held"),
    ],
)
def test_no_way_leads_around_another_brake(edition: Edition, status: str, action: str, becomes: str) -> None:
    Edition.objects.update(status=status)
    press(action, edition)
    assert edition.status == becomes


@pytest.mark.parametrize(
    ("role", "status"), [("Owner", "open"), ("Operator", "open"), ("Editor", "held"), ("Auditor", "held")]
)
def test_only_who_may_approves(waiting: Edition, role: str, status: str) -> None:
    press("approve", waiting, role)
    assert waiting.status == status


def test_who_approved_stands_in_the_log_and_on_the_page(waiting: Edition) -> None:
    press("approve", waiting)
    assert '"status": ["held", "open"]' in LogEntry.objects.get().change_message
    client = sign_in("Editor", name="grace")
    [one] = client.get(reverse("desk_edition", args=[waiting.pk]), secure=True).context["decisions"]
    assert (one.who, one.words) == ("ada", "Approve: let it go")
    assert ("status", "waits for approval", "open") in one.values


def test_today_says_what_waits_and_the_page_until_when(waiting: Edition) -> None:
    census.follow(NOW)
    client = sign_in("Operator")
    assert "waits for approval, with 3 to go" in client.get(reverse("admin:index"), secure=True).content.decode()
    page = client.get(reverse("desk_edition", args=[waiting.pk]), secure=True)
    assert page.context["first_expiry"] == NOW - timedelta(minutes=1) + timedelta(hours=12)
    assert "Approve: let it go" in page.content.decode()


def test_what_waits_is_not_in_the_public_archive(waiting: Edition) -> None:
    assert list(Edition.objects.public(NOW)) == []


def test_what_is_decided_while_it_waits_is_for_all_who_wait(waiting: Edition, papers: list[Paper]) -> None:
    EditionPaper.objects.decide(waiting, papers[-1], "pinned", 1)
    waiting.refresh_from_db()
    assert (waiting.revision, waiting.revisions.count()) == (0, 0)
    Edition.objects.all().approve()
    [digest, *_] = ledger.claim(NOW, 10)
    assert digest.edition.as_of(digest.revision).pins() == [papers[-1].pk]


def test_what_had_gone_before_it_was_held_stays_as_it_was(waiting: Edition, papers: list[Paper]) -> None:
    Digest.objects.filter(pk=waiting.digests.earliest("pk").pk).update(status="accepted", submitted_at=NOW)
    EditionPaper.objects.decide(waiting, papers[-1], "pinned", 1)
    waiting.refresh_from_db()
    assert (waiting.revision, waiting.as_of(0).pins()) == (1, [])
