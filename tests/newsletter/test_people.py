"""Who may enter, as an Owner sees them."""

from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from newsletter import audit
from newsletter.roles import IN_WORDS, ROLES
from tests.meanwhile import meanwhile
from tests.newsletter.test_cockpit import person, sign_in

pytestmark = pytest.mark.django_db


def test_people_are_listed_with_their_roles_and_whether_they_have_a_second_factor() -> None:
    grace = person("grace", "Operator", "Auditor")
    TOTPDevice.objects.create(user=grace, name="phone", confirmed=True)
    owner = sign_in("Owner")
    rows = owner.get(reverse("admin:auth_user_changelist"), secure=True).context["cl"].queryset
    assert {row.username: row.has_device for row in rows} == {"ada": False, "grace": True}
    page = owner.get(reverse("admin:auth_user_changelist"), secure=True).content.decode()
    assert "Auditor, Operator" in page
    assert "Second factor" in page


def test_a_new_account_takes_a_name_and_a_password_and_goes_on_to_its_roles() -> None:
    owner, secret = sign_in("Owner"), "a long enough secret"
    form = {"username": "grace", "password1": secret, "password2": secret}
    answer = owner.post(reverse("admin:auth_user_add"), form, secure=True, follow=True)
    assert 'name="groups"' in answer.content.decode()
    assert Client().login(request=answer.wsgi_request, username="grace", password=secret)


@pytest.mark.parametrize("device", [TOTPDevice, StaticDevice])
def test_nobody_sees_or_makes_anothers_second_factor(device: type[TOTPDevice], admin_client: Client) -> None:
    row = device.objects.create(user=person("grace"), name="phone")
    name = f"admin:{device._meta.app_label}_{device._meta.model_name}"
    page = admin_client.get(reverse(f"{name}_change", args=[row.pk]), secure=True).content.decode()
    assert getattr(row, "key", "token_set") not in page
    assert admin_client.get(reverse(f"{name}_add"), secure=True).status_code == 403
    admin_client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}, secure=True)
    assert not device.objects.exists()


@pytest.mark.parametrize("shut", [{"is_active": ""}, {"is_staff": ""}, {"groups": []}])
def test_the_last_owner_cannot_be_shut_out(shut: dict[str, Any]) -> None:
    owner = sign_in("Owner")
    ada = User.objects.get()
    address = reverse("admin:auth_user_change", args=[ada.pk])
    form: dict[str, Any] = {"username": "ada", "is_active": "on", "is_staff": "on"}
    form |= {"groups": [Group.objects.get(name="Owner").pk], **shut}
    form = {name: value for name, value in form.items() if value}
    assert "make somebody else an Owner first" in owner.post(address, form, secure=True).content.decode()
    person("grace", "Owner")
    assert owner.post(address, form, secure=True).status_code == 302


def test_a_role_says_in_words_what_it_is_for() -> None:
    editor = Group.objects.get(name="Editor")
    page = sign_in("Owner").get(reverse("admin:auth_group_change", args=[editor.pk]), secure=True).content.decode()
    assert "never an address" in page
    assert set(IN_WORDS) == set(ROLES)


class TestTheMachinesOwnAccount:
    """By its name commands are on record."""

    @pytest.fixture
    def machine(self) -> User:
        return audit.command_line()

    def test_it_is_shown_with_what_it_is_for_and_no_form_changes_it(self, machine: User) -> None:
        owner, address = sign_in("Owner"), reverse("admin:auth_user_change", args=[machine.pk])
        page = owner.get(address, secure=True).content.decode()
        assert "stands for commands" in page
        assert 'name="_save"' not in page
        form = {"username": "somebody", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
        assert owner.post(address, form, secure=True).status_code == 403
        secret = "a long enough secret"
        passwords = {"password1": secret, "password2": secret, "usable_password": "true"}
        own = reverse("admin:auth_user_password_change", args=[machine.pk])
        assert owner.post(own, passwords, secure=True).status_code == 403
        before = audit.snapshot(machine)
        machine.refresh_from_db()
        assert audit.snapshot(machine) == before
        assert not machine.has_usable_password()

    @pytest.mark.parametrize("name", ["command-line", "Command-Line"])
    def test_nobody_else_is_called_like_it(self, name: str) -> None:
        owner, secret = sign_in("Owner"), "a long enough secret"
        form = {"username": name, "password1": secret, "password2": secret}
        page = owner.post(reverse("admin:auth_user_add"), form, secure=True).content.decode()
        assert "stands for commands" in page
        ada = User.objects.get()
        form = {"username": name, "is_active": "on", "is_staff": "on", "groups": [ada.groups.get().pk]}
        page = owner.post(reverse("admin:auth_user_change", args=[ada.pk]), form, secure=True).content.decode()
        assert "stands for commands" in page
        assert User.objects.get().username == "ada"


@pytest.mark.django_db(transaction=True)
def test_a_new_password_lets_nobody_in_who_is_shut_out_meanwhile() -> None:
    owner, grace, secret = sign_in("Owner"), person("grace", "Editor"), "a long enough secret"
    page, form = reverse("admin:auth_user_password_change", args=[grace.pk]), {"password1": secret, "password2": secret}
    with meanwhile(f"UPDATE auth_user SET is_active = false WHERE id = {grace.pk}"):
        assert owner.post(page, form | {"usable_password": "true"}, secure=True).status_code == 302
    grace.refresh_from_db()
    assert (grace.check_password(secret), grace.is_active) == (True, False)


@pytest.mark.django_db(transaction=True)
def test_a_form_waits_for_nobody_who_only_refers_to_its_row() -> None:
    """Two Owners who change each other's accounts at once are on record by their own: each would wait for the other."""
    owner, grace = sign_in("Owner"), person("grace", "Editor")
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    with psycopg.connect(**connection.get_connection_params() | {"context": None}) as other:
        other.execute("SELECT 1 FROM auth_user WHERE id = %s FOR KEY SHARE", [grace.pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
        form = {"username": "grace", "first_name": "Grace", "is_active": "on", "is_staff": "on"}
        assert owner.post(reverse("admin:auth_user_change", args=[grace.pk]), form, secure=True).status_code == 302
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
