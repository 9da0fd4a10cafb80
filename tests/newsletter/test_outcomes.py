"""An exception does not mean "not sent"."""

import json
import smtplib
from datetime import timedelta
from threading import Event

import pytest
import requests
from pytest_django.fixtures import Settings

from newsletter.delivery.wire.outcomes import Kind, by_postmark_code, on_connect, on_submit, retry_after
from newsletter.delivery.wire.provider import Provider
from tests.newsletter.conftest import message_to
from tests.stubs import Api, Relay


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (smtplib.SMTPRecipientsRefused({"a@b.example": (550, b"no such user")}), Kind.REFUSED),
        (smtplib.SMTPRecipientsRefused({"a@b.example": (450, b"try later")}), Kind.LATER),
        (smtplib.SMTPDataError(554, b"spam"), Kind.REFUSED),
        (smtplib.SMTPDataError(451, b"greylisted"), Kind.LATER),
        (smtplib.SMTPSenderRefused(550, b"not yours", "us@b.example"), Kind.HALT),
        (smtplib.SMTPServerDisconnected("gone"), Kind.DOUBT),
        (TimeoutError("timed out"), Kind.DOUBT),
        (ConnectionResetError("reset"), Kind.DOUBT),
        (requests.ConnectTimeout("no answer"), Kind.UNSENT),
        (requests.ReadTimeout("no answer"), Kind.DOUBT),
        (ValueError("anything"), Kind.DOUBT),
    ],
)
def test_an_error_while_submitting_is_judged_by_what_is_known(error: Exception, kind: Kind) -> None:
    assert on_submit(error).kind is kind


def test_a_failure_to_connect_means_nothing_was_sent() -> None:
    assert on_connect(ConnectionRefusedError("refused")).kind is Kind.UNSENT
    assert on_connect(smtplib.SMTPAuthenticationError(535, b"bad password")).kind is Kind.HALT


def test_a_reason_carries_nobodys_address() -> None:
    outcome = on_submit(smtplib.SMTPRecipientsRefused({"a@b.example": (550, b"<a@b.example> unknown")}))
    assert outcome.reason == "550 <(address)> unknown"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30),
        ("60", 60),
        ("0", 0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("99999999", 3600),
        ("9" * 5000, None),
        ("²", None),
    ],
)
def test_a_providers_wait_is_believed_within_reason(header: str, seconds: int | None) -> None:
    assert retry_after(header) == (None if seconds is None else timedelta(seconds=seconds))


def submit() -> tuple[Kind, str]:
    with Provider() as provider:
        outcome = provider.submit(message_to("alice@example.org"))
    return outcome.kind, outcome.provider_id


def test_a_relay_that_takes_the_message_has_accepted_it(relay: Relay) -> None:
    kind, provider_id = submit()
    assert kind is Kind.ACCEPTED
    assert provider_id == relay.accepted[0]["Message-ID"]
    assert relay.recipients == ["alice@example.org"]


def test_a_relay_that_hangs_up_after_the_message_leaves_it_in_doubt(relay: Relay) -> None:
    relay.hang_up = True
    assert submit()[0] is Kind.DOUBT
    assert len(relay.accepted) == 1


def test_a_relay_that_is_not_there_was_sent_nothing(relay: Relay, settings: Settings) -> None:
    settings.EMAIL_PORT = 1
    assert submit()[0] is Kind.UNSENT


def test_a_lost_connection_is_opened_again(relay: Relay) -> None:
    relay.hang_up = True
    with Provider() as provider:
        assert provider.submit(message_to("alice@example.org")).kind is Kind.DOUBT
        relay.hang_up = False
        assert provider.submit(message_to("bob@example.org")).kind is Kind.ACCEPTED


def test_a_provider_that_takes_the_message_names_it(postmark: Api) -> None:
    assert submit() == (Kind.ACCEPTED, "b7bc2f4a")
    assert postmark.requests[0]["To"] == "alice@example.org"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Kind.REFUSED),
        (401, Kind.HALT),
        (402, Kind.HALT),  # not paid for
        (403, Kind.HALT),
        (404, Kind.HALT),
        (408, Kind.DOUBT),
        (409, Kind.DOUBT),
        (410, Kind.HALT),
        (413, Kind.REFUSED),
        (420, Kind.LATER),
        (422, Kind.REFUSED),
        (429, Kind.LATER),
        (500, Kind.DOUBT),
        (503, Kind.DOUBT),
    ],
)
def test_a_providers_refusal_is_judged_by_its_status(postmark: Api, status: int, kind: Kind) -> None:
    postmark.status, postmark.body = status, '{"ErrorCode": 1, "Message": "no"}'
    assert submit()[0] is kind


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        (406, "Found inactive addresses: alice@example.org.\n Inactive recipients are ones", Kind.REFUSED),
        (300, "Invalid 'To' address: 'alice@example.org'.", Kind.REFUSED),
        (402, "Invalid JSON", Kind.REFUSED),
        (300, "Invalid 'From' address", Kind.HALT),
        (405, "Not allowed to send", Kind.HALT),
        (412, "Account is pending", Kind.HALT),
        (100, "Maintenance", Kind.LATER),
    ],
)
def test_what_postmark_calls_the_fault_says_whose_it_is(postmark: Api, code: int, words: str, kind: Kind) -> None:
    postmark.status, postmark.body = 422, json.dumps({"ErrorCode": code, "Message": words})
    assert submit()[0] is kind


