"""One vocabulary: what a row is called in a list's footer, a message, the log and the sidebar."""

import re
from io import StringIO

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db.models import Model
from django.urls import reverse

from newsletter import audit
from newsletter.cockpit import navigation
from newsletter.models import Digest, Edition
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned
from tests.newsletter.test_cockpit import person, sign_in

pytestmark = pytest.mark.usefixtures("fixed_clock")

MODELS = list(admin.site._registry)
# A list that is called by what it is, where its rows are called by what they are.
OF_ITSELF = {"admin.LogEntry"}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_rows_of_a_list_are_called_as_the_sidebar_calls_it(model: type[Model]) -> None:
    title, many = navigation.title_of(model), str(model._meta.verbose_name_plural)
    assert title.casefold() == many.casefold() or model._meta.label in OF_ITSELF


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_row_is_called_by_a_machines_word(model: type[Model]) -> None:
    words = f"{model._meta.verbose_name} {model._meta.verbose_name_plural}"
    assert not re.search(r"subscriber|user|group|device|static|token|log\b(?! entr)|parting", words, re.IGNORECASE)


def test_a_lists_footer_says_what_it_counts(alice: Subscriber) -> None:
    page = sign_in("Operator").get(reverse("admin:subscribers_subscriber_changelist"), secure=True).content.decode()
    assert re.search(r"1\s+reader\b", page)
    assert "subscriber" not in re.sub(r"<[^>]*>", "", page)


def test_the_log_and_its_filter_call_rows_and_columns_as_the_lists_do(db: None) -> None:
    owner, kind = sign_in("Owner"), ContentType.objects.get_for_model(User)
    form = {"username": "grace", "is_active": "", "is_staff": "on", "date_joined_0": "", "date_joined_1": ""}
    owner.post(reverse("admin:auth_user_change", args=[person("grace").pk]), form, secure=True)
    page = owner.get(reverse("admin:admin_logentry_changelist"), secure=True).content.decode()
    assert (" | user" in page, ">Person<" in re.sub(r"\s", "", page)) == (False, True)
    assert f"content_type__id__exact={kind.pk}" in page
    entry = owner.get(reverse("admin:admin_logentry_change", args=[LogEntry.objects.get().pk]), secure=True)
    assert "<strong>active</strong>: True → False" in entry.content.decode()


def test_a_row_of_the_log_leads_to_its_values(db: None) -> None:
    owner = sign_in("Owner")
    entry = audit.record(User.objects.get(), person("grace"), "looked")
    page = owner.get(reverse("admin:admin_logentry_changelist"), secure=True).content.decode()
    assert f'href="{reverse("admin:admin_logentry_change", args=[entry.pk])}"' in page


def test_the_log_is_narrowed_by_the_kind_of_row(db: None) -> None:
    owner, log = sign_in("Owner"), reverse("admin:admin_logentry_changelist")
    for kind in (ContentType.objects.get_for_model(User), ContentType.objects.get_for_model(Edition)):
        LogEntry.objects.create(user=person(kind.model), content_type=kind, object_id="1", action_flag=2)
        found = owner.get(f"{log}?content_type__id__exact={kind.pk}", secure=True).context["cl"].queryset
        assert [entry.content_type for entry in found] == [kind]
    for wrong, shown in [("no", 2), ("²", 2), ("9" * 5000, 2), ("9" * 18, 0)]:
        page = owner.get(f"{log}?content_type__id__exact={wrong}", secure=True)
        assert page.context["cl"].queryset.count() == shown


def test_a_role_says_what_it_may_in_the_same_words(db: None) -> None:
    page = reverse("admin:auth_group_change", args=[Group.objects.get(name="Operator").pk])
    words = sign_in("Owner").get(page, secure=True).content.decode()
    assert "approve edition" in words
    assert "view reader" in words
    assert "lift suppression" in words


@pytest.mark.parametrize(
    ("digests", "status", "state"),
    [
        ([], "open", "open"),
        (["accepted", "planned"], "open", "going out"),
        (["accepted", "skipped"], "open", "gone out"),
        (["accepted", "planned"], "held", "waits for approval"),
        (["accepted", "planned"], "paused", "paused"),
        (["accepted", "planned"], "cancelled", "cancelled"),
    ],
)
def test_the_state_of_an_edition_is_said_in_the_same_words_everywhere(
    edition: Edition, digests: list[str], status: str, state: str
) -> None:
    for reader, end in zip(add_readers(len(digests)), digests, strict=True):
        Digest.objects.filter(pk=planned(edition, reader).pk).update(status=end, submitted_at=NOW, reason="x")
    Edition.objects.update(status=status)
    client, own = sign_in("Editor"), reverse("desk_edition", args=[edition.pk])
    assert f"<strong>{state.capitalize()}.</strong>" in client.get(own, secure=True).content.decode()
    for name in ("admin:newsletter_edition_changelist", "desk_calendar"):
        page = client.get(reverse(name), secure=True).content.decode()
        table = page[page.index("<tbody") : page.rindex("</table>")]
        assert re.search(rf">\s*{state}\s*<", table), name
    out = StringIO()
    call_command("edition", "list", stdout=out)
    call_command("edition", "show", f"{edition.kind}:{edition.date}", stdout=out)
    assert out.getvalue().count(f": {state}") == 2
