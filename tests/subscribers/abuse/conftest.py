"""Both places that count, and proofs of work as a browser would find them."""

from typing import Any

import pytest
from altcha import Challenge, Payload, solve_challenge
from pytest_django import Settings

NO_REDIS = "redis://127.0.0.1:1"


@pytest.fixture(params=["Redis", "without Redis"], autouse=True)
def _counter(request: pytest.FixtureRequest, settings: Settings) -> None:
    """Everything here holds with a real Redis, and with Redis gone; and a step of work takes no time."""
    if request.param == "without Redis":
        settings.REDIS_URL = NO_REDIS
    settings.WORK_STEPS = settings.WORK_STEPS_UNDER_ATTACK = 2


def solve(challenge: dict[str, Any]) -> str:
    """What the widget posts for this challenge."""
    asked = Challenge.from_dict(challenge)
    solution = solve_challenge(asked)
    assert solution
    return Payload(asked, solution).to_base64()
