"""Where mail really goes: outside production to nobody but those who are allowed, whatever the database holds."""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from subscribers.addresses import domain_of


class OutsideProductionError(ValueError):
    """This is not production, and the mail was for somebody who must not get any from here."""


def reroute(message: EmailMultiAlternatives) -> None:
    """Send a mail where it may go; OutsideProductionError where that is nowhere. Twice is the same as once."""
    message.to = [destination(address) for address in message.to]


def destination(address: str) -> str:
    """Where a mail for this address goes.

    MAIL_ONLY_TO lists the domains that are mailed as usual, MAIL_REROUTE_TO the one address that gets all else.
    """
    if not settings.MAIL_ONLY_TO and not settings.MAIL_REROUTE_TO:
        return address
    domain = domain_of(address).casefold()
    if domain in (one.casefold() for one in settings.MAIL_ONLY_TO):
        return address
    if not settings.MAIL_REROUTE_TO:
        raise OutsideProductionError("outside production nobody but MAIL_ONLY_TO is mailed")
    return str(settings.MAIL_REROUTE_TO)
