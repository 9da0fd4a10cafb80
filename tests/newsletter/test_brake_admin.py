"""Stopping all mail, and letting it go again, in the admin."""

import pytest
from django.urls import reverse

from newsletter.models import Brake, Edition
from subscribers.models import Subscriber
from tests.newsletter.conftest import planned
from tests.newsletter.test_cockpit import sign_in

pytestmark = [pytest.mark.usefixtures("fixed_clock"), pytest.mark.django_db]

ADD, LIST = reverse("admin:newsletter_brake_add"), reverse("admin:newsletter_brake_changelist")


def test_whoever_stops_all_mail_is_told_what_it_does_and_that_it_is_done() -> None:
    operator = sign_in("Operator")
    page = operator.get(ADD, secure=True).content.decode()
    assert "Stop all mail" in page
    assert "wait until somebody releases the brake; what is too late by then expires" in page
    done = operator.post(ADD, {"reason": "A wrong subject"}, secure=True, follow=True)
    assert "All mail is stopped, until you release this brake." in done.content.decode()
    assert done.redirect_chain[-1][0].endswith(reverse("admin:newsletter_brake_change", args=[Brake.objects.get().pk]))


def test_one_brake_is_enough() -> None:
    Brake.objects.pull("535 no")
    page = sign_in("Operator").post(ADD, {"reason": "Me too"}, secure=True).content.decode()
    assert "All mail is stopped already" in page
    assert Brake.objects.count() == 1


def test_it_is_released_from_its_own_page() -> None:
    Brake.objects.pull("535 no")
    brake, operator = Brake.objects.get(), sign_in("Operator")
    page = operator.get(reverse("admin:newsletter_brake_change", args=[brake.pk]), secure=True).content.decode()
    assert "Release: mail goes out again" in page
    operator.post(LIST, {"action": "release", "_selected_action": [brake.pk]}, secure=True)
    assert not Brake.objects.engaged().exists()
    page = operator.get(reverse("admin:newsletter_brake_change", args=[brake.pk]), secure=True).content.decode()
    assert "Release: mail goes out again</button>" not in page


def test_what_still_stops_mail_is_said() -> None:
    for cause in Brake.Cause:
        Brake.objects.pull(f"because {cause}", cause)
    chosen = {"action": "release", "_selected_action": [Brake.objects.get(cause="").pk]}
    page = sign_in("Operator").post(LIST, chosen, secure=True, follow=True).content.decode()
    assert "all mail stays stopped: the database may be a copy" in page


def test_every_page_says_that_all_mail_is_stopped() -> None:
    words = "All mail is stopped: 535 no"
    lists, operator = [reverse("admin:newsletter_edition_changelist"), reverse("desk_calendar")], sign_in("Operator")
    assert not [page for page in lists if words in operator.get(page, secure=True).content.decode()]
    Brake.objects.pull("535 no")
    assert all(words in operator.get(page, secure=True).content.decode() for page in lists)


def test_the_way_to_stop_all_mail_is_named_so_on_today_and_above_the_list() -> None:
    operator = sign_in("Operator")
    for page in (reverse("admin:index"), LIST):
        assert "Stop all mail</a>" in operator.get(page, secure=True).content.decode()
    assert "Stop all mail</button>" in operator.get(ADD, secure=True).content.decode()
    Brake.objects.pull("535 no")
    assert "Stop all mail</a>" not in operator.get(reverse("admin:index"), secure=True).content.decode()


def test_no_address_stands_in_the_reason_that_everybody_reads() -> None:
    page = sign_in("Operator").post(ADD, {"reason": "jo@lab.example wrote"}, secure=True).content.decode()
    assert "the reason has an address in it" in page
    assert not Brake.objects.exists()


def test_its_page_says_who_decided_what_and_from_when_it_is_too_late(edition: Edition, alice: Subscriber) -> None:
    planned(edition, alice)
    operator = sign_in("Operator")
    operator.post(ADD, {"reason": "A wrong subject"}, secure=True)
    own = reverse("admin:newsletter_brake_change", args=[Brake.objects.get().pk])
    assert "come too late from 20 Mar, 21:00 UTC on" in operator.get(own, secure=True).content.decode()
    operator.post(LIST, {"action": "release", "_selected_action": [Brake.objects.get().pk]}, secure=True)
    page = operator.get(own, secure=True).content.decode()
    assert "Released 20 March 2026, 09:00 UTC." in page
    assert "Release: mail goes out again" in page.partition("Who decided what")[2]  # by whom, in words
