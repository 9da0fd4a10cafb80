"""Readers are spoken to in their language: every letter, every page of theirs, the reasons in a digest."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email import policy
from email.parser import BytesParser
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as project
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import translation
from pytest_django import Settings

from newsletter.delivery.letters import send_owed_letters
from newsletter.digest import candidates, readers
from newsletter.digest.choice import Chooser
from newsletter.digest.explanation import explain
from newsletter.models import Digest, Edition, Feedback
from papers.models import Paper, Reading, Topic
from subscribers import links
from subscribers.emails import letter_email
from subscribers.letters import owe
from subscribers.links import Farewell
from subscribers.models import Letter, Move, Subscriber
from tests.conftest import NOW
from tests.mirrored import seen, speak_mirrored, unmarked
from tests.newsletter.conftest import planned
from tests.stubs import Relay
from tests.test_translations import catalogues, forms, messages, singular

FOREIGN = [code for code, _ in project.LANGUAGES if code != "en"]
# What no language changes: names, and what Django itself says in the languages that it knows.
NAMES = {"Trending Papers", "Test Street", "Testville", "Graph neural networks", "Robotics", "Ada Lovelace", "JSON"}
DJANGO = {
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "English",
    "Deutsch",
    "Français",
}
DJANGO |= {day[:3] for day in DJANGO}


@pytest.fixture
def mirrored(tmp_path: Path, settings: Settings) -> str:
    """A language written from the right in which everything that was marked stands in brackets."""
    return speak_mirrored(tmp_path, settings)


def letter(reader: Subscriber, kind: str) -> Letter:
    Move.objects.get_or_create(subscriber=reader, email="new@example.org")
    return Letter(subscriber=reader, kind=kind, requested_at=NOW, not_before=NOW)


def mail(message: EmailMultiAlternatives) -> tuple[str, str, str]:
    """Subject, text and HTML as a mail program reads them."""
    parsed = BytesParser(policy=policy.default).parsebytes(message.message().as_bytes())
    assert not parsed.defects
    plain, html = (parsed.get_body((kind,)).get_content() for kind in ("plain", "html"))
    return str(parsed["Subject"]), plain, html


def links_in(text: str) -> list[tuple[str, str]]:
    """Purpose and secret of every link, but for the signature's time and the language of a public page."""
    found = [urlsplit(link).path.split("/") for link in re.findall(r"https://papers\.example[^\s\"<]*", text)]
    return [(path[1], path[-1].split(".")[0]) for path in found]


def english_in(text: str, language: str) -> list[str]:
    """English sentences that this language says differently."""
    whole = " ".join(seen(text).split())
    return [words for words in said_differently(language) if words in whole]


@cache
def said_differently(language: str) -> list[str]:
    (path,) = (path for path in catalogues() if path.parts[-3] == language)
    differing = (singular(message) for message in messages(path) if singular(message) not in forms(message))
    return [words for words in differing if len(words) > 12 and re.sub(r"%\(.*|<.*", "", words)]


@pytest.mark.once
@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize("kind", Letter.Kind.values)
def test_every_letter_is_said_in_the_reader_s_language(alice: Subscriber, kind: str, language: str) -> None:
    english = mail(letter_email(letter(alice, kind)))
    alice.language = language
    message = letter_email(letter(alice, kind))
    foreign = mail(message)
    assert message.extra_headers["Content-Language"] == language
    assert f'<html lang="{language}" dir="ltr">' in foreign[2]
    for ours, theirs in zip(foreign, english, strict=True):
        assert ours != theirs
        assert links_in(ours) == links_in(theirs)
        assert english_in(ours, language) == []


