"""Each provider's events, through HTTP: signed, stored, applied; and nobody else's."""

import json
from base64 import b64encode
from datetime import timedelta
from functools import cache
from http import HTTPStatus

import pytest
from anymail.exceptions import AnymailWebhookValidationFailure
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from django.test import Client
from pytest_django import Settings

from newsletter.delivery.feedback import events, sns
from newsletter.models import Digest, Edition, Event
from newsletter.views.webhooks import VIEWS
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned
from tests.newsletter.payloads import (
    AMAZON_KEY,
    CERTIFICATE,
    KINDS,
    MANDRILL_URL,
    POSTAL_KEY,
    PROVIDERS,
    SECRET,
    TS,
    Call,
    amazon_ses,
    as_json,
    brevo,
    mailgun,
    postmark,
    resend,
)

# anymail no longer looks after SendGrid, and says so.
pytestmark = pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning")
BECOMES = {"delivered": "delivered", "hard": "bounced", "soft": "accepted", "complained": "complained"}
# Mandrill tells that it sent, and never that it was delivered; Postal knows no complaints.
UNTOLD = {("postal", "complained")}
POSTAL_PUBLIC = POSTAL_KEY.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
EACH = [(name, kind) for name in PROVIDERS for kind in KINDS if (name, kind) not in UNTOLD]


@cache  # a key of two thousand bits signs it
def certificate(name: str) -> x509.Certificate:
    """A certificate for Amazon's key from an authority of the test's own."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The test's own authority")])
    builder = x509.CertificateBuilder(authority, subject, AMAZON_KEY.public_key(), x509.random_serial_number())
    valid = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    return valid.sign(POSTAL_KEY, hashes.SHA256())


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What lies at Amazon's addresses, in the place of the network."""
    there = {CERTIFICATE: certificate("sns.amazonaws.com").public_bytes(serialization.Encoding.PEM)}
    monkeypatch.setattr(sns, "certificate", there.__getitem__)
    return there


@pytest.fixture(autouse=True)
def _secrets(settings: Settings, amazon: dict[str, bytes]) -> None:
    settings.ANYMAIL = {
        "WEBHOOK_SECRET": SECRET,
        "MAILGUN_WEBHOOK_SIGNING_KEY": "mailgun-key",
        "MAILERSEND_SIGNING_SECRET": "mailersend-secret",
        "MANDRILL_WEBHOOK_KEY": "mandrill-key",
        "MANDRILL_WEBHOOK_URL": MANDRILL_URL,
        "POSTAL_WEBHOOK_KEY": b64encode(POSTAL_PUBLIC).decode(),
        "UNISENDER_GO_API_KEY": "unisender-key",
    }


@pytest.fixture
def digest(edition: Edition, alice: Subscriber) -> Digest:
    digest = planned(edition, alice)
    told = {"status": "accepted", "submitted_at": NOW, "provider_id": "62fb66bef54a112e920b5493"}
    Digest.objects.update(**told)
    return digest


def post(client: Client, name: str, call: Call, secret: str = SECRET) -> int:
    headers = {"HTTP_AUTHORIZATION": f"Basic {b64encode(secret.encode()).decode()}"} if secret else {}
    address = f"/anymail/{name}/tracking/"
    return client.post(address, call.body, call.content_type, secure=True, **headers, **call.headers).status_code


def test_every_provider_has_its_payloads() -> None:
    assert set(PROVIDERS) == set(VIEWS)


