"""Programs that open every link of a mail, as spam filters and previews do, change nothing."""

import re
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html import unescape

import pytest
from django.apps import apps
from django.core import serializers
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from newsletter.digest.choice import Choice
from newsletter.digest.rendering import Renderer
from newsletter.models import Digest, Edition
from papers.models import Paper, Topic
from subscribers.emails import BY_KIND, letter_email
from subscribers.models import Letter, Move, Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned

SITE = "https://papers.example"
LINK = re.compile(r"""https?://[^\s<>"')]+""")
SCANNERS: list[dict[str, str]] = [
    {"REMOTE_ADDR": "203.0.113.9", "HTTP_USER_AGENT": "Mozilla/5.0 (compatible; link checker)"},
    {"REMOTE_ADDR": "198.51.100.7", "HTTP_SEC_PURPOSE": "prefetch;prerender", "HTTP_PURPOSE": "prefetch"},
]


@pytest.fixture
def mails(alice: Subscriber, bob: Subscriber, edition: Edition, papers: list[Paper], graphs: Topic) -> list[str]:
    """One of every kind of mail that we can send, with its reader in the state in which it is sent."""
    alice.topics.add(graphs)
    Move.objects.create(subscriber=alice, email="alice@new.example.org")
    gone = Subscriber.objects.create(email="gone@example.org", status="unsubscribed")
    readers = {"confirmation": bob, "goodbye": gone}
    letters = [Letter(subscriber=readers.get(kind, alice), kind=kind, requested_at=NOW) for kind in Letter.Kind.values]
    digest = planned(edition, alice)
    digest.status, digest.submitted_at = Digest.Status.ACCEPTED, NOW
    digest.save()
    choices = [Choice(paper.pk, "Graph neural networks") for paper in papers]
    for place, paper in enumerate(papers, start=1):
        digest.papers.create(subscriber=alice, paper=paper, place=place, reason="Graph neural networks")
    messages = [*map(letter_email, letters), Renderer(edition, 8).message(digest, choices)]
    return [link for message in messages for link in links_of(message)]


def links_of(message: EmailMultiAlternatives) -> Iterator[str]:
    """Every link of ours in a mail's headers and bodies."""
    mail = BytesParser(policy=policy.default).parsebytes(message.message().as_bytes())
    texts = [str(value) for value in mail.values()]
    for part in mail.walk():
        assert isinstance(part, EmailMessage)
        if part.get_content_maintype() == "text":
            texts.append(unescape(part.get_content()))
    found = [link for text in texts for link in LINK.findall(text)]
    assert found
    return (link for link in found if link.startswith(SITE))


def everything() -> list[str]:
    """All rows of all tables."""
    return [serializers.serialize("json", model._default_manager.order_by("pk")) for model in apps.get_models()]


def test_there_is_a_mail_for_every_kind_of_letter() -> None:
    assert set(BY_KIND) == set(Letter.Kind)


def test_the_mails_have_the_links_that_matter(mails: list[str]) -> None:
    kinds = {link.removeprefix(SITE).split("/")[1] for link in mails}
    assert {"confirm", "preferences", "leave", "one-click", "less-often", "pause", "address", "digests"} <= kinds


@pytest.mark.parametrize("scanner", SCANNERS, ids=["checker", "prefetch"])
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_fetching_every_link_three_times_changes_nothing(
    mails: list[str], method: str, scanner: dict[str, str]
) -> None:
    before = everything()
    for link in sorted(set(mails)) * 3:
        answer = getattr(Client(), method)(link.removeprefix(SITE), secure=True, **scanner)
        assert answer.status_code in {200, 302, 405}, link
        assert not answer.cookies
    assert everything() == before


def test_nor_does_following_the_links_of_the_pages_behind_them(mails: list[str]) -> None:
    before = everything()
    client = Client()
    for link in sorted(set(mails)):
        page = client.get(link.removeprefix(SITE), secure=True, follow=True).content.decode(errors="replace")
        for path in set(re.findall(r'href="(/(?!static/)[^"]*)"', page)):
            client.get(unescape(path), secure=True)
    assert everything() == before


def test_a_form_sent_off_without_its_button_s_method_changes_nothing(mails: list[str]) -> None:
    before = everything()
    for link in sorted(set(mails)):
        for query in ("?List-Unsubscribe=One-Click", "?confirm=1", "?instead=pause", "?version=0&topics=graphs"):
            Client().get(link.removeprefix(SITE) + query, secure=True)
    assert everything() == before