def test_garbage_after_success_is_in_doubt(postmark: Api) -> None:
    postmark.body = "<html>"
    assert submit()[0] is Kind.DOUBT


def test_a_provider_that_never_answers_leaves_doubt(postmark: Api) -> None:
    postmark.silent = Event()
    assert submit()[0] is Kind.DOUBT
    assert len(postmark.requests) == 1


def test_a_provider_that_is_not_there_was_sent_nothing(postmark: Api, settings: Settings) -> None:
    settings.ANYMAIL = settings.ANYMAIL | {"POSTMARK_API_URL": "http://127.0.0.1:1/"}
    assert submit()[0] is Kind.UNSENT


def test_a_message_for_two_is_never_submitted(relay: Relay) -> None:
    message = message_to("alice@example.org")
    message.cc = ["bob@example.org"]
    with Provider() as provider, pytest.raises(ValueError, match="one recipient"):
        provider.submit(message)
    assert relay.accepted == []


def test_a_sender_that_is_refused_blames_nobodys_mailbox() -> None:
    outcome = on_submit(smtplib.SMTPSenderRefused(550, b"5.1.1 who are you", "us@b.example"))
    assert (outcome.kind, outcome.no_mailbox) == (Kind.HALT, False)


@pytest.mark.parametrize(
    ("said", "is_gone"),
    [
        ((550, b"5.1.1 <a@b.example>: Recipient address rejected: User unknown in local recipient table"), True),
        ((550, b"5.1.1 The email account that you tried to reach does not exist.\n5.1.1 Learn more"), True),
        ((550, b"5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"), True),
        ((550, b"5.1.2 Domain not found"), True),
        ((550, b"5.2.1 The user is receiving mail at a rate that prevents additional messages"), False),
        ((554, b"5.7.1 Relay access denied"), False),
        ((550, b"5.1.8 Sender address rejected: Domain not found"), False),
        ((550, b"relay not permitted"), False),
        ((550, b"Unrouteable address"), True),  # Exim
        ((550, b"sorry, no mailbox here by that name. (#5.1.1)"), True),  # qmail
        ((551, b"User unknown"), True),
        ((550, b"User unknown. Contact sender support"), True),
        ((550, b"5.7.1 No such user, says our policy"), False),
        ((550, b"Verification failed for <us@b.example>\nUnrouteable address\nSender verify failed"), False),
        ((450, b"4.1.1 try later"), False),
    ],
)
def test_a_relay_blames_the_address_by_its_enhanced_code_or_where_it_has_none_by_its_words(
    said: tuple[int, bytes], is_gone: bool
) -> None:
    assert on_submit(smtplib.SMTPRecipientsRefused({"a@b.example": said})).no_mailbox is is_gone


@pytest.mark.parametrize(
    ("code", "words", "is_gone"),
    [
        (406, "You tried to send to a recipient that has been marked as inactive.", True),
        (300, "Error parsing 'To': Illegal email address", True),
        (300, "Error parsing 'ReplyTo': Illegal email domain", False),
        (300, "Invalid metadata content.", False),
    ],
)
def test_postmark_blames_the_address_by_its_words(code: int, words: str, is_gone: bool) -> None:
    assert by_postmark_code(code, words, words).no_mailbox is is_gone


def test_an_inactive_recipient_is_blamed_in_a_call_of_one_too(postmark: Api) -> None:
    postmark.status = 422
    postmark.body = (
        '{"ErrorCode": 406, "Message": "You tried to send to a recipient that has been marked as inactive.\\n'
        'Found inactive addresses: alice@example.org.\\nInactive recipients are ones that have bounced."}'
    )
    with Provider() as provider:
        outcome = provider.submit(message_to("alice@example.org"))
    assert (outcome.kind, outcome.no_mailbox) == (Kind.REFUSED, True)
