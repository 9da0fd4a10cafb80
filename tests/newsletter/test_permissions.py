"""Who may do what in the admin: every page and every action, for every role. What is in no table fails."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.backends.cache import SessionStore
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from newsletter.audit import snapshot
from newsletter.models import Brake, Edition
from subscribers.models import Subscriber
from tests.newsletter.rows import one_of_each
from tests.newsletter.test_cockpit import person, sign_in

pytestmark = pytest.mark.usefixtures("fixed_clock")

ROLES = {"e": "Editor", "o": "Operator", "a": "Auditor", "w": "Owner", "-": ""}  # the last is staff without a role
# Of each model: who reads its lists and pages, who adds, who changes and who deletes on the theme's own pages.
MODELS = {
    "newsletter.edition": ("eoaw", "", "eow", ""),
    "newsletter.digest": ("oaw", "", "", ""),
    "newsletter.event": ("oaw", "", "", ""),
    "newsletter.feedback": ("oaw", "", "", ""),
    "newsletter.alarm": ("oaw", "", "", ""),
    "newsletter.brake": ("eoaw", "ow", "", ""),
    "subscribers.helddomain": ("oaw", "", "", "ow"),
    "subscribers.subscriber": ("oaw", "", "", ""),
    "subscribers.consent": ("oaw", "", "", ""),
    "subscribers.letter": ("oaw", "", "", ""),
    "subscribers.suppression": ("oaw", "", "", ""),
    "subscribers.parting": ("oaw", "", "", ""),
    "subscribers.subscriptionrequest": ("oaw", "", "", ""),
    "subscribers.attack": ("oaw", "ow", "", ""),
    "subscribers.import": ("oaw", "ow", "", ""),
    "papers.paper": ("eoaw", "eow", "eow", ""),
    "papers.topic": ("eoaw", "eow", "eow", ""),
    "papers.source": ("eoaw", "eow", "eow", ""),
    "papers.backfill": ("eoaw", "eow", "", ""),
    "papers.topicmodel": ("eoaw", "", "", ""),
    "papers.papertopic": ("eoaw", "eow", "eow", "eow"),
    "papers.listing": ("eoaw", "eow", "eow", "eow"),
    "papers.reading": ("eoaw", "", "", ""),
    "admin.logentry": ("oaw", "", "", ""),
    "auth.user": ("aw", "w", "w", ""),
    "auth.group": ("aw", "", "", ""),
    "axes.accessattempt": ("w", "", "", "w"),
    "axes.accesslog": ("w", "", "", "w"),
    "axes.accessfailurelog": ("w", "", "", "w"),
    "otp_totp.totpdevice": ("w", "", "", "w"),
    "otp_static.staticdevice": ("w", "", "", "w"),
}
# Of each action: who is offered it. Nobody else can have it done.
ACTIONS = {
    "newsletter.edition": {
        "hold": "eow",
        "approve": "ow",
        "canary": "eow",
        "follow": "eow",
        "pause": "eow",
        "resume": "eow",
        "cancel": "eow",
        "retry_failed": "ow",
        "was_accepted": "ow",
        "was_not_sent": "ow",
    },
    "newsletter.digest": {"retry_failed": "ow", "was_accepted": "ow", "was_not_sent": "ow"},
    "newsletter.brake": {"release": "ow", "adopt": "ow"},
    "subscribers.helddomain": {"delete_selected": "ow"},
    "subscribers.subscriptionrequest": {"release": "ow", "discard": "ow"},
    "subscribers.attack": {"end": "ow"},
    "papers.paper": {"let_sources_update": "eow"},
    "papers.topic": {"remove": "eow"},
    "papers.source": {"fetch_now": "eow"},
    "papers.backfill": {"stop": "eow", "resume": "eow"},
    "papers.papertopic": {"delete_selected": "eow"},
    "papers.listing": {"delete_selected": "eow"},
    "axes.accessattempt": {"delete_selected": "w", "cleanup_expired_attempts": "w"},
    "axes.accesslog": {"delete_selected": "w"},
    "axes.accessfailurelog": {"delete_selected": "w"},
    "otp_totp.totpdevice": {"delete_selected": "w"},
    "otp_static.staticdevice": {"delete_selected": "w"},
}
NOBODY, STAFF = "", "eoaw-"
# Every other page: who may GET it, and who may POST to it.
PAGES = {
    "desk_calendar": ("eoaw", NOBODY),
    # A GET of what is only posted leads back to the page that has the form.
    "desk_open": (STAFF, "eow"),
    "desk_turn": (STAFF, "eow"),
    "desk_edition": ("eoaw", NOBODY),
    "desk_preview": ("eoaw", "eoaw"),
    "desk_test": (NOBODY, "eow"),
    "desk_results": (NOBODY, "oaw"),
    "desk_find": ("oaw", "oaw"),
    "desk_reader": ("oaw", NOBODY),
    "desk_act": (STAFF, "ow"),
    "desk_export": (NOBODY, "ow"),
    "desk_topic": ("eoaw", NOBODY),
    "admin:papers_paper_duplicates": ("eoaw", NOBODY),
    "admin:papers_paper_merge": ("eow", "eow"),
    "embed": ("oaw", "oaw"),
    "admin:newsletter_edition_explain": ("oaw", "oaw"),
    "admin:subscribers_suppression_look_up": ("oaw", "oaw"),
    "admin:subscribers_import_confirm": (NOBODY, "ow"),
    "admin:subscribers_import_cancel": (NOBODY, "ow"),
    "admin:subscribers_import_set_aside": (NOBODY, "ow"),
    "admin:subscribers_import_report": (NOBODY, "oaw"),
    "admin:auth_user_password_change": ("w", "w"),
    "admin:index": (STAFF, STAFF),
    "admin:search": (STAFF, STAFF),
    "admin:jsi18n": (STAFF, NOBODY),
    "admin:password_change": (STAFF, STAFF),
    "admin:password_change_done": (STAFF, NOBODY),
}
# Where one signs in, and what only leads elsewhere, or asks for the permission of another page.
OTHERS = {
    "admin:login": "for everybody",
    "admin:logout": "for everybody",
    "admin:second_factor": "for whoever has given the password",
    "admin:app_list": "the lists that somebody may see",
    "admin:autocomplete": "asks whether its model may be seen",
    "admin:view_on_site": "leads to a public page",
}
LEADING = re.compile(r"admin/(\w+/\w+/<path:object_id>/|\(\?P<url>.*)$")  # to a row's page; the last finds nothing
WRITES = re.compile(r"^\s*(INSERT|UPDATE|DELETE)\s+(?:INTO\s+|FROM\s+)?[\"`]?(\w+)")


def routes(resolver: URLResolver | None = None, space: str = "", path: str = "") -> Iterator[tuple[str, str]]:
    """Every route of the admin: its name and its pattern."""
    for found in (resolver or get_resolver()).url_patterns:
        here = f"{path}{found.pattern}"
        if isinstance(found, URLResolver):
            yield from routes(found, f"{found.namespace}:" if found.namespace else space, here)
        elif here.startswith("admin/") and isinstance(found, URLPattern) and not LEADING.match(here):
            yield f"{space}{found.name}", here


@cache
def patterns() -> dict[str, str]:
    return dict(routes())


def of_models() -> set[str]:
    steps = ("changelist", "add", "change", "delete", "history")
    return {f"admin:{label.replace('.', '_')}_{step}" for label in MODELS for step in steps}


def registered() -> dict[str, ModelAdmin]:
    return {model._meta.label_lower: model_admin for model, model_admin in admin.site._registry.items()}


def request_of(user: Any, method: str, path: str, **data: Any) -> HttpRequest:
    request: Any = getattr(RequestFactory(), method)(path, data, secure=True)
    request.user, request.session, request._dont_enforce_csrf_checks = user, SessionStore(), True
    request._messages = CookieStorage(request)
    return request  # type: ignore[no-any-return]


def status(user: Any, method: str, path: str, **data: Any) -> int:
    """What a view answers, without the page being rendered."""
    found = resolve(path)
    try:
        answer: HttpResponse = found.func(request_of(user, method, path, **data), *found.args, **found.kwargs)
    except PermissionDenied:
        return 403
    except Http404:
        return 404
    return answer.status_code


def may(letters: str, role: str) -> bool:
    return role in letters


@pytest.fixture
def people(db: None) -> dict[str, User]:
    return {
        role: person(f"person-{number}", *filter(None, [name])) for number, (role, name) in enumerate(ROLES.items())
    }


def address_of(name: str, rows: dict[str, Model]) -> str:
    """The page's address, of a row where it is about one."""
    about = {"edition": "newsletter.edition", "preview": "newsletter.edition", "test": "newsletter.edition"}
    about |= {
        "turn": "newsletter.edition",
        "results": "newsletter.edition",
        "explain": "newsletter.edition",
        "reader": "subscribers.subscriber",
    }
    about |= {"act": "subscribers.subscriber", "export": "subscribers.subscriber", "confirm": "subscribers.import"}
    about |= {"set_aside": "subscribers.import"}
    about |= {"cancel": "subscribers.import", "report": "subscribers.import", "password_change": "auth.user"}
    about |= {"topic": "papers.topic", "merge": "papers.paper"}
    pattern = patterns()[name]
    if "<" not in pattern:
        return reverse(name)
    last = max((part for part in about if name.endswith(f"_{part}")), key=len)
    return reverse(name, args=[rows[about[last]].pk])


