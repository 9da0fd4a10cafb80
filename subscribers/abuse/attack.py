"""When sign-up asks more of everybody: begun when confirmations go out and do not come back, ended by calm."""

import logging
from datetime import datetime, timedelta

from django.conf import settings

from subscribers.abuse.counting import note, seen
from subscribers.abuse.slots import NO_LIMIT, Limit
from subscribers.models import Attack
from subscribers.models.attacks import TRUCE

logger = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
ASKED, CONFIRMED = Limit("asked", "all", NO_LIMIT, HOUR), Limit("confirmed", "all", NO_LIMIT, HOUR)


def turned_back() -> Limit:
    """Requests that came without a proof while one was asked for."""
    return Limit("unproven", "all", NO_LIMIT, settings.ATTACK_CALM)


def proven() -> Limit:
    """Requests that came back with one."""
    return Limit("proven", "all", NO_LIMIT, settings.ATTACK_CALM)


def is_on() -> bool:
    return Attack.objects.on().exists()


def judge(at: datetime) -> None:
    """Turn attack mode on or off, as the counts say."""
    attack = Attack.objects.on().first()
    reason = alarming(at)
    if attack is None and reason:
        begin(reason, at)
    elif attack and not attack.by_hand and not reason and is_calm(attack, at) and attack.end(at):
        logger.warning("attack mode is off: it has been calm for %s", settings.ATTACK_CALM)


def begin(reason: str, at: datetime) -> None:
    if Attack.objects.ended_by_hand_since(at - TRUCE).exists():
        return
    if Attack.objects.begin(reason, at):
        logger.error("attack mode is on: %s", reason)


def alarming(at: datetime) -> str:
    """Why to be alarmed, in words; empty where all is well."""
    asked = seen(ASKED, at)
    if asked < settings.ATTACK_FLOOR:
        return ""
    confirmed = seen(CONFIRMED, at)
    if confirmed * 100 >= asked * settings.ATTACK_CONFIRMED_PERCENT:
        return ""
    return f"of {asked} addresses that we asked within an hour, {confirmed} confirmed"


def is_calm(attack: Attack, at: datetime) -> bool:
    """Whether it has gone on for a while, and lately few came who did not show that they mean it."""
    if at - attack.began_at < settings.ATTACK_CALM:
        return False
    return seen(turned_back(), at) - seen(proven(), at) < settings.ATTACK_CALM_REQUESTS


def note_asked(at: datetime) -> None:
    """A confirmation goes out."""
    note(ASKED, at)


def note_confirmed(at: datetime) -> None:
    """One came back."""
    note(CONFIRMED, at)
