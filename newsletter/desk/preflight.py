"""What should be so before an edition goes out, each said in words that tell what to do where it is not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from anymail.exceptions import AnymailConfigurationError
from django.conf import settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured

from newsletter.digest.rendering import HTML_LIMIT, Rendered
from newsletter.models import Brake, Census, Edition, EditionPaper
from papers.models import PaperTopic
from papers.models.topics import BELONGS

LINK = re.compile(r'(?:href|src)="([^"]*)"')
SAFE_LINKS = ("https://", "mailto:", "#")
LONGEST_SUBJECT = 78  # characters; phones show half of them
FEWEST_PAPERS = 5
NAMED = 5  # topics, in one sentence
NOWHERE = (".example", ".invalid", ".localhost", ".test", "example.com", "example.net", "example.org")
# Backends that keep mail to themselves.
SILENT = ("console", "dummy", "filebased", "locmem")


@dataclass(frozen=True)
class Check:
    is_fine: bool
    words: str


def checks(edition: Edition, papers: int, rendered: Rendered | None) -> list[Check]:
    """All of them; `papers` is the size of the pool, `rendered` a mail of it, None where it brought none."""
    return [
        Check(papers >= FEWEST_PAPERS, f"The pool has {papers:,} papers."),
        topics(edition),
        *(of_mail(rendered) if rendered else [Check(False, "This reader would get nothing: no mail to check.")]),
        sender(),
        provider(),
    ]


def topics(edition: Edition) -> Check:
    """Whether each topic that somebody reads has a paper; by the last census."""
    census = Census.objects.first()
    if census is None:
        return Check(False, "Readers have not been counted yet: whether a topic goes without papers is not known.")
    pool = edition.pool.exclude(choice=EditionPaper.Choice.BANNED).values("paper")
    there = PaperTopic.objects.filter(paper__in=pool, strength__gte=BELONGS).order_by()
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


def sender() -> Check:
    domain = settings.MAIL_FROM.rpartition("@")[2]
    if domain.endswith(NOWHERE):
        return Check(False, f"Mail cannot come from {domain}: set MAIL_FROM to an address of your domain.")
    return Check(True, f"Mail comes from {domain}.")


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
