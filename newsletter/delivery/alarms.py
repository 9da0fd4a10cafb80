"""Tells the operators, by mail, that sign-up is under attack: once per attack."""

import logging
from datetime import datetime

from django.conf import settings

from newsletter.delivery.wire.outcomes import Kind
from newsletter.delivery.wire.provider import in_time
from subscribers.emails import alarm
from subscribers.models import Attack

log = logging.getLogger(__name__)

UNHEARD = {Kind.LATER, Kind.UNSENT, Kind.HALT}  # surely not sent: it is worth another try


def sound(at: datetime) -> int:
    """Tell the operators of an attack that they do not know of; returns how many were told. Where none could be, the
    next tick tries again.
    """
    attack = Attack.objects.on().filter(told_at=None).first()
    if attack is None or not attack.tell(at):
        return 0
    with in_time() as submit:
        outcomes = [submit(alarm(operator, attack)).kind for operator in settings.OPERATORS]
    heard = [kind for kind in outcomes if kind not in UNHEARD]
    if outcomes and not heard:
        log.error("the operators could not be told of the attack")
        attack.take_back_telling()
    return len(heard)
