"""A small library as feeds, API and sitemaps publish it."""

from datetime import date, datetime

from papers.models import Listing, Paper, PaperTopic, Topic
from papers.trends import rank
from tests.papers.conftest import ABSTRACT, DAY

SITE = "https://papers.example"  # of tests/environment.py
HOSTILE = "<script>alert(1)</script> ]]> & \u202eleft\u0000 \ufffe{{ 7 }}"
PUBLISHED = datetime.fromisoformat("2026-03-18T17:00:00+00:00")


def topic() -> Topic:
    return Topic.objects.create(slug="graphs", name="Graphs & networks", description="On graphs.", field="Learning")


def shown(title: str, place: int, about: Topic | None = None, day: date = DAY, **values: object) -> Paper:
    """A paper that a page showed at a place on a day."""
    fields = {"abstract": ABSTRACT, "authors": ["Ada Lovelace"], "url": "https://arxiv.org/abs/2603.00001"} | values
    paper = Paper.objects.create(title=title, listed_on=day, **fields)
    Listing.objects.create(paper=paper, source="page", day=day, place=place)
    if about:
        PaperTopic.objects.create(paper=paper, topic=about, strength=0.8, source=PaperTopic.Source.TEXT)
    rank([paper])
    return paper
