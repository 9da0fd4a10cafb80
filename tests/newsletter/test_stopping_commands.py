"""All mail stopped and let go, domains freed, held sign-ups decided and attack mode turned, at the command line."""

import io
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError

from newsletter.models import Brake
from subscribers.models import Attack, HeldDomain, SubscriptionRequest
from tests.conftest import NOW
from tests.newsletter.test_commands import run


def ask(*names: str) -> None:
    SubscriptionRequest.objects.bulk_create(
        SubscriptionRequest(email=f"{name}@example.org", status="held", reason="network") for name in names
    )


def left() -> list[str]:
    return list(SubscriptionRequest.objects.held().order_by("email").values_list("email", flat=True))


class TestBrake:
    def test_all_mail_is_stopped_and_let_go(self, db: None) -> None:
        run("brake", "pull", "moving house", "--dry-run")
        assert not Brake.objects.exists()
        run("brake", "pull", "moving house")
        assert "moving house" in run("brake", "show")
        assert "Mail goes out again" in run("brake", "release", "--because", "moved")
        assert "No brake is pulled" in run("brake", "show")
        assert not Brake.objects.engaged().exists()
        assert [entry.user.username for entry in LogEntry.objects.all()] == ["command-line"] * 2

    def test_once_is_enough(self, db: None) -> None:
        Brake.objects.pull("535 no")
        with pytest.raises(CommandError, match="already"):
            run("brake", "pull", "me too")

    def test_where_none_is_pulled_none_is_released(self, db: None) -> None:
        with pytest.raises(CommandError, match="No brake is pulled"):
            run("brake", "release")

    def test_what_may_be_a_copy_is_not_released_like_this(self, db: None) -> None:
        Brake.objects.pull("a copy", Brake.Cause.RESTORED)
        with pytest.raises(CommandError):
            run("brake", "release")
        assert Brake.objects.engaged().exists()

    def test_a_domain_is_freed(self, db: None) -> None:
        HeldDomain.objects.create(domain="lab.example", reason="all bounced", until=NOW + timedelta(days=1))
        assert "lab.example is held" in run("brake", "show")
        run("brake", "free", "Lab.example")
        assert not HeldDomain.objects.exists()
        with pytest.raises(CommandError, match="not held"):
            run("brake", "free", "lab.example")

    def test_a_reason_is_wanted(self, db: None) -> None:
        with pytest.raises(CommandError):
            run("brake", "pull", " ")


class TestSignUps:
    def test_named_requests_are_released(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        ask("ann", "bob", "eve")
        monkeypatch.setattr("sys.stdin", io.StringIO("Ann@example.org\n"))
        assert "1 of 1 requests" in run("signups", "release")
        assert left() == ["bob@example.org", "eve@example.org"]
        entry = LogEntry.objects.get()
        assert "@" not in entry.object_repr + entry.change_message

    def test_discarding_asks_for_the_number(self, db: None) -> None:
        ask("ann", "bob")
        with pytest.raises(CommandError, match="nothing was changed"):
            run("signups", "discard", "--all", "--yes-i-mean", "discard 3")
        run("signups", "discard", "--all", "--dry-run")
        assert len(left()) == 2
        run("signups", "discard", "--all", "--yes-i-mean", "discard 2")
        assert left() == []
        assert LogEntry.objects.count() == 2

    def test_attack_mode_is_turned_on_and_off(self, db: None) -> None:
        ask("ann")
        run("signups", "attack", "a flood")
        attack = Attack.objects.on().get()
        assert attack.by_hand
        with pytest.raises(CommandError, match="already"):
            run("signups", "attack", "a flood")
        shown = run("signups", "show")
        assert "under attack" in shown
        assert "1 its network asks for much" in shown
        run("signups", "calm")
        assert Attack.objects.get().ended_by_hand
        with pytest.raises(CommandError, match="is off"):
            run("signups", "calm")

    def test_a_dry_run_turns_nothing(self, db: None) -> None:
        run("signups", "attack", "a flood", "--dry-run")
        assert not Attack.objects.exists()
