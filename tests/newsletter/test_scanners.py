"""Programs that open every link of a mail, as spam filters and previews do, change nothing."""

import inspect
import re
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html import unescape

import pytest
from django.apps import apps
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.db.models import Model
from django.test import Client

from newsletter.digest.choice import Choice
from newsletter.digest.rendering import Renderer
from newsletter.models import Digest, Edition
from papers.models import Paper, Topic
from subscribers import emails
from subscribers.emails import BY_KIND, letter_email
from subscribers.gate import MAY_GET
from subscribers.models import Letter, Move, Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned

SITE = "https://papers.example"
LINK = re.compile(r"""https?://[^\s<>"')]+""")
HERE, ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}, {"REMOTE_ADDR": "2001:db8:7::1"}
SCANNERS: dict[str, dict[str, str]] = {
    "checker": {**HERE, "HTTP_USER_AGENT": "Mozilla/5.0 (compatible; link checker)"},
    "prefetch": {**HERE, "HTTP_SEC_PURPOSE": "prefetch;prerender", "HTTP_PURPOSE": "prefetch"},
    "browser elsewhere": {**ELSEWHERE, "HTTP_USER_AGENT": "Mozilla/5.0", "HTTP_SEC_FETCH_SITE": "none"},
}
# Functions of subscribers/emails.py that build a mail, but not one of a kind of its own.
NO_KIND = {"compose", "letter_email", "written", "rendered", "alarm"}  # the last goes to operators


@pytest.fixture
def mails(alice: Subscriber, bob: Subscriber, edition: Edition, papers: list[Paper], graphs: Topic) -> list[str]:
    """The links of one of every kind of mail that we can send, with its reader in the state in which it is sent."""
    alice.topics.add(graphs)
    Move.objects.create(subscriber=alice, email="alice@new.example.org")
    gone = Subscriber.objects.create(email="gone@example.org", status="unsubscribed")
    by_status = {reader.status: reader for reader in (alice, bob, gone)}
    letters = [Letter(subscriber=by_status[MAY_GET[kind][0]], kind=kind, requested_at=NOW) for kind in Letter.Kind]
    digest = planned(edition, alice)
    digest.status, digest.submitted_at = Digest.Status.ACCEPTED, NOW
    digest.save()
    choices = [Choice(paper.pk, "Graph neural networks") for paper in papers[:2]]
    for place, paper in enumerate(papers[:2], start=1):
        digest.papers.create(subscriber=alice, paper=paper, place=place, reason="Graph neural networks")
    messages = [*map(letter_email, letters), Renderer(edition, 8).message(digest, choices)]
    copy = unescape(Renderer(edition, 8).html(digest, choices))
    return [*(link for message in messages for link in links_of(message)), *ours(copy)]


def ours(text: str) -> list[str]:
    return [link for link in LINK.findall(text) if link.startswith(SITE)]


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
    return iter(ours(" ".join(found)))


def everything(but: type[Model] | None = None) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, or of all `but` one."""
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model is not but}
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
            found[table] = cursor.fetchall()
    return found


def test_there_is_a_mail_for_every_kind_of_letter_and_for_every_function_that_builds_one() -> None:
    built = {
        name
        for name, function in inspect.getmembers(emails, inspect.isfunction)
        if inspect.signature(function).return_annotation is EmailMultiAlternatives
    }
    assert set(BY_KIND) == set(MAY_GET) == set(Letter.Kind)
    assert {function.__name__ for function in BY_KIND.values()} == built - NO_KIND


def test_the_mails_have_the_links_that_matter(mails: list[str]) -> None:
    kinds = {link.removeprefix(SITE).split("/")[1] for link in mails}
    assert {"confirm", "preferences", "leave", "one-click", "less-often", "pause", "address", "digests"} <= kinds


@pytest.mark.once
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_fetching_every_link_again_and_again_changes_nothing(mails: list[str], method: str) -> None:
    before = everything()
    client = Client()
    for scanner in [*SCANNERS.values(), SCANNERS["checker"]]:
        for link in sorted(set(mails)):
            answer = getattr(client, method)(link.removeprefix(SITE), secure=True, **scanner)
            assert answer.status_code in {200, 302, 405}, link
            assert not answer.cookies
    assert everything() == before


def test_nor_does_fetching_them_with_the_cookie_of_who_signed_up(mails: list[str], bob: Subscriber) -> None:
    client = Client()
    client.post("/subscribe/", {"email": bob.email, "cadence": "daily", "local_hour": "8"}, secure=True)
    before = everything()
    pages = [client.get(link.removeprefix(SITE), secure=True) for link in sorted(set(mails))]
    assert any(b"data-by-itself" in page.content for page in pages)
    assert everything() == before


@pytest.mark.once
def test_nor_does_following_the_links_of_the_pages_behind_them(mails: list[str]) -> None:
    before = everything()
    client = Client()
    pages = [client.get(link.removeprefix(SITE), secure=True, follow=True) for link in sorted(set(mails))]
    for path in sorted({path for page in pages for path in re.findall(rb'href="(/(?!static/)[^"]*)"', page.content)}):
        client.get(unescape(path.decode()), secure=True)
    assert everything() == before


@pytest.mark.once
def test_a_form_sent_off_without_its_button_s_method_changes_nothing(mails: list[str]) -> None:
    before = everything()
    for link in sorted(set(mails)):
        for query in ("?List-Unsubscribe=One-Click", "?confirm=1", "?instead=pause", "?version=0&topics=graphs"):
            Client().get(link.removeprefix(SITE) + query, secure=True)
    assert everything() == before
