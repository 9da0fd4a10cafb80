"""What no file can do: revive somebody, or fill the memory."""

import gc
import tracemalloc
from collections.abc import Iterator

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from subscribers import gate, leaving, suppressing
from subscribers.imports import importing
from subscribers.models import Consent, Subscriber, Suppression
from tests.conftest import NOW
from tests.subscribers.imports.conftest import HEAD, PROOF, bring

PEOPLE = [f"{name}@example.org" for name in ("ann", "ben", "cem")]
GONE = ["pending", "paused", "unsubscribed", "bounced", "complained", "erased", "suppressed", "lifted", "unknown"]
WRITTEN = [str, str.upper, lambda email: f" {email}. ", lambda email: email.title()]
row = st.builds(
    lambda email, written, proof, status: f"{written(email)},{proof},{status}",
    st.sampled_from(PEOPLE),
    st.sampled_from(WRITTEN),
    st.sampled_from([PROOF, ",", "2099-01-01,form", "2025-03-20,", '"2025-03-20","a\nb"']),
    st.sampled_from(["", "active", "ACTIVE", "unsubscribed", "paused", "erased", "complained"]),
)


def live(email: str, fate: str) -> None:
    """What has happened to somebody before the files come."""
    if fate == "suppressed":
        suppressing.suppress(email, "asked by telephone", by="olga")
    if fate in {"suppressed", "unknown"}:
        return
    status = fate if fate in Subscriber.Status.values and fate != "erased" else "bounced"
    reader = Subscriber.objects.create(email=email, status=status)
    if fate == "erased":
        leaving.erase(reader, NOW)
    if status in {"bounced", "complained"}:
        Suppression.objects.add(email, status)
    if fate == "lifted":
        suppressing.lift(email, "a mistake of the provider's", by="olga", at=NOW)


def mailable() -> set[str]:
    readers = list(Subscriber.objects.mailable())
    refused = gate.refusals(readers)
    return {reader.email or "" for reader in readers if reader.pk not in refused}


@given(
    fates=st.lists(st.sampled_from(GONE), min_size=3, max_size=3),
    files=st.lists(st.lists(row, max_size=6), min_size=1, max_size=3),
)
def bring_files(fates: list[str], files: list[list[str]]) -> None:
    """After which those alone are mailable who may be."""
    with transaction.atomic():
        for email, fate in zip(PEOPLE, fates, strict=True):
            live(email, fate)
        fate_of = dict(zip(PEOPLE, fates, strict=True))
        for rows in files:
            bring("\n".join([f"{HEAD},status", *rows]))
        assert all(fate_of[email] == "unknown" for email in mailable())
        for reader in Subscriber.objects.mailable():
            proof = reader.consents.get()
            assert (proof.action, bool(proof.words)) == (Consent.Action.IMPORTED, True)
        transaction.set_rollback(True)


@pytest.mark.parametrize("examples", [20, pytest.param(300, marks=pytest.mark.heavy)])
def test_no_file_makes_somebody_mailable_who_must_not_be(db: None, examples: int) -> None:
    hypothesis_settings(max_examples=examples)(bring_files)()


def file_of(size: int) -> Iterator[bytes]:
    yield f"{HEAD}\n".encode()
    for number in range(size):
        # Every third is refused, so that the report grows as well.
        address = f"reader{number}" if number % 3 == 0 else f"reader{number}@example.org"
        yield f"{address},{PROOF}\n".encode()


def kept_of(size: int) -> int:
    """The most bytes that are kept from one chunk to the next while a file is stored, checked and run."""
    tracemalloc.start()
    job = importing.store(file_of(size), "readers.csv", "olga", NOW)
    kept = []
    for _ in range(2):
        for _chunk in importing.work(job, lambda: NOW):
            gc.collect()
            kept.append(tracemalloc.get_traced_memory()[0])
        importing.confirm(job, "olga", NOW)
    tracemalloc.stop()
    assert sum(job.counts.values()) == size
    return max(kept)


@pytest.mark.heavy
def test_ten_times_the_rows_take_no_more_memory(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK", 200)
    monkeypatch.setattr("subscribers.models.imports.PART_BYTES", 2_000)
    monkeypatch.setattr(importing, "PART_BYTES", 2_000)
    kept_of(200)  # what is kept once
    assert kept_of(3_000) < 1.7 * kept_of(300)
