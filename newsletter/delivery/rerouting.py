"""Where mail really goes: outside production to nobody but those who are allowed, whatever the database holds."""

from django.conf import settings


def destination(address: str) -> str | None:
    """Where a mail for this address goes; None where it must go nowhere.

    MAIL_ONLY_TO lists the domains that are mailed as usual, MAIL_REROUTE_TO the one address that gets all else.
    """
    if not settings.MAIL_ONLY_TO and not settings.MAIL_REROUTE_TO:
        return address
    domain = address.rpartition("@")[2].casefold()
    if domain in settings.MAIL_ONLY_TO:
        return address
    return settings.MAIL_REROUTE_TO or None
