"""The admin as a whole: who gets in, who may do what, and that all of it is on record."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as project
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.core import signing
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import DjangoAssertNumQueries, Settings
from time_machine import Traveller

from newsletter import audit, pulses
from newsletter.cockpit import second_factor
from newsletter.cockpit.model_admins import DEEPEST, Shallow
from newsletter.models import Edition, Pulse
from subscribers.models import Subscriber, Suppression
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("fixed_clock")

INDEX, LOGIN, FACTOR = reverse("admin:index"), reverse("admin:login"), reverse("admin:second_factor")
EDITIONS = reverse("admin:newsletter_edition_changelist")
LISTS = [
    reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in admin.site._registry
]


def person(name: str, *roles: str, password: str | None = None) -> User:
    user = User.objects.create_user(name, password=password, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def sign_in(*roles: str, name: str = "ada") -> Client:
    client = Client()
    client.force_login(person(name, *roles))
    return client


def answer_to(page: HttpResponse, off_by: int = 0) -> dict[str, str]:
    """The form of a page that shows a new key, with the code that the key has now; or with another."""
    key = re.search(r'name="key" value="([^"]+)"', page.content.decode())[1]
    secret = signing.loads(key, salt=second_factor.SALT)[1]
    return {"key": key, "code": f"{(totp(bytes.fromhex(secret)) + off_by) % 1_000_000:06}"}


@pytest.fixture
def edition(db: None) -> Edition:
    return Edition.objects.create(kind=Edition.Kind.DAILY, date=NOW.date())


def test_the_admin_has_the_sites_icon(client: Client, db: None) -> None:
    page = client.get(LOGIN, secure=True).content.decode()
    assert 'rel="icon" href="/static/favicon.svg" type="image/svg+xml"' in page


def test_who_logs_in_from_nowhere_comes_to_the_admin(client: Client, db: None) -> None:
    person("ada", password="a long secret")
    answer = client.post(LOGIN, {"username": "ada", "password": "a long secret"}, secure=True)
    assert answer.headers["Location"] == INDEX


class TestTheDoor:
    @pytest.fixture(autouse=True)
    def second_factor(self, db: None, settings: Settings) -> None:
        settings.SECOND_FACTOR = True
        settings.SECURE_SSL_REDIRECT = False

    def test_the_password_alone_leads_to_the_second_factor(self, client: Client) -> None:
        client.force_login(person("ada", "Operator"))
        to_login = client.get(EDITIONS, follow=True)
        assert to_login.redirect_chain[-1][0].startswith(FACTOR)
        assert parse_qs(urlsplit(to_login.redirect_chain[-1][0]).query)["next"] == [EDITIONS]

    def test_a_newcomer_sets_up_a_device_and_comes_in(self, client: Client) -> None:
        client.force_login(person("ada", "Operator"))
        page = client.get(FACTOR)
        assert "data:image/svg" in page.content.decode()
        response = client.post(f"{FACTOR}?next={EDITIONS}", answer_to(page))
        assert response.headers["Location"] == EDITIONS
        assert client.get(EDITIONS).status_code == 200

    def test_looking_at_a_new_key_stores_nothing(self, client: Client) -> None:
        client.force_login(person("ada", "Operator"))
        wrong = answer_to(client.get(FACTOR), off_by=1)
        again = client.post(FACTOR, wrong)
        assert (again.status_code, TOTPDevice.objects.count()) == (422, 0)
        assert client.post(FACTOR, answer_to(again)).status_code == 302
        assert TOTPDevice.objects.get().confirmed

    def test_a_key_is_for_the_person_who_was_shown_it(self, client: Client) -> None:
        client.force_login(person("ada", "Operator"))
        hers = answer_to(client.get(FACTOR))
        client.force_login(person("eve", "Operator"))
        assert client.post(FACTOR, hers).status_code == 422

    def test_a_wrong_code_does_not(self, client: Client) -> None:
        user = person("ada", "Operator")
        device = TOTPDevice.objects.create(user=user, confirmed=True)
        client.force_login(user)
        wrong = (totp(device.bin_key) + 1) % 1_000_000
        assert client.post(FACTOR, {"code": f"{wrong:06}"}).status_code == 422
        assert client.get(EDITIONS).status_code == 302

    def test_a_code_works_once(self, client: Client) -> None:
        user = person("ada", "Operator")
        device = TOTPDevice.objects.create(user=user, confirmed=True)
        code = f"{totp(device.bin_key):06}"
        client.force_login(user)
        assert client.post(FACTOR, {"code": code}).status_code == 302
        other = Client()
        other.force_login(user)
        assert other.post(FACTOR, {"code": code}).status_code == 422

    def test_who_has_a_device_is_shown_no_secret(self, client: Client) -> None:
        user = person("ada", "Operator")
        TOTPDevice.objects.create(user=user, confirmed=True)
        client.force_login(user)
        assert "data:image" not in client.get(FACTOR).content.decode()

    def test_the_way_on_stays_on_our_site(self, client: Client) -> None:
        user = person("ada", "Operator")
        device = TOTPDevice.objects.create(user=user, confirmed=True)
        client.force_login(user)
        code = f"{totp(device.bin_key):06}"
        response = client.post(f"{FACTOR}?next=https://evil.example/", {"code": code})
        assert response.headers["Location"] == INDEX

    def test_a_stranger_is_sent_to_the_password(self, client: Client) -> None:
        assert client.get(FACTOR).headers["Location"].startswith(LOGIN)


def test_after_too_many_wrong_passwords_the_right_one_waits_too(
    db: None, client: Client, fixed_clock: Traveller, settings: Settings
) -> None:
    settings.SECURE_SSL_REDIRECT = False
    person("ada", "Operator", password="a long password")
    right, wrong = {"username": "ada", "password": "a long password"}, {"username": "ada", "password": "guess"}
    for _ in range(project.AXES_FAILURE_LIMIT):
        client.post(LOGIN, wrong)
    assert client.post(LOGIN, right).status_code == 429
    fixed_clock.shift(project.AXES_COOLOFF_TIME + timedelta(minutes=1))
    assert client.post(LOGIN, right).status_code == 302


@pytest.mark.once
@pytest.mark.parametrize("address", LISTS)
def test_an_editor_sees_papers_and_editions_and_no_address(address: str, alice: Subscriber) -> None:
    client = sign_in("Editor")
    response = client.get(address, secure=True)
    open_to_editors = address.startswith("/admin/papers/") or "edition" in address or "brake" in address
    assert response.status_code == (200 if open_to_editors else 403)
    assert "alice@example.org" not in response.content.decode()


@pytest.mark.once
@pytest.mark.parametrize("address", LISTS)
def test_an_auditor_reads_and_adds_nothing(address: str, edition: Edition) -> None:
    client = sign_in("Auditor")
    seen = client.get(address, secure=True)
    assert seen.status_code in {200, 403}
    assert client.get(f"{address}add/", secure=True).status_code in {403, 404}


def test_an_auditor_pauses_nothing(edition: Edition) -> None:
    client = sign_in("Auditor")
    client.post(EDITIONS, {"action": "pause", "_selected_action": [edition.pk]}, secure=True)
    edition.refresh_from_db()
    assert edition.status == Edition.Status.OPEN


@pytest.mark.parametrize("address", [address for address in LISTS if address.startswith("/admin/auth/")])
def test_only_an_owner_appoints_people(address: str, db: None) -> None:
    assert sign_in("Operator").get(address, secure=True).status_code == 403
    owner = Client()
    owner.force_login(person("grace", "Owner"))
    assert owner.get(address, secure=True).status_code == 200


def test_an_action_is_on_record_with_before_and_after(edition: Edition) -> None:
    sign_in("Operator").post(EDITIONS, {"action": "pause", "_selected_action": [edition.pk]}, secure=True)
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.object_id) == ("ada", str(edition.pk))
    assert '"status": ["open", "paused"]' in entry.change_message


def test_a_change_is_on_record_with_before_and_after(edition: Edition) -> None:
    page = reverse("admin:newsletter_edition_change", args=[edition.pk])
    form = {"status": "open", "note": "Hello", "pool-TOTAL_FORMS": 0, "pool-INITIAL_FORMS": 0}
    client = sign_in("Editor")
    assert client.post(page, form, secure=True).status_code == 302
    assert '"note": ["", "Hello"]' in LogEntry.objects.get().change_message
    client.force_login(person("grace", "Auditor"))
    log = client.get(reverse("admin:admin_logentry_change", args=[LogEntry.objects.get().pk]), secure=True)
    assert "<strong>note</strong>:  → Hello" in log.content.decode()


def test_the_record_holds_no_address(db: None) -> None:
    page = reverse("admin:auth_user_change", args=[person("grace").pk])
    form = {"username": "grace", "email": "g@example.org", "date_joined_0": "2026-03-20", "date_joined_1": "09:00:00"}
    assert sign_in("Owner").post(page, form, secure=True).status_code == 302
    entry = LogEntry.objects.get()
    assert "@" not in entry.object_repr + entry.change_message
    assert '"email"' in entry.change_message


def test_nobody_edits_what_is_the_readers_own(alice: Subscriber) -> None:
    page = reverse("admin:subscribers_subscriber_change", args=[alice.pk])
    client = sign_in("Owner")
    assert "Whole history" in client.get(page, secure=True).content.decode()
    assert client.post(page, {"digest_size": 7}, secure=True).status_code == 403


def test_what_cannot_be_taken_back_asks_for_the_typed_name(edition: Edition) -> None:
    client = sign_in("Operator")
    asked = {"action": "cancel", "_selected_action": [edition.pk]}
    assert f"Type “{edition}”" in client.post(EDITIONS, asked, secure=True).content.decode()
    assert "That was not it" in client.post(EDITIONS, asked | {"typed": "no"}, secure=True).content.decode()
    edition.refresh_from_db()
    assert edition.status == Edition.Status.OPEN
    client.post(EDITIONS, asked | {"typed": str(edition)}, secure=True)
    edition.refresh_from_db()
    assert edition.status == Edition.Status.CANCELLED


POOL = {"pool-TOTAL_FORMS": 1, "pool-INITIAL_FORMS": 1, "status": "open"}


@pytest.mark.parametrize("number", ["9" * 30, "-1", "none"])
@pytest.mark.parametrize("form", [{"groups": ""}, POOL | {"pool-0-paper": ""}, POOL | {"pool-0-id": ""}])
def test_a_choice_that_nobody_can_have_made_changes_nothing(
    edition: Edition, number: str, form: dict[str, object]
) -> None:
    row, owner = (person("grace", "Editor") if "groups" in form else edition), sign_in("Owner", "Editor")
    page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    sent = {"username": "grace", "note": "Hello"} | {name: value or number for name, value in form.items()}
    answer = owner.post(page, sent, secure=True, follow=True)
    said = answer.content.decode()
    assert (answer.status_code, LogEntry.objects.count()) == (200, 0)
    assert any(words in said for words in ("no such choice: nothing was changed", "Please correct the error"))
    row.refresh_from_db()
    assert row.note == "" if row == edition else [one.name for one in row.groups.all()] == ["Editor"]


@pytest.mark.parametrize("filled_in", ["papers_paper_add published_at", "papers_source_add next_run_at"])
def test_a_form_takes_no_moment_from_its_address(db: None, filled_in: str) -> None:
    view, name = filled_in.split()
    assert sign_in("Owner", "Editor").get(reverse(f"admin:{view}"), {name: "x"}, secure=True).status_code == 200


def test_a_list_counts_no_further_than_it_goes(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1) as queries:
        assert Shallow(Suppression.objects.all(), 100).count == 0
    assert f"LIMIT {DEEPEST}" in queries[0]["sql"]


def test_the_roles_are_set_right_again_by_every_migration(db: None) -> None:
    group = Group.objects.get(name="Auditor")
    before = set(group.permissions.values_list("codename", flat=True))
    assert before
    assert all(name.startswith("view_") for name in before)


def test_a_date_is_read_the_same_by_everybody(edition: Edition) -> None:
    page = sign_in("Operator").get(EDITIONS, secure=True).content.decode()
    assert "20 Mar 2026" in page


def test_a_list_is_called_as_in_the_sidebar_and_its_columns_in_an_operators_words(alice: Subscriber) -> None:
    operator = sign_in("Operator")
    page = operator.get(reverse("admin:subscribers_subscriber_changelist"), secure=True).content.decode()
    heading = re.search(r"<h1.*?</h1>", page, re.DOTALL)[0]
    assert "Readers" in heading
    assert "Subscribers" not in heading
    assert "Show all" not in heading
    assert "Time zone" in page
    assert "Created at" not in page


def test_a_form_calls_its_fields_as_the_lists_do(alice: Subscriber) -> None:
    page = sign_in("Operator").get(reverse("admin:subscribers_subscriber_change", args=[alice.pk]), secure=True)
    assert "Time zone" in page.content.decode()


def test_a_person_gets_roles_and_no_permissions_of_their_own(db: None) -> None:
    owner = sign_in("Owner")
    someone = person("grace", password="a long enough secret")
    page = owner.get(reverse("admin:auth_user_change", args=[someone.pk]), secure=True).content.decode()
    assert re.search(r'<input[^>]*type="checkbox"[^>]*name="groups"|<input[^>]*name="groups"[^>]*type="checkbox"', page)
    assert "user_permissions" not in page


def test_a_role_says_what_it_may(db: None) -> None:
    role = Group.objects.get(name="Editor")
    page = sign_in("Owner").get(reverse("admin:auth_group_change", args=[role.pk]), secure=True).content.decode()
    assert "change edition" in page
    assert 'name="permissions"' not in page


def test_the_log_speaks_in_the_admins_words(edition: Edition) -> None:
    values = {"status": ["open", "held"], "opened_at": [str(NOW), ""], "version": ["0", "1"], "gone": ["a", "b"]}
    audit.note("ada", [edition], "x", values)
    [one] = audit.decisions_on(edition, 1)
    assert one.values == [
        ("status", "open", "waits for approval"),
        ("opened", "20 Mar 2026, 09:00 UTC", ""),
        ("gone", "a", "b"),
    ]


def test_who_has_no_role_is_told_so_and_whose_role_is_another_too(db: None) -> None:
    assert "You have no role yet." in sign_in(name="new").get(INDEX, secure=True).content.decode()
    page = sign_in("Editor").get(reverse("desk_find"), secure=True)
    assert (page.status_code, "Your role does not open it" in page.content.decode()) == (403, True)
    assert "To Today, in the admin" in page.content.decode()


def test_all_is_well_for_who_sees_all(db: None) -> None:
    calm = "Nothing. All is well"
    for part in pulses.parts().values():
        Pulse.objects.update_or_create(part=part.words, defaults={"at": NOW})
    assert f"{calm}." in sign_in("Auditor").get(INDEX, secure=True).content.decode()
    assert f"{calm}, as far as you may see." in sign_in("Editor", name="ed").get(INDEX, secure=True).content.decode()