@pytest.fixture
def rows(db: None) -> dict[str, Any]:
    """One row of every model of the admin."""
    made = {model._meta.label_lower: row for model, row in one_of_each().items()}
    assert made.keys() == registered().keys()
    for row in made.values():
        row.refresh_from_db()
    return made


def test_every_page_and_every_action_is_in_a_table() -> None:
    known = {*PAGES, *OTHERS, *of_models()}
    found = {*patterns()}
    assert found - known == set(), "say above who may see this page"
    assert known - found == set(), "it is there no more"
    assert set(MODELS) == set(registered())
    assert set(ACTIONS) <= set(MODELS)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reads_and_writes_the_rows_that_are_its_own(
    role: str, people: dict[str, User], rows: dict[str, Any]
) -> None:
    user = people[role]
    for label, (reads, adds, changes, deletes) in MODELS.items():
        row, name = rows[label], f"admin:{label.replace('.', '_')}"
        one = {step: reverse(f"{name}_{step}", args=[row.pk]) for step in ("change", "delete", "history")}
        for page in (reverse(f"{name}_changelist"), one["change"], one["history"]):
            assert status(user, "get", page) == (200 if may(reads, role) else 403), page
        assert status(user, "get", reverse(f"{name}_add")) == (200 if may(adds, role) else 403), label
        assert status(user, "get", one["delete"]) == (200 if may(deletes, role) else 403), label
        assert (status(user, "post", one["change"]) in {200, 302}) == may(changes, role), label
        for page, letters in ((reverse(f"{name}_add"), adds), (one["delete"], deletes)):
            assert may(letters, role) or status(user, "post", page, post="yes") == 403, page
        assert type(row)._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_the_other_pages_that_are_its_own(
    role: str, people: dict[str, User], rows: dict[str, Any]
) -> None:
    for name, (gets, posts) in PAGES.items():
        page = address_of(name, rows)
        for method, letters in (("get", gets), ("post", posts)):
            answer = status(people[role], method, page)
            assert (answer not in {403, 404, 405}) == may(letters, role), f"{method} {name}: {answer}"


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_offered_the_actions_that_are_its_own(role: str, people: dict[str, User]) -> None:
    Brake.objects.pull("restored from a backup", Brake.Cause.RESTORED)
    for label, model_admin in registered().items():
        offered = set(model_admin.get_actions(request_of(people[role], "get", "/")))
        expected = {name for name, letters in ACTIONS.get(label, {}).items() if may(letters, role)}
        assert offered == expected, label


