"""What nobody can have chosen by a search is refused in words."""

import pytest
from django.test import Client
from django.urls import reverse

from newsletter.models import Edition, EditionPaper
from papers.models import Paper
from tests.newsletter.rows import make

pytestmark = pytest.mark.usefixtures("fixed_clock")
WRONG = ["abc", "\0", "[", "9" * 23, "-1", "9" * 18, "１"]


@pytest.mark.parametrize("sent", WRONG)
def test_a_pin_of_no_paper_is_refused(admin_client: Client, sent: str) -> None:
    edition = make(Edition, 1)[0]
    form = {"note": "", "pool-TOTAL_FORMS": 1, "pool-INITIAL_FORMS": 0}
    form |= {"pool-0-edition": edition.pk, "pool-0-paper": sent, "pool-0-choice": "pinned", "pool-0-place": 0}
    page = admin_client.post(reverse("admin:newsletter_edition_change", args=[edition.pk]), form, secure=True)
    assert "not one of the available choices" in page.content.decode()
    assert not EditionPaper.objects.exists()


@pytest.mark.parametrize("sent", WRONG)
def test_a_listing_of_no_paper_is_refused(admin_client: Client, sent: str) -> None:
    form = {"paper": sent, "source": "page", "day": "2026-03-20", "place": 1}
    page = admin_client.post(reverse("admin:papers_listing_add"), form, secure=True)
    assert "not one of the available choices" in page.content.decode()


def test_what_can_be_chosen_stays_chosen_beside_a_fault(admin_client: Client) -> None:
    paper = Paper.objects.create(title="Robots")
    form = {"paper": paper.pk, "source": "page", "day": "no day", "place": 1}
    page = admin_client.post(reverse("admin:papers_listing_add"), form, secure=True).content.decode()
    assert f'<option value="{paper.pk}" selected>' in page
