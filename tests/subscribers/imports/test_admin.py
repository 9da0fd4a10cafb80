"""The operator's way through an import, and who may go it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from subscribers import tasks
from subscribers.models import Import, Subscriber, Suppression
from tests.subscribers.imports.conftest import finish, rows, stored

ADD = reverse("admin:subscribers_import_add")
LIST = reverse("admin:subscribers_import_changelist")
LOOK_UP = reverse("admin:subscribers_suppression_look_up")
STEPS = {"view": ["view_import"], "add": ["add_import"], "decide": ["view_import", "change_import"]}


@pytest.fixture
def olga(client: Client, db: None) -> User:
    """Staff without any permission, signed in."""
    user = User.objects.create_user("olga", is_staff=True)
    client.force_login(user)
    return user


def allow(user: User, *names: str) -> None:
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))


def upload(client: Client, content: bytes) -> object:
    return client.post(ADD, {"file": SimpleUploadedFile("readers.csv", content)})


def page(job: Import, name: str = "change") -> str:
    return reverse(f"admin:subscribers_import_{name}", args=[job.pk])


def test_from_an_upload_to_readers(admin_client: Client) -> None:
    assert b"consent_source" in admin_client.get(ADD).content
    upload(admin_client, rows("carol@example.org", "=none").encode())
    job = Import.objects.get()
    assert (job.status, job.uploaded_by, job.file_name) == ("checking", "admin", "readers.csv")
    waiting = admin_client.get(page(job))
    assert waiting["Refresh"]
    assert b"<progress" in waiting.content
    tasks.continue_import(job.pk)  # the worker
    checked = admin_client.get(page(job))
    assert "Refresh" not in checked
    assert b"1 imported" in checked.content
    assert b"&#x27;=none" in checked.content
    assert not Subscriber.objects.exists()
    assert admin_client.post(page(job, "confirm")).status_code == 302
    tasks.continue_import(job.pk)
    assert Subscriber.objects.mailable().get().email == "carol@example.org"
    done = b"".join(admin_client.post(page(job, "report")).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert done.splitlines()[1].startswith("3,'=none,no address,")
    assert b"Confirmed by admin" in admin_client.get(page(job)).content
    assert LogEntry.objects.filter(object_id=job.pk).count() == 3


def test_it_can_be_cancelled_and_then_not_confirmed(admin_client: Client) -> None:
    job = finish(stored(rows("carol@example.org")))
    admin_client.post(page(job, "cancel"))
    answer = admin_client.post(page(job, "confirm"), follow=True)
    assert b"There is nothing to confirm" in answer.content
    assert Import.objects.get().status == "cancelled"


def test_what_was_refused_is_set_aside_once_and_on_record_by_whom(admin_client: Client) -> None:
    job = finish(stored(b""))
    assert b"Set it aside" in admin_client.get(page(job)).content
    seen = admin_client.post(page(job, "set_aside"), follow=True).content
    assert b"Set aside by admin" in seen
    assert b"Set it aside" not in seen
    assert b"set aside already" in admin_client.post(page(job, "set_aside"), follow=True).content
    assert (Import.objects.get().status, LogEntry.objects.get().object_id) == ("refused", str(job.pk))
    assert '"action": "set aside"' in LogEntry.objects.get().change_message


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"email\n", b"\0" * 100])
def test_a_bad_upload_is_answered_in_words(admin_client: Client, content: bytes) -> None:
    upload(admin_client, content)
    for job in Import.objects.all():
        tasks.continue_import(job.pk)
        assert Import.objects.get().fault
        assert Import.objects.get().fault.encode()[:20] in admin_client.get(page(job)).content


def test_no_file_is_answered_in_words(admin_client: Client) -> None:
    assert b"This field is required" in admin_client.post(ADD).content


@pytest.mark.parametrize("may", ["", *STEPS])
def test_each_step_has_its_permission(client: Client, olga: User, may: str) -> None:
    allow(olga, *STEPS.get(may, []))
    job = finish(stored(rows("carol@example.org", "none")))
    assert (client.get(page(job)).status_code == 200) == (may in {"view", "decide"})
    assert (client.get(ADD).status_code == 200) == (may == "add")
    assert client.post(page(job, "report")).status_code == 403
    for step in ("confirm", "cancel", "set_aside"):
        assert client.get(page(job, step)).status_code == (405 if may == "decide" else 403)
    assert (client.post(page(job, "confirm")).status_code == 302) == (may == "decide")
    assert (Import.objects.get().status == "running") == (may == "decide")


def test_addresses_are_shown_to_who_may_see_readers(client: Client, olga: User) -> None:
    job = finish(stored(rows("carol at example.org")))
    allow(olga, "view_import")
    assert b"carol" not in client.get(page(job)).content
    allow(olga, "view_subscriber")
    assert b"carol at example.org" in client.get(page(job)).content
    assert client.get(page(job, "report")).status_code == 405
    assert "no-store" in client.post(page(job, "report"))["Cache-Control"]
    assert "took its report" in LogEntry.objects.get().change_message


def test_an_import_is_neither_edited_nor_deleted(admin_client: Client) -> None:
    job = finish(stored(rows("carol@example.org")))
    assert admin_client.post(page(job), {"status": "running"}).status_code == 405
    assert admin_client.post(page(job, "delete")).status_code == 403
    assert admin_client.get(LIST).status_code == 200
    assert admin_client.get(f"{LIST}x/change/").status_code == 404


# --- the page that looks an address up --------------------------------------------------------------


def ask(client: Client, action: str, address: str = "Alice@Example.org.", words: str = "") -> str:
    form = {"action": action, "address": address, "words": words}
    return client.post(LOOK_UP, form, follow=True).content.decode()


def test_an_operator_suppresses_looks_up_and_lifts(admin_client: Client, alice: Subscriber) -> None:
    assert "Nothing suppresses it" in ask(admin_client, "look")
    assert "Say why" in ask(admin_client, "suppress")
    assert not Suppression.objects.exists()
    assert "Nothing is mailed to it from now on" in ask(admin_client, "suppress", words="asked by telephone")
    found = ask(admin_client, "look")
    assert "an operator&#x27;s decision" in found
    assert "Its subscription: active" in found
    assert "first reason stands" in ask(admin_client, "suppress", words="again")
    assert '"action": "suppress"' in LogEntry.objects.get().change_message
    reader = admin_client.get(reverse("admin:subscribers_subscriber_change", args=[alice.pk]))
    assert b"no: suppressed: an operator" in reader.content
    assert "It may be mailed again" in ask(admin_client, "lift", words="asked to come back")
    assert "Nothing suppresses it" in ask(admin_client, "look")
    assert "Nothing suppressed it" in ask(admin_client, "lift", words="again")
    assert list(Suppression.objects.about("alice@example.org").values_list("by", "words")) == [
        ("admin", "asked to come back"),
        ("admin", "asked by telephone"),
    ]


@pytest.mark.parametrize("action", ["suppress", "lift"])
def test_a_decision_leads_to_a_page_that_can_be_loaded_again_and_names_no_address(
    admin_client: Client, action: str
) -> None:
    if action == "lift":
        Suppression.objects.add("alice@example.org", "operator", "by mistake", "olga")
    form = {"action": action, "address": "alice@example.org", "words": "asked by telephone"}
    answer = admin_client.post(LOOK_UP, form)
    row = Suppression.objects.earliest("-pk")
    assert answer.headers["Location"] == reverse("admin:subscribers_suppression_change", args=[row.pk])
    for _ in range(2):
        page = admin_client.get(answer.headers["Location"]).content.decode()
    assert "asked by telephone" in page
    assert "alice" not in page + str(answer.headers) + str(answer.cookies)
    assert row == Suppression.objects.earliest("-pk")


@pytest.mark.parametrize("address", ["", "alice", "a\0@x.org", "a@x.org, b@x.org", "x" * 10_000])
def test_what_is_no_address_is_answered_in_words(admin_client: Client, address: str) -> None:
    assert "does not look like an email address" in ask(admin_client, "suppress", address, "why")


@pytest.mark.parametrize(("action", "name"), [("suppress", "add_suppression"), ("lift", "lift_suppression")])
def test_deciding_takes_a_permission_beside_looking(client: Client, olga: User, action: str, name: str) -> None:
    assert client.get(LOOK_UP).status_code == 403
    allow(olga, "view_suppression")
    if action == "lift":
        Suppression.objects.add("alice@example.org", "operator")
    assert 'name="words"' not in ask(client, "look")
    assert client.post(LOOK_UP, {"action": action, "address": "alice@example.org", "words": "x"}).status_code == 403
    allow(olga, name)
    assert 'name="words"' in ask(client, "look")
    ask(client, action, words="x")
    assert 'name="words"' not in ask(client, "look"), "the opposite takes the other permission"
