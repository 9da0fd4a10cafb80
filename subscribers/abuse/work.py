"""Proof of work, by altcha: a second of a computer's time, unseen by a person, dear to whoever wants thousands.

https://altcha.org/docs/v2/proof-of-work/ : the browser looks for the one number whose derived key is the one that the
challenge's prefix begins; the challenge and that key are signed, so that nothing is kept until a proof is used.
"""

import json
import secrets
from base64 import b64decode
from datetime import datetime, timedelta
from typing import Any

from altcha import create_challenge, verify_solution
from django.conf import settings
from django.utils.crypto import salted_hmac

from subscribers.abuse.tickets import use_up

ALGORITHM = "PBKDF2/SHA-256"  # every browser has it built in (WebCrypto)
ITERATIONS = 2000  # per step
LIFETIME = timedelta(minutes=30)
LONGEST = 4000  # characters; a proof has about 800


def challenge(at: datetime, under_attack: bool) -> dict[str, Any]:
    """A new challenge, as the widget and the API's callers read it."""
    steps = settings.WORK_STEPS_UNDER_ATTACK if under_attack else settings.WORK_STEPS
    made = create_challenge(
        ALGORITHM,
        ITERATIONS,
        counter=steps - secrets.randbelow(steps // 2 + 1),
        expires_at=at + LIFETIME,
        hmac_secret=key("challenge"),
        hmac_key_secret=key("answer"),
    )
    return made.to_dict()


def is_solved(proof: str, at: datetime) -> bool:
    """Whether this is the solution of a challenge of ours, in time and for the first time. It is used up by that."""
    return is_genuine(proof) and use_up("work", signature(proof), LIFETIME, at)


def is_genuine(proof: str) -> bool:
    """Whether this is the solution of a challenge of ours, in time. The library looks at the clock."""
    if not proof or len(proof) > LONGEST or not proof.isascii():
        return False
    return verify_solution(proof, key("challenge"), hmac_key_secret=key("answer")).verified


def signature(proof: str) -> str:
    """What names the challenge that a genuine proof solves."""
    return str(json.loads(b64decode(proof))["challenge"]["signature"])


def key(purpose: str) -> str:
    return salted_hmac("subscribers.abuse.work", purpose, algorithm="sha256").hexdigest()
