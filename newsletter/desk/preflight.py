"""What should be so before an edition goes out, each said in words that tell what to do where it is not."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from math import ceil

from anymail.exceptions import AnymailConfigurationError
from django.conf import settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured

from newsletter.delivery.wire import throttle
from newsletter.desk import sender
from newsletter.desk.checks import Check
from newsletter.desk.month import due_on
from newsletter.desk.standing import standings
from newsletter.digest.rendering import HTML_LIMIT, Rendered
from newsletter.models import Brake, Census, Edition, EditionPaper
from papers.models import PaperTopic

LINK = re.compile(r'(?:href|src)="([^"]*)"')
SAFE_LINKS = ("https://", "mailto:", "#")
LONGEST_SUBJECT = 78  # characters; phones show half of them
FEWEST_PAPERS = 5
NAMED = 5  # topics, in one sentence
# Backends that keep mail to themselves.
SILENT = ("console", "dummy", "filebased", "locmem")


def checks(edition: Edition, papers: int, rendered: Rendered | None, at: datetime) -> list[Check]:
    """All of them; `papers` is the size of the pool, `rendered` a mail of it, None where it brought none."""
    return [
        pool(edition, papers),
        topics(edition),
        *(of_mail(rendered) if rendered else [Check(False, "This reader would get nothing: no mail to check.")]),
        *sender.checks(),
        provider(),
        capacity(edition, at),
    ]


def pool(edition: Edition, papers: int) -> Check:
    """Whether it has papers enough; none goes out before the sources have brought any."""
    if edition.drawn_at is None:
        return Check(False, "It has no papers yet: its mails wait until its sources bring some.")
    return Check(papers >= FEWEST_PAPERS, f"The pool has {papers:,} papers.")


def capacity(edition: Edition, at: datetime) -> Check:
    """Whether all that is to go on its day would be out before it expires, as fast as the provider takes it.

    As if all of it came due at once: what the ledger still has, and who has the day in their rhythm and is not planned.
    """
    census = Census.objects.first()
    missing = due_on(edition.date, census) if census and edition.date >= at.date() else {}
    opened = standings(edition.date, edition.date)
    for one in opened:
        missing[one.edition.kind] = max(0, missing.get(one.edition.kind, 0) - one.planned)
    to_go = sum(one.open for one in opened) + sum(missing.values())
    rate = throttle.digests_per_second()
    if rate is None:
        return Check(True, f"Mails to go that day: {to_go:,}; the provider's limit is not known (SEND_PER_SECOND).")
    takes = timedelta(seconds=to_go / rate)
    words = f"Mails to go that day: {to_go:,}; {in_words(takes)} at {rate:g} a second, besides letters"
    return Check(takes <= edition.welcome_for, f"{words}. They expire after {in_words(edition.welcome_for)}.")


def in_words(time: timedelta) -> str:
    minutes = ceil(time / timedelta(minutes=1))
    return f"{minutes} minute{'' if minutes == 1 else 's'}" if minutes < 120 else f"{minutes / 60:.0f} hours"


def topics(edition: Edition) -> Check:
    """Whether each topic that somebody reads has a paper; by the last census."""
    census = Census.objects.first()
    if census is None:
        return Check(False, "Readers have not been counted yet: whether a topic goes without papers is not known.")
    pool = edition.pool.exclude(choice=EditionPaper.Choice.BANNED).values("paper")
    there = PaperTopic.objects.belonging().filter(paper__in=pool).order_by()
    found = set(there.values_list("topic__name", flat=True).distinct())
    without = sorted(set(census.counts["topics"]) - found)
    if not without:
        return Check(True, "Every topic that has readers has papers.")
    more = f" and {len(without) - NAMED} more" if len(without) > NAMED else ""
    return Check(False, f"Topics with readers and no paper: {', '.join(without[:NAMED])}{more}.")


def of_mail(rendered: Rendered) -> Iterator[Check]:
    """Links, size and subject of one mail."""
    bad = sorted({link for link in map(unescape, LINK.findall(rendered.html)) if not link.startswith(SAFE_LINKS)})
    yield Check(
        not bad, f"Not absolute and https: {', '.join(bad[:3])}" if bad else "All links are absolute and https."
    )
    octets = len(rendered.html.encode())
    yield Check(octets <= HTML_LIMIT, f"The HTML part has {octets:,} of at most {HTML_LIMIT:,} octets.")
    length = len(rendered.subject)
    yield Check(0 < length <= LONGEST_SUBJECT, f"The subject has {length} of at most {LONGEST_SUBJECT} characters.")


def provider() -> Check:
    """Whether the settings name one that could take mail, and mail is not stopped. Nobody is called."""
    name = settings.EMAIL_BACKEND
    if Brake.objects.engaged().exists():
        return Check(False, "All mail is stopped: a brake is engaged.")
    if name.split(".")[-2] in SILENT:
        return Check(False, f"{name} sends nothing: set EMAIL_BACKEND.")
    try:
        mail.get_connection()
    except (ImproperlyConfigured, AnymailConfigurationError) as error:
        return Check(False, f"The provider's settings are not complete: {str(error).partition(chr(10))[0]}")
    return Check(True, f"The provider's settings are complete ({name.split('.')[-2]}).")
