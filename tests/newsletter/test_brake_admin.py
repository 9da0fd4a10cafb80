"""Stopping all mail, and letting it go again, in the admin."""

import pytest
from django.urls import reverse

from newsletter.models import Brake
from tests.newsletter.test_cockpit import sign_in

pytestmark = [pytest.mark.usefixtures("fixed_clock"), pytest.mark.django_db]

ADD, LIST = reverse("admin:newsletter_brake_add"), reverse("admin:newsletter_brake_changelist")


def test_whoever_stops_all_mail_is_told_what_it_does_and_that_it_is_done() -> None:
    operator = sign_in("Operator")
    page = operator.get(ADD, secure=True).content.decode()
    assert "Stop all mail" in page
    assert "nothing is lost, until somebody releases the brake" in page
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
    assert "Release: mail goes out again" not in page


def test_what_still_stops_mail_is_said() -> None:
    for cause in Brake.Cause:
        Brake.objects.pull(f"because {cause}", cause)
    chosen = {"action": "release", "_selected_action": [Brake.objects.get(cause="").pk]}
    page = sign_in("Operator").post(LIST, chosen, secure=True, follow=True).content.decode()
    assert "all mail stays stopped: the database may be a copy" in page