@pytest.mark.once
@pytest.mark.parametrize("kind", Letter.Kind.values)
@pytest.mark.parametrize("status", ["active", "paused"])
def test_no_word_of_a_letter_is_left_unmarked(
    alice: Subscriber, graphs: Topic, mirrored: str, kind: str, status: str
) -> None:
    alice.language, alice.status = mirrored, status
    alice.next_digest_at = None if status == "paused" else NOW
    for topics in ([], [graphs]):
        alice.topics.set(topics)
        subject, plain, html = mail(letter_email(letter(alice, kind)))
        for part in (subject, plain, seen(html)):
            assert "⟦" in part
            assert unmarked(part, NAMES | DJANGO) == []


@pytest.mark.once
@pytest.mark.parametrize("kind", Letter.Kind.values)
def test_a_letter_written_from_the_right_keeps_its_structure(alice: Subscriber, mirrored: str, kind: str) -> None:
    english = mail(letter_email(letter(alice, kind)))[2]
    alice.language = mirrored
    html = mail(letter_email(letter(alice, kind)))[2]
    assert f'<html lang="{mirrored}" dir="rtl">' in html
    assert "text-align:right" in html
    assert "text-align:left" not in html
    assert re.findall(r"</?(\w+)", html) == re.findall(r"</?(\w+)", english)


def pages_of(reader: Subscriber) -> dict[str, str]:
    """Every page behind a secret of this reader's, by its route."""
    signed, key = links.preferences_token(reader), reader.leave_key
    farewell = links.undo_token(Farewell(reader, Subscriber.Status.ACTIVE, reader.status_changed_at))
    move, _ = Move.objects.get_or_create(subscriber=reader, defaults={"email": f"new-{reader.email}"})
    secrets = {
        **dict.fromkeys(["preferences", "erase", "resume", "learned", "reader_digests"], signed),
        **dict.fromkeys(["leave", "less_often", "pause", "one_click"], key),
        "confirm": links.confirm_token(reader),
        "leave_undo": farewell,
        "take_back": links.back_token(reader, reader.version),
    }
    paths = {name: reverse(name, args=[secret]) for name, secret in secrets.items()}
    return paths | {f"agree {side}": urlsplit(links.move_url(move, side)).path for side in ("old", "new")}


# They answer a post, or with a file.
NO_PAGES = {"export", "move", "undo", "pause_until", "why", "sample"}


def test_every_page_behind_a_secret_is_looked_at_here(alice: Subscriber) -> None:
    routes = {name for name, *_ in named_routes() if name not in NO_PAGES}
    assert routes == {name.split()[0] for name in pages_of(alice)}


def named_routes() -> Iterator[tuple[str, str]]:
    for pattern in (entry for one in get_resolver().url_patterns for entry in getattr(one, "url_patterns", [one])):
        if "token>" in str(pattern.pattern) and pattern.name:
            yield pattern.name, str(pattern.pattern)


@pytest.fixture
def known(alice: Subscriber, graphs: Topic, edition: Edition, papers: list[Paper]) -> Subscriber:
    """Alice with something on every page: topics, words on papers, digests that arrived or did not."""
    alice.topics.add(graphs)
    for number, status in enumerate(["accepted", "bounced", "in_doubt"]):
        other = Edition.objects.create(kind=["weekly", "monthly", "sample"][number], date=NOW.date())
        digest = planned(other, alice)
        Digest.objects.filter(pk=digest.pk).update(status=status, submitted_at=NOW, reason="" if number < 2 else "lost")
        digest.papers.create(subscriber=alice, paper=papers[number], place=1, reason="⟦Because⟧")
        Feedback.objects.create(subscriber=alice, paper=papers[number], kind=Feedback.Kind.values[number], at=NOW)
    return alice


