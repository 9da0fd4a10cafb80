"""What is too long is answered in words before it is read, and a body in chunks is not lost."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from newsletter.middleware.bodies import LONGEST_FORM
from subscribers import links
from subscribers.models import Import, Subscriber, SubscriptionRequest

CAROL = {"email": "carol@example.org", "cadence": "daily", "local_hour": "8"}
FORM = "application/x-www-form-urlencoded"
ONE_CLICK = b"List-Unsubscribe=One-Click"


@pytest.fixture(autouse=True)
def without_tls(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False


def in_chunks(path: str, body: bytes, **environ: object) -> int:
    """The status that a server without the length gets; it ends the input with the body, if it says so."""
    server = {"wsgi.input": BytesIO(body), "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    return Client().post(path, content_type=FORM, **server | environ).status_code  # type: ignore[arg-type]


def test_a_long_field_that_nobody_knows_is_refused_with_the_rest(client: Client, db: None) -> None:
    answer = client.post(reverse("subscribe"), CAROL | {"unknown": "x" * 1_000_000})
    assert (answer.status_code, answer["Cache-Control"]) == (413, "no-store")
    assert "larger than this form takes" in answer.content.decode()
    assert not SubscriptionRequest.objects.exists()


@pytest.mark.parametrize(
    "route", ["preferences", "move", "pause_until", "erase", "leave", "pause", "resume", "confirm"]
)
def test_no_form_behind_a_secret_link_takes_more(client: Client, alice: Subscriber, route: str) -> None:
    path = reverse(route, args=[links.preferences_token(alice)])
    answer = client.post(path, b"x=" + b"x" * LONGEST_FORM, content_type=FORM)
    assert answer.status_code == 413
    assert answer["Referrer-Policy"] == "no-referrer"


def test_too_many_fields_are_called_that(client: Client, db: None) -> None:
    answer = client.post(reverse("subscribe"), CAROL | {f"f{number}": "" for number in range(2_000)})
    assert answer.status_code == 413
    assert "larger than this form takes" in answer.content.decode()


def test_a_length_that_is_no_number_breaks_nothing(client: Client, db: None) -> None:
    assert client.post(reverse("subscribe"), b"", content_type=FORM, CONTENT_LENGTH="many").status_code == 422


def test_an_operator_uploads_a_long_list(admin_client: Client) -> None:
    rows = b"email,consent_source,consent_at\n" + b"ann@example.org,a form,2026-01-01\n" * 90_000  # 3 MB
    path = reverse("admin:subscribers_import_add")
    admin_client.post(path, {"file": SimpleUploadedFile("list.csv", rows)})
    assert Import.objects.get().file_name == "list.csv"


def test_unsubscribing_in_chunks_unsubscribes(alice: Subscriber) -> None:
    path = reverse("one_click", args=[alice.leave_key])
    assert in_chunks(path, ONE_CLICK, **{"wsgi.input_terminated": True}) == 200
    assert Subscriber.objects.get().status == "unsubscribed"


def test_chunks_without_end_are_read_no_further_than_the_limit(alice: Subscriber) -> None:
    endless = BytesIO(ONE_CLICK + b"&x=" + b"x" * 1_000_000)
    path = reverse("one_click", args=[alice.leave_key])
    assert in_chunks(path, b"", **{"wsgi.input_terminated": True, "wsgi.input": endless}) == 413
    assert endless.tell() == LONGEST_FORM + 1


def test_chunks_whose_end_the_server_does_not_tell_are_asked_for_with_their_length(alice: Subscriber) -> None:
    assert in_chunks(reverse("one_click", args=[alice.leave_key]), ONE_CLICK) == 411
    assert Subscriber.objects.get().status == "active"
