"""Whose fault it is that mail comes back, and what becomes of the address and its domain."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from newsletter import retention
from newsletter.delivery.feedback import bounces, events
from newsletter.models import Digest, DomainHealth, Edition, SoftBounces
from subscribers import leaving
from subscribers.gate import why_not_mail
from subscribers.models import HeldDomain, Subscriber, Suppression
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, happened, planned


class TestSoftBounces:
    @pytest.fixture
    def bounce(self, digest: Digest) -> Callable[[datetime], str]:
        def one(at: datetime) -> str:
            happened("bounced", hard=False, digest_uid=digest.uid)
            events.apply_stored(at)
            return Subscriber.objects.get().status

        return one

    def test_the_fourth_within_days_is_for_good(self, bounce: Callable[[datetime], str]) -> None:
        days = [NOW] * 4
        assert [bounce(at) for at in days] == ["active", "active", "active", "bounced"]

    def test_what_is_long_ago_is_forgotten(self, bounce: Callable[[datetime], str]) -> None:
        assert {bounce(NOW + timedelta(days=14 * n)) for n in range(12)} == {"active"}

    def test_who_is_erased_leaves_none(self, bounce: Callable[[datetime], str], alice: Subscriber) -> None:
        bounce(NOW)
        leaving.erase(alice, NOW)
        assert not SoftBounces.objects.exists()

    def test_a_delivery_clears_them(self, bounce: Callable[[datetime], str], digest: Digest) -> None:
        for _ in range(3):
            bounce(NOW)
        happened("delivered", digest_uid=digest.uid)
        events.apply_stored(NOW)
        assert [bounce(NOW) for _ in range(3)][-1] == "active"


@pytest.mark.parametrize("apart", [timedelta(minutes=1), timedelta(days=1)])
def test_the_fourth_soft_bounce_of_late_is_a_hard_one(db: None, apart: timedelta) -> None:
    assert [bounces.count_soft("hash", NOW + n * apart) for n in range(4)] == [False, False, False, True]


def test_refusals_at_once_count_in_a_row_and_no_soft_bounce_among_them(db: None) -> None:
    day = timedelta(days=1)
    assert not any(bounces.count_refused("hash", NOW + n * day, None) for n in range(3))
    assert not bounces.count_soft("hash", NOW + 4 * day)
    assert not bounces.count_refused("hash", NOW + 5 * day, accepted_at=NOW + 3 * day)
    assert [bounces.count_refused("hash", NOW + n * 31 * day, NOW + 3 * day) for n in range(1, 4)] == [
        False,
        False,
        True,
    ]


class TestThatDeliveriesAreTold:
    """Only then is it known that nobody's arrived."""

    @pytest.fixture(autouse=True)
    def told(self, digest: Digest) -> None:
        happened("delivered", digest_uid=digest.uid)
        events.apply_stored(NOW)

    def held(self, after: timedelta) -> list[str]:
        for _ in range(5):
            bounces.count_hard("gone.example", NOW + after)
        return list(HeldDomain.objects.values_list("domain", flat=True))

    def test_is_known_for_two_months(self) -> None:
        retention.forget(NOW + bounces.TOLD_WITHIN)
        assert self.held(bounces.TOLD_WITHIN) == ["gone.example"]

    def test_is_forgotten_then(self) -> None:
        assert self.held(bounces.TOLD_WITHIN + timedelta(days=1)) == []

    def test_is_nothing_that_another_provider_ever_did(self, settings: Settings) -> None:
        settings.EMAIL_BACKEND = "anymail.backends.mandrill.EmailBackend"
        assert self.held(timedelta(hours=1)) == []


def free(held: HeldDomain, way: str, client: Client) -> None:
    if way == "in time":
        bounces.end_holds(held.until)
    elif way == "by command":
        call_command("brake", "free", held.domain)
    elif way == "from its page":
        client.post(reverse("admin:subscribers_helddomain_delete", args=[held.pk]), {"post": "yes"}, secure=True)
    else:
        chosen = {"action": "delete_selected", "_selected_action": [held.pk], "post": "yes"}
        client.post(reverse("admin:subscribers_helddomain_changelist"), chosen, secure=True)


class TestAWholeDomain:
    @pytest.fixture
    def digests(self, edition: Edition) -> list[Digest]:
        digests = [planned(edition, reader) for reader in add_readers(6)]
        Digest.objects.update(status="accepted", submitted_at=NOW)
        long_ago = NOW - timedelta(days=30)
        DomainHealth.objects.create(
            domain=bounces.all_of_them(), since=long_ago, delivered=1
        )  # we are told where mail arrives
        return digests

    def tell_all(self, digests: list[Digest], kind: str = "bounced") -> None:
        for digest in digests:
            happened(kind, digest_uid=digest.uid)
            events.apply_stored(NOW)

    def test_that_bounces_is_held_and_its_readers_are_kept(self, digests: list[Digest]) -> None:
        self.tell_all(digests)
        assert set(Subscriber.objects.values_list("status", flat=True)) == {"active"}
        assert not Suppression.objects.of(*Subscriber.objects.values_list("email", flat=True))
        assert "nothing reaches example.org" in str(why_not_mail(digests[0].subscriber))

    def test_is_tried_again_when_the_hold_ends(self, digests: list[Digest]) -> None:
        self.tell_all(digests)
        assert bounces.end_holds(NOW + timedelta(hours=23)) == 0
        assert bounces.end_holds(NOW + timedelta(hours=24)) == 1
        assert why_not_mail(digests[0].subscriber) is None

    @pytest.mark.parametrize("way", ["in time", "by command", "from its page", "from the list"])
    def test_begins_anew_however_its_hold_was_ended(
        self, digests: list[Digest], admin_client: Client, way: str
    ) -> None:
        self.tell_all(digests[:5])
        free(HeldDomain.objects.get(), way, admin_client)
        assert not HeldDomain.objects.exists()
        self.tell_all(digests[5:])
        assert not HeldDomain.objects.exists()
        assert DomainHealth.objects.get(domain="example.org").bounced == 1

    def test_where_one_mail_arrived_is_not_dead(self, digests: list[Digest]) -> None:
        self.tell_all(digests[:1], "delivered")
        self.tell_all(digests[1:])
        assert Subscriber.objects.filter(status="bounced").count() == 5

    def test_is_nobodys_guess_where_no_arrival_is_ever_told(self, digests: list[Digest]) -> None:
        DomainHealth.objects.all().delete()
        self.tell_all(digests)
        assert not HeldDomain.objects.exists()
        assert set(Subscriber.objects.values_list("status", flat=True)) == {"bounced"}

    def test_a_complaint_is_never_forgiven(self, digests: list[Digest]) -> None:
        self.tell_all(digests[:1], "complained")
        self.tell_all(digests)
        assert Subscriber.objects.get(pk=digests[0].subscriber_id).status == "complained"
        assert why_not_mail(digests[0].subscriber)
