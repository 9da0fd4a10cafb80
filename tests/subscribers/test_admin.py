import pytest
from django.test import Client
from django.urls import reverse

from subscribers.models import Consent, Letter, Parting, Subscriber, Suppression
from tests.conftest import NOW

MODELS = ["subscriber", "consent", "suppression", "letter", "parting"]


@pytest.fixture
def rows(alice: Subscriber, bob: Subscriber) -> dict[str, int]:
    """One row of each model, by name."""
    Suppression.objects.add("eve@example.org", Suppression.Reason.COMPLAINED)
    consent = Consent.objects.create(subscriber=alice, action="confirmed")
    letter = Letter.objects.create(subscriber=alice, kind="welcome", not_before=NOW)
    parting = Parting.objects.create(reason="no_time", day=NOW.date())
    pks = [alice.pk, consent.pk, Suppression.objects.get().pk, letter.pk, parting.pk]
    return dict(zip(MODELS, pks, strict=True))


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_its_list_and_its_page(admin_client: Client, rows: dict[str, int], model: str) -> None:
    assert admin_client.get(reverse(f"admin:subscribers_{model}_changelist")).status_code == 200
    assert admin_client.get(reverse(f"admin:subscribers_{model}_change", args=[rows[model]])).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_nobody_adds_or_deletes_by_hand(admin_client: Client, rows: dict[str, int], model: str) -> None:
    assert admin_client.post(reverse(f"admin:subscribers_{model}_add")).status_code == 403
    assert admin_client.post(reverse(f"admin:subscribers_{model}_delete", args=[rows[model]])).status_code == 403


@pytest.mark.parametrize("model", MODELS[1:])
def test_proofs_are_not_altered(admin_client: Client, rows: dict[str, int], model: str) -> None:
    path = reverse(f"admin:subscribers_{model}_change", args=[rows[model]])
    assert admin_client.post(path, {"reason": "x"}).status_code == 403


@pytest.mark.parametrize(("term", "found"), [("Alice@", 1), ("alice@example.org", 1), ("lice", 0), ("@", 0)])
@pytest.mark.parametrize("model", ["subscriber", "consent", "letter"])
def test_people_are_found_by_the_beginning_of_their_address(
    admin_client: Client, rows: dict[str, int], model: str, term: str, found: int
) -> None:
    page = admin_client.get(reverse(f"admin:subscribers_{model}_changelist"), {"q": term})
    assert page.context["cl"].result_count == found