@pytest.mark.parametrize(("name", "kind"), EACH)
def test_what_a_provider_tells_changes_its_digest(client: Client, digest: Digest, name: str, kind: str) -> None:
    for _ in range(3):
        assert post(client, name, PROVIDERS[name](kind, str(digest.uid))) in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED}
    assert Event.objects.count() == 1
    assert events.apply_stored(NOW) == 1
    digest.refresh_from_db()
    expected = "accepted" if (name, kind) == ("mandrill", "delivered") else BECOMES[kind]
    assert digest.status == expected
    status = Subscriber.objects.get().status
    assert status == {"hard": "bounced", "complained": "complained"}.get(kind, "active")


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("secret", ["", "papers:guessed"])
def test_without_the_secret_nothing_is_taken(client: Client, digest: Digest, name: str, secret: str) -> None:
    assert post(client, name, PROVIDERS[name]("hard", str(digest.uid)), secret) == HTTPStatus.UNAUTHORIZED
    assert not Event.objects.exists()


def test_a_site_that_has_no_secret_takes_nothing(client: Client, digest: Digest, settings: Settings) -> None:
    del settings.ANYMAIL["WEBHOOK_SECRET"]
    assert post(client, "postmark", postmark("hard", str(digest.uid)), "") == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("name", ["mailgun", "mailersend", "mandrill", "postal", "unisender_go", "amazon_ses"])
def test_a_body_that_was_altered_is_not_taken(client: Client, digest: Digest, name: str) -> None:
    call = PROVIDERS[name]("hard", str(digest.uid))
    call.body = call.body.replace(b"alice", b"mallo") if name != "mailgun" else call.body.replace(b"aaaaa", b"baaaa")
    assert post(client, name, call) == HTTPStatus.UNAUTHORIZED
    assert not Event.objects.exists()


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b"7", b"\xff", b'{"event":{"x":[]}}', b"mandrill_events=1", b"[" * 200_000]
)
def test_nonsense_is_refused_and_never_a_fault_of_ours(client: Client, db: None, name: str, body: bytes) -> None:
    assert post(client, name, Call(body)) in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}
    assert not Event.objects.filter(type__in=["bounced", "complained"]).exists()


@pytest.mark.parametrize(
    "odd",
    [
        {"email": 7},
        {"email": "\ud800@example.org"},
        {"type": []},
        {"sg_event_id": 77},
        {"sg_event_id": "b\0"},
        {"sg_event_id": "\ud800"},
        {"reason": {"a": 1}},
        {"timestamp": "soon"},
    ],
)
def test_an_odd_event_takes_none_of_the_others_along(client: Client, digest: Digest, odd: dict[str, object]) -> None:
    good = json.loads(PROVIDERS["sendgrid"]("complained", str(digest.uid)).body)
    strange = json.loads(PROVIDERS["sendgrid"]("hard", str(digest.uid)).body)[0] | odd
    status = post(client, "sendgrid", Call(json.dumps([strange, *good]).encode()))
    if status == HTTPStatus.OK:
        assert Event.objects.filter(type="complained").exists()
    else:
        assert (status, odd) == (HTTPStatus.BAD_REQUEST, {"timestamp": "soon"})  # anymail reads all or nothing


def test_brevo_may_tell_many_events_a_call(client: Client, digest: Digest) -> None:
    told = [json.loads(brevo(kind, str(digest.uid)).body) for kind in ("delivered", "complained")]
    assert post(client, "brevo", as_json([told[0], "odd", {"event": 1, "ts_epoch": []}, told[1]])) == HTTPStatus.OK
    assert events.apply_stored(NOW) == 2
    digest.refresh_from_db()
    assert digest.status == "complained"


