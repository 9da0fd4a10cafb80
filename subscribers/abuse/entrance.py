"""What a stranger's request has to pass before it is stored. Nothing here looks at what we know of an address."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from subscribers.abuse import attack, work
from subscribers.abuse.counting import note, take
from subscribers.abuse.limits import before_proof, posts
from subscribers.abuse.tickets import FORM, PATIENCE, Standing
from subscribers.models import SubscriptionRequest

INBOX_IS_FULL = _("More people ask at this moment than we can answer. Please try again in a quarter of an hour.")
NETWORK_IS_FULL = _("Very many subscriptions came from your network today. Please try again tomorrow.")
ONE_MORE_STEP = _("One more step: so many requests come in just now that we make sure yours is meant.")
# Of the widget: no name of its maker, no watching of the pointer, no second without work.
WIDGET = {"hideLogo": True, "hideFooter": True, "humanInteractionSignature": False, "minDuration": 0}


@dataclass(frozen=True)
class Evidence:
    """What came with a request to show that a person means it, as it was typed; all of it may be missing."""

    ticket: str = ""
    patience: str = ""
    work: str = ""

    @classmethod
    def of(cls, posted: Mapping[str, str]) -> "Evidence":
        fields = {"ticket": "ticket", "patience": "patience", "work": "altcha"}
        return cls(**{name: str(posted.get(field, ""))[: work.LONGEST] for name, field in fields.items()})


@dataclass(frozen=True)
class Step:
    """What is asked for in addition: the solution of a challenge, or, without JavaScript, patience."""

    challenge: dict[str, Any]
    patience: str
    words: str
    widget_json: str = json.dumps(WIDGET)

    @property
    def challenge_json(self) -> str:
        return json.dumps(self.challenge)


class OneMoreStep(Exception):  # noqa: N818 - said as the reader would say it
    """The request is stored once it comes again with what `step` asks for."""

    def __init__(self, step: Step) -> None:
        super().__init__(step.words)
        self.step = step


class TooMany(Exception):  # noqa: N818 - as above
    """Nothing can be stored for this network, or for anybody, until `retry_after` seconds from now."""

    def __init__(self, words: str, retry_after: int, status: int) -> None:
        super().__init__(words)
        self.words, self.retry_after, self.status = words, retry_after, status


def admit(request: SubscriptionRequest, evidence: Evidence, at: datetime) -> None:
    """See that this request may be stored, and mark what speaks for it.

    Raises OneMoreStep where it takes a proof, TooMany where it cannot be stored at all.
    """
    under_attack = attack.is_on()
    request.proven = work.is_solved(evidence.work, at)
    if SubscriptionRequest.objects.exceed(settings.SIGNUP_INBOX * (2 if request.proven else 1) - 1):
        raise TooMany(str(INBOX_IS_FULL), 900, status=503)
    means_it = request.proven or PATIENCE.redeem(evidence.patience, at) is Standing.GOOD
    if not means_it and (under_attack or not has_room(request.network, evidence, at)):
        note(attack.turned_back(), at)
        raise OneMoreStep(next_step(evidence, at, under_attack))
    if take([posts(request.network)], at):
        raise TooMany(str(NETWORK_IS_FULL), 3600, status=429)
    if request.proven:
        note(attack.proven(), at)
    request.at = at
    request.not_before = at + settings.ATTACK_DELAY if under_attack else at


def has_room(network: str, evidence: Evidence, at: datetime) -> bool:
    """Whether this network may ask without a proof; what comes without a good ticket uses up more of it."""
    is_good = FORM.redeem(evidence.ticket, at) is Standing.GOOD
    return take([before_proof(network)], at, 1 if is_good else settings.SIGNUP_UNPROVEN_COST) is None


def next_step(evidence: Evidence, at: datetime, under_attack: bool) -> Step:
    """A fresh challenge; and the same patience where it was just too short, or waiting would begin anew each time."""
    waits = PATIENCE.standing(evidence.patience, at) is Standing.YOUNG
    patience = evidence.patience if waits else PATIENCE.issue(at)
    return Step(work.challenge(at, under_attack), patience, str(ONE_MORE_STEP))