@pytest.mark.parametrize("role", ROLES)
def test_an_action_that_is_not_offered_is_not_done(role: str, people: dict[str, User], rows: dict[str, Any]) -> None:
    for label, actions in ACTIONS.items():
        row, page = rows[label], reverse(f"admin:{label.replace('.', '_')}_changelist")
        before = snapshot(row)
        for name, letters in actions.items():
            if not may(letters, role):
                asked = {"action": name, "_selected_action": [row.pk], "typed": str(row), "post": "yes"}
                status(people[role], "post", page, **asked)
        row.refresh_from_db()
        assert snapshot(row) == before
    assert not LogEntry.objects.filter(user=people[role]).exists()


def all_pages(rows: dict[str, Any]) -> list[str]:
    pages = [address_of(name, rows) for name in PAGES]
    for label, row in rows.items():
        name = f"admin:{label.replace('.', '_')}"
        pages += [reverse(f"{name}_{step}") for step in ("changelist", "add")]
        pages += [reverse(f"{name}_{step}", args=[row.pk]) for step in ("change", "delete", "history")]
    return pages


def test_a_stranger_is_sent_to_the_password_from_everywhere(rows: dict[str, Any]) -> None:
    for page in all_pages(rows):
        for method in ("get", "post"):
            assert status(AnonymousUser(), method, page) == 302, page


def test_nothing_is_changed_by_looking_however_it_is_asked(rows: dict[str, Any], admin_user: User) -> None:
    asked = {"deed": "leave", "why": "x", "typed": "x", "kind": "daily", "date": "2026-03-20", "address": "a@b.org"}
    asked |= {"action": "cancel", "_selected_action": str(rows["newsletter.edition"].pk), "post": "yes"}
    written = {page: found for page in all_pages(rows) if (found := writes_of(admin_user, page, asked))}
    assert written == {}


def writes_of(user: User, page: str, asked: dict[str, str]) -> set[str]:
    """The tables that a GET wrote to."""
    with CaptureQueriesContext(connection) as queries:
        status(user, "get", page, **asked)
    found = [WRITES.match(query["sql"]) for query in queries]
    return {match[2] for match in found if match}


def test_what_cannot_be_taken_back_is_only_posted(rows: dict[str, Any]) -> None:
    edition, reader = rows["newsletter.edition"], rows["subscribers.subscriber"]
    client = sign_in("Owner")
    cancel = {"action": "cancel", "_selected_action": edition.pk, "typed": str(edition)}
    client.get(reverse("admin:newsletter_edition_changelist"), cancel, secure=True)
    erase = {"deed": "erase", "why": "x", "typed": reader.email}
    client.get(reverse("desk_act", args=[reader.pk]), erase, secure=True)
    turn = {"turn": "cancel", "typed": str(edition)}
    client.get(reverse("desk_turn", args=[edition.pk]), turn, secure=True)
    assert Edition.objects.get(pk=edition.pk).status == "open"
    assert Subscriber.objects.get(pk=reader.pk).status == "pending"