def test_what_is_no_event_among_many_is_one_line_in_the_log(
    client: Client, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert post(client, "brevo", as_json([1, "x", None, {"event": "delivered", "ts_epoch": []}])) == HTTPStatus.OK
    [line] = caplog.records
    assert (line.levelname, line.exc_info) == ("WARNING", None)
    assert line.getMessage() == "4 of 4 events of Brevo in one call cannot be read: AttributeError, TypeError"


def test_what_resend_took_and_could_not_send_has_failed(client: Client, digest: Digest) -> None:
    assert post(client, "resend", resend("failed", str(digest.uid))) == HTTPStatus.OK
    events.apply_stored(NOW)
    digest.refresh_from_db()
    assert digest.status == "failed"


@pytest.mark.parametrize("when", [1e30, -1e30, 10**400])
def test_a_time_that_is_none_is_the_callers_fault(client: Client, digest: Digest, when: float) -> None:
    event = json.loads(PROVIDERS["sendgrid"]("hard", str(digest.uid)).body)[0] | {"timestamp": when}
    assert post(client, "sendgrid", Call(json.dumps([event]).encode())) == HTTPStatus.BAD_REQUEST


def test_whether_anybody_is_there_may_be_asked(client: Client, db: None) -> None:
    assert client.head("/anymail/mandrill/tracking/", secure=True).status_code == HTTPStatus.OK
    assert client.get("/anymail/mandrill/tracking/", secure=True).status_code == HTTPStatus.METHOD_NOT_ALLOWED


class TestMailgun:
    @pytest.mark.parametrize(("seconds", "status"), [(299, 200), (-299, 200), (301, 401), (-301, 401)])
    def test_a_signature_is_good_for_five_minutes(
        self, client: Client, digest: Digest, seconds: int, status: int
    ) -> None:
        assert post(client, "mailgun", mailgun("hard", str(digest.uid), at=TS - seconds)) == status

    def test_a_signature_is_good_once(self, client: Client, digest: Digest) -> None:
        assert post(client, "mailgun", mailgun("delivered", str(digest.uid))) == HTTPStatus.OK
        assert post(client, "mailgun", mailgun("complained", str(digest.uid))) == HTTPStatus.UNAUTHORIZED

    def test_the_same_event_signed_anew_is_the_same_event(self, client: Client, digest: Digest) -> None:
        for token in "bc":
            assert post(client, "mailgun", mailgun("hard", str(digest.uid), token * 50)) == HTTPStatus.OK
        assert Event.objects.count() == 1


class TestAmazon:
    @pytest.mark.parametrize(
        "url",
        [
            "http://sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
            "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
            "https://x@sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com/a.txt",
        ],
    )
    def test_a_certificate_comes_from_amazon_alone(
        self, client: Client, digest: Digest, amazon: dict[str, bytes], url: str
    ) -> None:
        amazon[url] = amazon[CERTIFICATE]
        assert post(client, "amazon_ses", amazon_ses("hard", str(digest.uid), url)) == HTTPStatus.UNAUTHORIZED

    @pytest.mark.parametrize(("name", "late"), [("evil.example", 0), ("sns.amazonaws.com", 2)])
    def test_a_certificate_is_amazons_and_valid(
        self, digest: Digest, amazon: dict[str, bytes], name: str, late: int
    ) -> None:
        amazon[CERTIFICATE] = certificate(name).public_bytes(serialization.Encoding.PEM)
        message = json.loads(amazon_ses("hard", str(digest.uid)).body)
        with pytest.raises(AnymailWebhookValidationFailure):
            sns.verify(message, NOW + timedelta(days=late))

    def test_what_is_kept_must_be_a_certificate(self, client: Client, digest: Digest, amazon: dict[str, bytes]) -> None:
        amazon[CERTIFICATE] = b"<html>"
        assert post(client, "amazon_ses", amazon_ses("hard", str(digest.uid))) == HTTPStatus.UNAUTHORIZED

    def test_another_version_of_signing_is_not_believed(self, client: Client, digest: Digest) -> None:
        call = amazon_ses("hard", str(digest.uid), SignatureVersion="3")
        assert post(client, "amazon_ses", call) == HTTPStatus.UNAUTHORIZED

    def test_a_type_that_was_changed_is_not_believed(self, client: Client, digest: Digest) -> None:
        call = amazon_ses("hard", str(digest.uid), Type="SubscriptionConfirmation")
        assert post(client, "amazon_ses", call) == HTTPStatus.UNAUTHORIZED  # the type is signed too
        assert not Event.objects.exists()
