"""Tickets and proofs of work: spoilt, of another purpose, too early, too late or used, none is good."""

import base64
import json
from datetime import timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from subscribers.abuse import work
from subscribers.abuse.tickets import FORM, PATIENCE, Standing
from tests.conftest import NOW
from tests.subscribers.abuse.conftest import solve

pytestmark = pytest.mark.django_db
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
quickly = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize(
    ("age", "standing"),
    [(0, "YOUNG"), (1, "YOUNG"), (2, "GOOD"), (86_400, "GOOD"), (86_401, "OLD"), (-60, "YOUNG")],
)
def test_a_ticket_is_good_from_two_seconds_to_a_day(age: int, standing: str) -> None:
    assert FORM.redeem(FORM.issue(NOW), NOW + age * SECOND) is Standing[standing]


def test_a_ticket_is_good_once() -> None:
    ticket = FORM.issue(NOW)
    found = [FORM.redeem(ticket, NOW + hours * timedelta(hours=1)) for hours in (1, 1, 23)]
    assert found == [Standing.GOOD, Standing.USED, Standing.USED]


def test_looking_at_a_ticket_does_not_use_it_up() -> None:
    ticket = FORM.issue(NOW)
    assert {FORM.standing(ticket, NOW + DAY / 2) for _ in range(3)} == {Standing.GOOD}


def test_a_ticket_of_another_purpose_is_foreign() -> None:
    assert PATIENCE.redeem(FORM.issue(NOW), NOW + 20 * SECOND) is Standing.FOREIGN
    assert FORM.redeem(PATIENCE.issue(NOW), NOW + 20 * SECOND) is Standing.FOREIGN


@given(st.data())
@quickly
def test_a_ticket_cut_or_changed_anywhere_is_foreign(data: st.DataObject) -> None:
    ticket = FORM.issue(NOW)
    place, bit = data.draw(st.integers(1, len(ticket) - 1)), data.draw(st.integers(0, 6))
    flipped = ticket[:place] + chr(ord(ticket[place]) ^ 1 << bit) + ticket[place + 1 :]
    for spoilt in (ticket[:place], flipped, ticket + "x", "x" * 10_000, "\0", "é"):
        assert FORM.redeem(spoilt, NOW + 5 * SECOND) is Standing.FOREIGN


def test_a_solution_is_good_once(fixed_clock: time_machine.Traveller) -> None:
    proof = solve(work.challenge(NOW, under_attack=False))
    assert [work.is_solved(proof, NOW) for _ in range(3)] == [True, False, False]


def test_the_same_solution_written_differently_is_used_too(fixed_clock: time_machine.Traveller) -> None:
    proof = solve(work.challenge(NOW, under_attack=False))
    said = json.loads(base64.b64decode(proof))
    said["solution"]["time"] = 5
    again = base64.b64encode(json.dumps(said, indent=1).encode()).decode()
    assert [work.is_solved(proof, NOW), work.is_genuine(again), work.is_solved(again, NOW)] == [True, True, False]


def test_a_solution_comes_too_late_after_half_an_hour(fixed_clock: time_machine.Traveller) -> None:
    proof = solve(work.challenge(NOW, under_attack=False))
    fixed_clock.shift(work.LIFETIME + SECOND)
    assert not work.is_solved(proof, NOW + work.LIFETIME + SECOND)


def test_a_challenge_of_somebody_else_is_not_ours(fixed_clock: time_machine.Traveller) -> None:
    challenge = work.challenge(NOW, under_attack=False)
    challenge["parameters"]["expiresAt"] += 3600
    assert not work.is_genuine(solve(challenge))


@given(st.data())
@quickly
def test_a_proof_cut_or_changed_anywhere_is_none(data: st.DataObject) -> None:
    with time_machine.travel(NOW, tick=False):
        proof = base64.b64decode(solve(work.challenge(NOW, under_attack=False)))
        place, bit = data.draw(st.integers(0, 10_000)) % (len(proof) - 1), data.draw(st.integers(0, 6))
        flipped = proof[:place] + bytes([proof[place] ^ 1 << bit]) + proof[place + 1 :]
        assert not work.is_genuine(base64.b64encode(proof[:place]).decode())
        assert not work.is_genuine(base64.b64encode(flipped).decode()) or meaning(flipped) == meaning(proof)


def meaning(proof: bytes) -> tuple[str, bytes]:
    """What a use is booked under, and the key that was found: how it was found nobody reads, and a name that is
    missing from the parameters stands for its usual value, which the signature covers.
    """
    said = json.loads(proof)
    return said["challenge"]["signature"], bytes.fromhex(said["solution"]["derivedKey"])


@given(st.one_of(st.text(max_size=300), st.binary(max_size=300).map(lambda raw: base64.b64encode(raw).decode())))
@quickly
def test_nonsense_is_no_proof(proof: str) -> None:
    assert not work.is_solved(proof, NOW)


@pytest.mark.parametrize(
    "said", [[], {}, None, 1, {"challenge": 1}, {"challenge": {"parameters": []}, "solution": {}}, "x" * 9000]
)
def test_json_that_is_no_proof_is_none(said: object) -> None:
    assert not work.is_solved(base64.b64encode(json.dumps(said).encode()).decode(), NOW)
