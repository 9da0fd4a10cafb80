"""What the record says of what people did."""

import pytest
from django.urls import reverse

from newsletter import audit
from newsletter.models import Edition
from tests.newsletter.test_cockpit import EDITIONS, sign_in


@pytest.mark.parametrize("place", ["list", "page"])
def test_who_lets_all_follow_is_on_record_with_that_and_not_with_first_copies_that_went_well(
    edition: Edition, place: str
) -> None:
    Edition.objects.update(canary=Edition.Canary.AHEAD)
    address = EDITIONS if place == "list" else reverse("desk_turn", args=[edition.pk])
    form = {"action": "follow", "_selected_action": edition.pk, "turn": "follow"}
    sign_in("Editor").post(address, form, secure=True)
    [one] = audit.decisions_on(edition, 2)
    assert (one.words, one.values) == ("Let all follow now", [])
