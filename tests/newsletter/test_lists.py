"""Every list of the admin asks the database as few questions of a large table as of a small one, and counts none."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsletter.models import Digest, Event
from papers.models import Paper
from tests.conftest import NOW
from tests.newsletter.rows import make

FEW, MANY = 2, 9
PAGE, ALL = 4, 6  # rows of a page, and of the longest that shows all: so few tell as much as a hundred would
MOST_QUERIES = 12
MODELS = list(admin.site._registry)
COUNTS = re.compile(r"\bCOUNT\(", re.IGNORECASE)
DIGESTS, EVENTS, LOG, PAPERS = (
    reverse(f"admin:{name}_changelist")
    for name in ("newsletter_digest", "newsletter_event", "admin_logentry", "papers_paper")
)
pytestmark = pytest.mark.usefixtures("fixed_clock")


def questions(client: Client, model: type[Model]) -> list[str]:
    options = model._meta
    with CaptureQueriesContext(connection) as queries:
        page = client.get(reverse(f"admin:{options.app_label}_{options.model_name}_changelist"), secure=True)
    assert page.status_code == 200
    return [query["sql"] for query in queries]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_a_list_is_flat_and_counts_no_table(
    model: type[Model], admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin.site._registry[model], "list_per_page", PAGE)
    monkeypatch.setattr(admin.site._registry[model], "list_max_show_all", ALL)
    make(model, FEW)
    questions(admin_client, model)  # what is asked once for all
    few = questions(admin_client, model)
    make(model, MANY - FEW, start=FEW)
    many = questions(admin_client, model)
    assert len(many) == len(few) <= MOST_QUERIES
    assert [sql for sql in many if COUNTS.search(sql) and "LIMIT" not in sql] == []


def shown(client: Client, address: str, sought: str) -> list[Model]:
    """What a list shows for what is typed into its search box."""
    return list(client.post(address, {"q": sought}, secure=True, follow=True).context_data["cl"].queryset)  # type: ignore[attr-defined]


def test_a_digest_and_what_a_provider_told_of_it_are_found_by_the_whole_uid(admin_client: Client) -> None:
    digest, _ = make(Digest, 2)
    Event.objects.create(provider="Brevo", key="mine", type="delivered", digest_uid=digest.uid, happened_at=NOW)
    make(Event, 2)
    assert shown(admin_client, DIGESTS, str(digest.uid)) == [digest]
    assert [event.digest_uid for event in shown(admin_client, EVENTS, str(digest.uid))] == [digest.uid]


def test_a_list_shows_the_beginning_of_a_digests_id_by_which_it_is_found_and_its_page_the_whole(
    admin_client: Client,
) -> None:
    digest, _ = make(Digest, 2)
    event = Event.objects.create(provider="Brevo", key="mine", type="delivered", letter_uid=digest.uid, happened_at=NOW)
    begins = f"{str(digest.uid)[:8]}…"
    page = admin_client.get(DIGESTS, secure=True).content.decode()
    assert begins in page
    assert str(digest.uid) not in page
    assert shown(admin_client, DIGESTS, begins) == [digest]
    assert shown(admin_client, EVENTS, str(digest.uid)[:10].upper()) == [event]
    assert shown(admin_client, DIGESTS, str(digest.uid)[:7]) == shown(admin_client, DIGESTS, "alice") == []
    own = admin_client.get(reverse("admin:newsletter_digest_change", args=[digest.pk]), secure=True)
    assert str(digest.uid) in own.content.decode()


def test_the_digests_of_an_edition_are_read_along_its_index(admin_client: Client) -> None:
    digest, _ = make(Digest, 2)
    rows = (
        admin_client.get(f"{DIGESTS}?edition__id__exact={digest.edition_id}", secure=True).context_data["cl"].queryset
    )  # type: ignore[attr-defined]
    assert set(rows.query.order_by) == {"edition_id", "subscriber_id"}
    assert set(rows.values_list("edition", flat=True)) == {digest.edition_id}
    assert admin_client.get(f"{DIGESTS}?edition__id__exact={'9' * 30}", secure=True).status_code == 200


def test_the_log_is_searched_by_a_whole_name_or_number(admin_client: Client) -> None:
    one, other = make(LogEntry, 2)
    assert shown(admin_client, LOG, one.object_id) == [one]
    assert shown(admin_client, LOG, "root") == [other, one]
    assert shown(admin_client, LOG, "nobody") == []


def test_papers_are_found_as_on_the_site_and_while_somebody_types(admin_client: Client) -> None:
    paper = Paper.objects.create(title="Diffusion models for molecules", abstract="Of their energies.")
    for sought in ("energies", "molecule diffusion", "Diffus"):
        assert shown(admin_client, PAPERS, sought) == [paper]