@pytest.mark.once
@pytest.mark.parametrize("status", ["pending", "active", "paused", "unsubscribed", "bounced"])
def test_no_word_of_a_reader_s_pages_is_left_unmarked(
    client: Client, known: Subscriber, mirrored: str, status: str, papers: list[Paper]
) -> None:
    due = NOW if status == "active" else None
    Subscriber.objects.filter(pk=known.pk).update(language=mirrored, status=status, next_digest_at=due)
    known.refresh_from_db()
    of_topics = {words for topic in Topic.objects.all() for words in (topic.field, topic.description)}
    allowed = NAMES | DJANGO | of_topics | {paper.title for paper in papers}
    for name, path in pages_of(known).items():
        html = client.get(path, secure=True).content.decode()
        html = re.sub(r'<select name="zone".*?</select>', "", html, flags=re.DOTALL)
        assert f'<html lang="{mirrored}" dir="rtl">' in html, name
        assert unmarked(seen(html), allowed) == [], name


@pytest.mark.once
@pytest.mark.parametrize("language", FOREIGN)
def test_no_page_of_a_reader_is_left_in_english(client: Client, known: Subscriber, language: str) -> None:
    Subscriber.objects.filter(pk=known.pk).update(language=language)
    for name, path in pages_of(known).items():
        html = client.get(path, secure=True).content.decode()
        assert f'<html lang="{language}" dir="ltr">' in html, name
        assert english_in(html.replace("Graph neural networks paper", ""), language) == [], name


def test_the_reasons_of_a_digest_are_in_the_reader_s_language(alice: Subscriber, edition: Edition) -> None:
    alice.topics.set(Topic.objects.filter(slug="graphs"))
    paper = Paper.objects.get(title="Graph neural networks paper 1")
    Reading.objects.create(paper=paper, upvotes=1312, taken_at=NOW + timedelta(days=2))
    pool = candidates.load(edition)
    found = {}
    for language in ("en", *FOREIGN):
        alice.language = language
        (reader,) = readers.load([alice], pool, NOW)
        found[language] = {choice.paper: choice.reason for choice in Chooser(pool).choose(reader)}
    assert [reasons[paper.pk] for reasons in found.values()] == [
        "Graph neural networks · 1,312 upvotes in 2 days",
        "Neuronale Netze auf Graphen · 1.312 Upvotes in 2 Tagen",
        "Réseaux de neurones sur graphes · 1\u00a0312 votes en 2 jours",
    ]
    assert "From outside your topics · no. 2 in the trends of 20 March" in found["en"].values()
    assert "Von außerhalb Ihrer Themen · Platz 2 der Trends vom 20. März" in found["de"].values()
    assert "Hors de vos thèmes · n°\u00a02 des tendances du 20 mars" in found["fr"].values()


def test_an_operator_reads_the_reasons_in_english(alice: Subscriber, graphs: Topic, edition: Edition) -> None:
    alice.language = "de"
    alice.topics.set([graphs])
    verdicts = [line.verdict for _, line in explain(alice, edition, NOW).lines]
    assert any("in the trends of 20 March" in verdict for verdict in verdicts)


def test_one_batch_sends_letters_in_many_languages(db: None, relay: Relay) -> None:
    for language in ("de", "en", "fr"):
        reader = Subscriber.objects.create(email=f"{language}@example.org", language=language)
        owe(reader, Letter.Kind.CONFIRMATION, NOW)
    with translation.override("fr"):  # whatever the worker spoke before
        assert send_owed_letters(NOW) == 3
        assert translation.get_language() == "fr"
    subjects = {str(sent["To"]): str(sent["Subject"]) for sent in relay.accepted}
    assert subjects == {
        "de@example.org": "Bestätigen Sie Ihr Abonnement von Trending Papers",
        "en@example.org": "Confirm your subscription to Trending Papers",
        "fr@example.org": "Confirmez votre abonnement à Trending Papers",
    }


def test_a_letter_that_cannot_be_built_leaves_no_language_behind(alice: Subscriber, settings: Settings) -> None:
    alice.language = "de"
    settings.MAIL_FROM_NAME = "Papers\r\nBcc: eve@example.org"
    with pytest.raises(ValueError, match="does not belong in a header"):
        letter_email(letter(alice, "welcome"))
    assert translation.get_language() == "en"
