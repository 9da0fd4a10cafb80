"""What an operator asks of the ledger and decides about it, by command and in the admin."""

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client

from newsletter import editions
from newsletter.delivery.sending import deliver_batch
from newsletter.models import Digest, DigestPaper, Edition, Event
from papers.models import Topic
from subscribers.models import Letter, Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers
from tests.stubs import Relay

Status = Digest.Status
NAME = f"daily:{NOW.date()}"
LONG_AGO = NOW - timedelta(hours=1)


def ledger(*words: str, **options: object) -> str:
    out = StringIO()
    call_command("ledger", *words, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def sent(edition: Edition, graphs: Topic, relay: Relay) -> list[Digest]:
    """Three digests, the first of which the relay refused."""
    readers = add_readers(3, graphs)
    relay.refuse[str(readers[0].email)] = "550 no"
    editions.plan(NOW)
    deliver_batch()
    return list(Digest.objects.order_by("subscriber"))


def doubt(*digests: Digest) -> None:
    Digest.objects.filter(pk__in=[digest.pk for digest in digests]).update(status="in_doubt", reason="lost")


def leave_two_alone(digests: list[Digest]) -> None:
    """In doubt are two: the provider has told of the one, the other has expired."""
    doubt(*digests[1:])
    Event.objects.create(provider="Brevo", key="1", type="delivered", digest_uid=digests[1].uid, happened_at=NOW)
    Digest.objects.filter(pk=digests[2].pk).update(expires_at=NOW)


class TestCheck:
    def test_a_ledger_that_was_used_holds(self, sent: list[Digest]) -> None:
        assert "rules hold" in ledger("check")

    @pytest.mark.parametrize(
        ("wrong", "claim"),
        [
            ({"status": "accepted", "settled_at": None}, "what is over says since when"),
            ({"status": "planned", "submitted_at": NOW}, "what is still to be sent was not sent before"),
            ({"status": "planned", "submitted_at": None}, "what was not sent has none"),
            ({"status": "planned", "planned_at": LONG_AGO, "expires_at": LONG_AGO}, "nobody would welcome"),
            ({"status": "claimed", "lease_until": LONG_AGO}, "a worker lost"),
            ({"status": "lost"}, "a state that there is"),
        ],
    )
    def test_a_broken_row_is_named(self, sent: list[Digest], wrong: dict[str, object], claim: str) -> None:
        Digest.objects.filter(pk=sent[1].pk).update(**wrong)
        out = StringIO()
        with pytest.raises(CommandError, match="broken"):
            call_command("ledger", "check", stdout=out)
        assert claim in out.getvalue()
        assert f"digest {sent[1].uid}" in out.getvalue()

    def test_a_mail_without_papers_is_found(self, sent: list[Digest]) -> None:
        DigestPaper.objects.filter(digest=sent[2]).delete()
        with pytest.raises(CommandError, match="1 of"):
            ledger("check")

    def test_a_mailed_paper_that_is_gone_is_found(self, sent: list[Digest]) -> None:
        DigestPaper.objects.filter(digest=sent[2], place=1).update(paper_id=10_000)
        with pytest.raises(CommandError, match="1 of"):
            ledger("check")

    def test_papers_whose_digest_is_gone_are_found(self, sent: list[Digest]) -> None:
        Digest.objects.filter(pk=sent[2].pk)._raw_delete("default")
        out = StringIO()
        with pytest.raises(CommandError, match="broken"):
            call_command("ledger", "check", stdout=out)
        assert "a paper of a digest has its digest" in out.getvalue()

    @pytest.mark.parametrize("due", [None, LONG_AGO, NOW + timedelta(days=40)])
    def test_a_reader_who_would_be_forgotten_is_found(self, alice: Subscriber, due: object) -> None:
        Subscriber.objects.update(next_digest_at=due)
        with pytest.raises(CommandError, match="1 of"):
            ledger("check")

    def test_a_letter_without_a_reason_is_found(self, alice: Subscriber) -> None:
        Letter.objects.create(subscriber=alice, kind="welcome", status="failed", not_before=NOW)
        with pytest.raises(CommandError, match="1 of"):
            ledger("check")

    @pytest.mark.parametrize("most", ["0", "-1", "many", "²"])
    def test_at_least_one_row_is_named(self, sent: list[Digest], most: str) -> None:
        with pytest.raises(CommandError, match="no whole number from 1"):
            ledger("check", f"--most={most}")

    @pytest.mark.parametrize("hours", ["0", "-5", "99999999", "9" * 5000])
    def test_a_new_expiry_is_within_a_year(self, sent: list[Digest], hours: str) -> None:
        with pytest.raises(CommandError, match="no whole number from 1"):
            ledger("retry-failed", NAME, f"--expire-in={hours}")

    def test_no_more_rows_are_read_than_are_named(self, sent: list[Digest]) -> None:
        Digest.objects.update(settled_at=None)
        out = StringIO()
        with pytest.raises(CommandError):
            call_command("ledger", "check", most=2, stdout=out)
        assert out.getvalue().count("digest ") == 2
        assert "and more" in out.getvalue()


class TestShow:
    def test_an_edition_is_shown_as_an_equation(self, sent: list[Digest]) -> None:
        shown = ledger("show", NAME)
        assert "2 accepted by the provider" in shown
        assert "3 in all" in shown
        assert "Everything is settled." in shown

    def test_doubts_and_a_state_that_there_is_not_stand_in_it(self, sent: list[Digest]) -> None:
        doubt(sent[1])
        Digest.objects.filter(pk=sent[2].pk).update(status="lost")
        shown = ledger("show", NAME)
        assert "1 lost" in shown
        assert "Everything is settled, but for 1 in doubt." in shown

    def test_why_digests_did_not_go_out_stands_beneath_each_end(self, sent: list[Digest]) -> None:
        """As on the edition's page, also by `edition show`."""
        doubt(sent[1])
        Digest.objects.filter(pk=sent[2].pk).update(status="planned", reason="421 later")
        shown = ledger("show", NAME)
        for words, reason in {"planned": "421 later", "failed": "550 no", "in doubt": "lost"}.items():
            assert f"          1 {words}\n                    1 {reason}\n" in shown
        assert "of at most 5,000 digests of each kind" in shown
        out = StringIO()
        call_command("edition", "show", NAME, stdout=out)
        assert shown in out.getvalue()

    def test_a_reader_is_shown_by_address(self, sent: list[Digest]) -> None:
        shown = ledger("show", "Reader1@example.org")
        assert str(sent[1].uid) in shown
        assert f"next digest: {NOW + timedelta(hours=23):%Y-%m-%d %H:%M:%S} UTC" in shown

    def test_a_digest_is_shown_with_papers_and_events(self, sent: list[Digest]) -> None:
        Digest.objects.filter(pk=sent[1].pk).update(fencing_token=7)  # raised by a brake, too
        Event.objects.create(provider="Brevo", key="1", type="bounced", digest_uid=sent[1].uid, happened_at=NOW)
        shown = ledger("show", str(sent[1].uid))
        assert "Graph neural networks paper 1" in shown
        assert "Brevo: Bounced (not applied yet)" in shown
        assert "claimed 1 times" in shown

    @pytest.mark.parametrize("what", ["nobody@example.org", "daily:1999-01-01", "x", "0" * 32])
    def test_what_is_not_there_is_said(self, db: None, what: str) -> None:
        with pytest.raises(CommandError):
            ledger("show", what)


class TestRetryFailed:
    def test_what_was_refused_is_planned_again_and_sent(self, sent: list[Digest], relay: Relay) -> None:
        assert "1 are planned again" in ledger("retry-failed", NAME)
        relay.refuse.clear()
        deliver_batch()
        sent[0].refresh_from_db()
        assert sent[0].status == Status.ACCEPTED
        assert "hold" in ledger("check")

    def test_a_dry_run_changes_nothing(self, sent: list[Digest]) -> None:
        assert "1 would be planned" in ledger("retry-failed", NAME, "--dry-run")
        assert Digest.objects.filter(status=Status.FAILED).count() == 1

    def test_what_has_expired_needs_a_new_expiry(self, sent: list[Digest]) -> None:
        Digest.objects.update(expires_at=NOW)
        assert "0 are planned again. Left alone: 1 (expired" in ledger("retry-failed", NAME)
        ledger("retry-failed", NAME, "--expire-in", "3")
        assert Digest.objects.get(status=Status.PLANNED).expires_at == NOW + timedelta(hours=3)

    def test_what_a_provider_says_it_sent_is_left_alone(self, sent: list[Digest]) -> None:
        Event.objects.create(provider="Brevo", key="1", type="delivered", digest_uid=sent[0].uid, happened_at=NOW)
        said = "Left alone: 1 (the provider has told that it mailed them)."
        assert f"0 would be planned again. {said}" in ledger("retry-failed", NAME, "--dry-run")
        assert f"0 are planned again. {said}" in ledger("retry-failed", NAME)

    def test_it_is_on_record_by_whom(self, sent: list[Digest]) -> None:
        ledger("retry-failed", NAME)
        entry = LogEntry.objects.get()
        assert (entry.user.username, entry.user.is_active, entry.object_id) == ("command-line", False, str(sent[0].pk))
        assert "at the command line" in entry.change_message
        assert '"status": ["failed", "planned"]' in entry.change_message


class TestResolve:
    def test_not_sent_is_planned_again_with_its_papers_free(self, sent: list[Digest], relay: Relay) -> None:
        doubt(*sent[1:])
        ledger("resolve", NAME, "--as", "not-sent", "--yes-i-mean", "2 not-sent")
        assert not DigestPaper.objects.filter(digest__in=sent[1:]).exists()
        deliver_batch()
        assert Digest.objects.filter(status=Status.ACCEPTED).count() == 2
        assert len(relay.accepted) == 4

    def test_not_sent_is_not_believed_against_the_provider(self, sent: list[Digest], relay: Relay) -> None:
        doubt(*sent[1:])
        Event.objects.create(provider="Brevo", key="1", type="delivered", digest_uid=sent[1].uid, happened_at=NOW)
        said = ledger("resolve", NAME, "--as", "not-sent", "--yes-i-mean", "2 not-sent")
        assert "1 settled" in said
        assert "Left alone: 1 (the provider has told" in said
        sent[1].refresh_from_db()
        assert sent[1].status == "in_doubt"

    def test_accepted_keeps_its_papers(self, sent: list[Digest]) -> None:
        doubt(sent[1])
        ledger("resolve", str(sent[1].uid), "--as", "accepted", "--yes-i-mean", "1 accepted")
        sent[1].refresh_from_db()
        assert (sent[1].status, sent[1].reason) == ("accepted", "an operator decided: the provider has it")
        assert sent[1].papers.exists()

    def test_another_number_than_was_meant_changes_nothing(self, sent: list[Digest]) -> None:
        doubt(*sent[1:])
        with pytest.raises(CommandError, match="nothing was changed"):
            ledger("resolve", NAME, "--as", "not-sent", "--yes-i-mean", "1 not-sent")
        assert Digest.objects.filter(status=Status.IN_DOUBT).count() == 2

    def test_a_dry_run_says_what_to_type(self, sent: list[Digest]) -> None:
        doubt(sent[1])
        assert "“1 accepted”" in ledger("resolve", NAME, "--as", "accepted", "--dry-run")
        assert not LogEntry.objects.exists()

    @pytest.mark.parametrize("words", [[], ["--dry-run"]])
    def test_where_nothing_is_in_doubt_nothing_is_to_be_typed(self, sent: list[Digest], words: list[str]) -> None:
        said = ledger("resolve", str(sent[1].uid), "--as", "not-sent", *words)
        assert said == "In doubt: 0. Nothing was changed.\n"

    def test_of_a_stopped_edition_it_is_said_that_nothing_goes_out(self, sent: list[Digest]) -> None:
        doubt(sent[1])
        Edition.objects.update(status="cancelled")
        stopped = f"planned again. {sent[1].edition}: cancelled."
        assert stopped in ledger("retry-failed", NAME, "--dry-run")
        assert stopped in ledger("retry-failed", NAME)
        said = ledger("resolve", str(sent[1].uid), "--as", "not-sent", "--yes-i-mean", "1 not-sent")
        assert said == f"1 settled: it was not sent. {sent[1].edition}: cancelled.\n"

    def test_a_dry_run_says_what_would_be_left_alone(self, sent: list[Digest]) -> None:
        leave_two_alone(sent)
        known = "Left alone: 1 (the provider has told that it mailed them)."
        late = "Left alone: 1 (expired; --expire-in HOURS gives time)."
        not_sent = ["resolve", NAME, "--as", "not-sent", "--dry-run"]
        to_type = "To be typed: “2 {}”. Nothing was changed.\n".format
        assert ledger(*not_sent) == f"In doubt: 2. {known} {late} {to_type('not-sent')}"
        assert ledger(*not_sent, "--expire-in", "3") == f"In doubt: 2. {known} {to_type('not-sent')}"
        accepted = ledger("resolve", NAME, "--as", "accepted", "--dry-run")
        assert accepted == f"In doubt: 2. {to_type('accepted')}"


class TestByUids:
    """With a relay's log each doubt can be settled for itself."""

    def give(self, monkeypatch: pytest.MonkeyPatch, *lines: object) -> None:
        monkeypatch.setattr("sys.stdin", StringIO("".join(f"{line}\n" for line in lines)))

    def test_an_editions_doubts_are_listed_by_their_uids(self, sent: list[Digest]) -> None:
        doubt(*sent[1:])
        assert ledger("show", NAME, "--in-doubt").split() == [str(digest.uid) for digest in sent[1:]]
        assert ledger("show", NAME.upper(), "--in-doubt").split()

    def test_those_in_the_standard_input_are_settled(self, sent: list[Digest], monkeypatch: pytest.MonkeyPatch) -> None:
        doubt(*sent[1:])
        for digests, verdict, status in ((sent[1:2], "accepted", "accepted"), (sent[2:], "not-sent", "planned")):
            self.give(monkeypatch, *(digest.uid for digest in digests))
            ledger("resolve", "-", "--as", verdict, "--yes-i-mean", f"1 {verdict}")
            assert {Digest.objects.get(pk=digest.pk).status for digest in digests} == {status}

    def test_one_that_is_none_settles_nothing(self, sent: list[Digest], monkeypatch: pytest.MonkeyPatch) -> None:
        doubt(*sent[1:])
        for odd, words in (("foo", "Line 2 is no uid"), (uuid4(), "Of 1 of these uids there is no digest")):
            self.give(monkeypatch, sent[1].uid, odd)
            with pytest.raises(CommandError, match=words):
                ledger("resolve", "-", "--as", "accepted", "--yes-i-mean", "1 accepted")
        assert Digest.objects.filter(status="in_doubt").count() == 2


class TestInTheAdmin:
    def post(self, client: Client, action: str, digest: Digest, model: str = "digest", **more: str) -> str:
        pk = digest.pk if model == "digest" else digest.edition_id
        asked = {"action": action, "_selected_action": [pk]} | more
        return client.post(f"/admin/newsletter/{model}/", asked, secure=True, follow=True).content.decode()

    @pytest.mark.parametrize("model", ["digest", "edition"])
    def test_a_doubt_is_decided_after_its_name_was_typed(
        self, admin_client: Client, sent: list[Digest], model: str
    ) -> None:
        doubt(sent[1])
        assert "Type “" in self.post(admin_client, "was_not_sent", sent[1], model)
        name = str(sent[1] if model == "digest" else sent[1].edition)
        self.post(admin_client, "was_not_sent", sent[1], model, typed=name)
        sent[1].refresh_from_db()
        assert sent[1].status == Status.PLANNED
        assert LogEntry.objects.filter(object_id=sent[1].pk).count() == 1

    @pytest.mark.parametrize("model", ["digest", "edition"])
    def test_what_is_left_alone_is_said_before_and_after(
        self, admin_client: Client, sent: list[Digest], model: str
    ) -> None:
        leave_two_alone(sent)
        told, late = (
            "Left alone: 1 (the provider has told that it mailed them).",
            "Left alone: 1 (expired).",
        )
        all_of_them = {"action": "was_not_sent", "_selected_action": [one.pk for one in sent]}
        if model == "edition":
            all_of_them["_selected_action"] = [sent[0].edition_id]
        address = f"/admin/newsletter/{model}/"
        asked = admin_client.post(address, all_of_them, secure=True).content.decode()
        assert f"In doubt: 2. {told} {late} It concerns:" in asked
        name = "3 digests" if model == "digest" else str(sent[0].edition)
        said = admin_client.post(address, all_of_them | {"typed": name}, secure=True, follow=True).content.decode()
        assert f"0 in doubt settled: it was not sent. {told} {late}" in said

    def test_a_retry_says_what_it_left_alone(self, admin_client: Client, sent: list[Digest]) -> None:
        Digest.objects.update(expires_at=NOW)
        said = self.post(admin_client, "retry_failed", sent[0], "edition", typed=str(sent[0].edition))
        assert "0 planned again. Left alone: 1 (expired)." in said

    def test_the_failed_ones_of_an_edition_are_tried_again(self, admin_client: Client, sent: list[Digest]) -> None:
        self.post(admin_client, "retry_failed", sent[0], "edition", typed=str(sent[0].edition))
        sent[0].refresh_from_db()
        assert sent[0].status == Status.PLANNED

    def test_who_may_only_look_decides_nothing(
        self, client: Client, sent: list[Digest], django_user_model: type
    ) -> None:
        doubt(sent[1])
        user = django_user_model.objects.create_user("auditor", is_staff=True)  # type: ignore[attr-defined]
        user.user_permissions.set(Permission.objects.filter(codename="view_digest"))
        client.force_login(user)
        self.post(client, "was_not_sent", sent[1], typed=str(sent[1]))
        sent[1].refresh_from_db()
        assert sent[1].status == Status.IN_DOUBT
