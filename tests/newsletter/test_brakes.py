"""What holds mail back: a person, an edition's first copies, complaints and bounces, a wrong place."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from newsletter import editions
from newsletter.delivery import canaries, ledger, stopping
from newsletter.delivery.sending import deliver_batch
from newsletter.models import Digest, Edition
from papers.models import Paper, Topic
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned
from tests.stubs import Relay, smtp_relay

Status = Digest.Status


def states(edition: Edition) -> dict[str, int]:
    return {status: count for status, count in edition.accounts().items() if count}


def sent(edition: Edition, count: int, **fields: object) -> None:
    """So many digests of other readers that were accepted."""
    readers = Subscriber.objects.bulk_create(
        Subscriber(email=f"sent{edition.digests.count()}-{number}@example.org") for number in range(count)
    )
    values = {"status": "accepted", "submitted_at": NOW, "settled_at": NOW} | fields
    until = NOW + timedelta(hours=12)
    Digest.objects.bulk_create(
        Digest(edition=edition, subscriber=reader, not_before=NOW, expires_at=until, **values) for reader in readers
    )


class Pressed(Relay):
    """A relay while whose first message is being taken somebody presses a button."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action

    async def handle_DATA(self, *given: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if not self.accepted:
            await asyncio.to_thread(self.press)
        return await super().handle_DATA(*given)

    def press(self) -> None:
        getattr(Edition.objects.all(), self.action)()
        connection.close()


class TestByHand:
    @pytest.fixture
    def due(self, papers: list[Paper], graphs: Topic) -> list[Subscriber]:
        readers = add_readers(6, graphs)
        editions.plan(NOW)
        return readers

    @pytest.mark.parametrize(("action", "becomes"), [("pause", "planned"), ("cancel", "cancelled")])
    def test_what_is_stopped_in_mid_slice_lets_no_further_slice_out(
        self, transactional_db: None, due: list[Subscriber], settings: Settings, action: str, becomes: str
    ) -> None:
        settings.SUBMIT_SLICE = 2
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        with smtp_relay(Pressed(action)) as relay:
            settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", relay.port
            deliver_batch()
        ledger.sweep(NOW)
        gone = len(relay.accepted)
        assert 1 <= gone <= settings.SUBMIT_SLICE
        assert states(Edition.objects.get()) == {"accepted": gone, becomes: 6 - gone}

    def test_a_paused_edition_goes_on_where_it_stopped(self, edition: Edition, graphs: Topic, relay: Relay) -> None:
        add_readers(3, graphs)
        editions.plan(NOW)
        Edition.objects.all().pause()
        assert deliver_batch() == 0
        Edition.objects.all().resume()
        assert deliver_batch() == 3


class TestCanaries:
    @pytest.fixture(autouse=True)
    def _two(self, settings: Settings) -> None:
        settings.CANARY_SIZE, settings.CANARY_WAIT = 2, timedelta(minutes=10)

    @pytest.fixture
    def opened(self, papers: list[Paper], graphs: Topic, relay: Relay) -> Edition:
        add_readers(5, graphs)
        editions.plan(NOW)
        canaries.advance(NOW)
        deliver_batch()
        return Edition.objects.get()

    def test_two_go_ahead_and_the_rest_waits(self, opened: Edition) -> None:
        canaries.advance(NOW)
        assert states(opened) == {"accepted": 2, "planned": 3}
        assert deliver_batch() == 0

    def test_the_rest_follows_when_nothing_bad_was_heard_for_a_while(self, opened: Edition, clock: Traveller) -> None:
        later = NOW + timedelta(minutes=10)
        canaries.advance(later)
        clock.move_to(later)
        assert deliver_batch() == 3

    def test_the_rest_is_held_when_one_bounced(self, opened: Edition) -> None:
        Digest.objects.filter(pk=Digest.objects.filter(canary=True).first().pk).update(status="bounced")  # type: ignore[union-attr]
        canaries.advance(NOW + timedelta(minutes=10))
        opened.refresh_from_db()
        assert (opened.status, opened.reason) == (
            "paused",
            "of the first 2 copies 1 bounced or were called spam",
        )

    def test_a_person_who_resumes_it_lets_the_rest_out(self, opened: Edition) -> None:
        stopping.stop(opened, "because")
        Edition.objects.all().resume()
        assert deliver_batch() == 3

    def test_another_goes_for_one_that_went_no_way(self, opened: Edition) -> None:
        doubtful = Digest.objects.filter(canary=True).first()
        Digest.objects.filter(pk=doubtful.pk).update(status="in_doubt", reason="lost")  # type: ignore[union-attr]
        canaries.advance(NOW)
        assert deliver_batch() == 1

    def test_what_one_reader_asked_for_does_not_wait(self, opened: Edition, relay: Relay) -> None:
        editions.plan_sample(Subscriber.objects.all()[0], NOW)
        assert Edition.objects.get(kind="sample").canary == Edition.Canary.NONE

    def test_off_is_off(self, papers: list[Paper], graphs: Topic, settings: Settings, relay: Relay) -> None:
        settings.CANARY_SIZE = 0
        add_readers(3, graphs)
        editions.plan(NOW)
        assert deliver_batch() == 3


class TestTheAutomaticStop:
    @pytest.mark.parametrize(
        ("accepted", "bounced", "status"),
        [(99, 5, "paused"), (100, 5, "paused"), (101, 5, "open"), (40, 4, "open")],
    )
    def test_at_five_percent_of_hard_bounces(
        self, edition: Edition, settings: Settings, accepted: int, bounced: int, status: str
    ) -> None:
        settings.STOP_AFTER_BOUNCES = 5
        sent(edition, accepted)
        Edition.objects.update(bounced=bounced)
        stopping.judge([edition.pk])
        edition.refresh_from_db()
        assert edition.status == status

    def test_at_one_complaint_in_a_thousand(self, edition: Edition, settings: Settings) -> None:
        settings.STOP_AFTER_COMPLAINTS, settings.STOP_COMPLAINT_PERCENT = 1, 10
        sent(edition, 11)
        Edition.objects.update(complained=1)
        stopping.judge([edition.pk])
        edition.refresh_from_db()
        assert edition.status == "open"
        Edition.objects.update(complained=2)
        stopping.judge([edition.pk])
        edition.refresh_from_db()
        assert (edition.status, edition.reason) == ("paused", "2 readers called it spam")

    def test_it_is_on_record(self, edition: Edition) -> None:
        stopping.stop(edition, "too many")
        assert "the service" in LogEntry.objects.get().change_message

    def test_who_resumes_it_has_looked(self, edition: Edition, admin_client: Client) -> None:
        stopping.stop(edition, "too many")
        Edition.objects.update(bounced=50)
        asked = {"action": "resume", "_selected_action": [edition.pk]}
        admin_client.post("/admin/newsletter/edition/", asked, secure=True)
        edition.refresh_from_db()
        assert (edition.status, edition.reason, edition.bounced) == ("open", "", 0)


class TestOutsideProduction:
    @pytest.fixture
    def one(self, edition: Edition, alice: Subscriber, graphs: Topic) -> Digest:
        alice.topics.set([graphs])
        return planned(edition, alice)

    @pytest.mark.parametrize(
        ("said", "went_to"),
        [
            (("", []), "alice@example.org"),
            (("team@lab.example", []), "team@lab.example"),
            (("team@lab.example", ["example.org"]), "alice@example.org"),
            (("team@lab.example", ["lab.example"]), "team@lab.example"),
            (("", ["example.org"]), "alice@example.org"),
        ],
    )
    def test_mail_goes_where_it_may(
        self, one: Digest, relay: Relay, settings: Settings, said: tuple[str, list[str]], went_to: str
    ) -> None:
        settings.MAIL_REROUTE_TO, settings.MAIL_ONLY_TO = said
        deliver_batch()
        assert relay.recipients == [went_to]
        assert ("alice" in str(relay.accepted[0]["To"])) == (went_to == "alice@example.org")

    def test_a_reader_who_must_not_be_mailed_is_not(self, one: Digest, relay: Relay, settings: Settings) -> None:
        settings.MAIL_ONLY_TO = ["lab.example"]
        deliver_batch()
        one.refresh_from_db()
        assert (relay.recipients, one.status) == ([], "failed")
        assert "outside production" in one.reason
