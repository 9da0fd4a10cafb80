"""The database's own labelled papers teach, and nothing worse replaces what is in use."""

import os
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from papers import tasks, training
from papers.models import Paper, PaperTopic, Topic, TopicModel
from papers.topics import assign, model_in_use
from papers.training import Measures
from tests.papers.corpus import CELLS, ROBOTS, STARS, shuffled

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
WORDS = {"astro-ph.GA": STARS, "q-bio.BM": CELLS, "cs.RO": ROBOTS}

pytestmark = pytest.mark.django_db


def paper(number: int, category: str, chance: random.Random, *, known: bool = True) -> Paper:
    words = shuffled(WORDS[category], 14, chance)
    row = Paper(
        arxiv_id=f"26{number:05}",
        title=" ".join(words[3:9]),
        abstract=" ".join(words),
        categories=[category] if known else [],
        published_at=NOW - timedelta(hours=number),
    )
    row.set_keys()
    return row


@pytest.fixture
def sky(db: None) -> dict[str, Topic]:
    """Four topics, whose phrases know little; the last is finer than arXiv's categories."""
    rules = {"stars": (["astro-ph"], "quasar"), "cells": (["q-bio"], "enzyme"), "robots": (["cs.RO"], "robot")}
    topics = {
        slug: Topic(slug=slug, name=slug.title(), categories=categories, phrases=[phrase])
        for slug, (categories, phrase) in (rules | {"lenses": ([], "lens")}).items()
    }
    Topic.objects.bulk_create(topics.values())
    return topics


@pytest.fixture
def library(sky: dict[str, Topic]) -> list[Paper]:
    chance = random.Random(1)
    return Paper.objects.bulk_create(paper(n, list(WORDS)[n % 3], chance) for n in range(600))


@pytest.fixture(scope="module")
def kept() -> list[training.Outcome]:
    """What the first of these tests has learnt of the library: the same papers teach the others the same."""
    return []


@pytest.fixture
def outcome(library: list[Paper], kept: list[training.Outcome]) -> training.Outcome:
    if not kept:
        kept.append(training.train())
    return kept[0]


def trained() -> str:
    out = StringIO()
    call_command("train_topics", stdout=out)
    return out.getvalue()


def test_without_labelled_papers_nothing_is_learnt(sky: dict[str, Topic]) -> None:
    assert "Nothing was learnt. No paper has known topics" in trained()
    assert (TopicModel.objects.count(), model_in_use()) == (0, None)


def test_too_few_papers_to_measure_on_are_too_few(sky: dict[str, Topic]) -> None:
    chance = random.Random(1)
    Paper.objects.bulk_create(paper(n, "cs.RO", chance) for n in range(100))
    assert "50 later ones are needed" in trained()


def test_a_trained_model_knows_words_that_no_phrase_names(library: list[Paper]) -> None:
    unknown = paper(9999, "cs.RO", random.Random(7), known=False)
    unknown.save()
    assert assign([unknown]) == 0
    report = trained()
    assert "Learnt 3 topics from 542 papers" in report
    assert report.splitlines()[-2] == "Put in use."
    row = unknown.paper_topics.get()
    assert (row.topic.slug, row.source) == ("robots", PaperTopic.Source.TEXT)


def test_known_categories_are_stronger_than_any_model(library: list[Paper]) -> None:
    trained()
    first = library[0].paper_topics.get()
    assert (first.topic.slug, first.strength, first.source) == ("stars", 1.0, PaperTopic.Source.CATEGORIES)


def test_a_model_never_learns_from_what_it_is_measured_on(library: list[Paper], outcome: training.Outcome) -> None:
    days = sorted(row.published_at.date() for row in library if row.published_at)
    assert outcome.papers == sum(day <= outcome.trained_until for day in days)
    assert outcome.papers + outcome.held_out == len(days)


def test_the_next_model_is_measured_on_papers_that_the_one_in_use_has_not_seen(outcome: training.Outcome) -> None:
    until = training.keep(outcome, at=NOW).trained_until
    # A back-fill of old papers moves no boundary backwards.
    chance = random.Random(2)
    Paper.objects.bulk_create(paper(n, "cs.RO", chance) for n in range(5000, 5500))
    following = training.train()
    assert following.trained_until == until
    assert following.in_use_measures is not None


def test_training_again_keeps_one_model_in_use(library: list[Paper]) -> None:
    for _ in range(2):
        assert "Put in use." in trained()
    assert list(TopicModel.objects.order_by("pk").values_list("in_use", flat=True)) == [False, True]


@pytest.mark.parametrize("rival", ["phrases", "in_use_measures"])
def test_a_worse_model_is_not_put_in_use(outcome: training.Outcome, rival: str) -> None:
    before = training.keep(outcome, at=NOW)
    poor = replace(outcome, candidate=Measures(0.5, 0.5, 0.5, 0.5), **{rival: Measures(0.5, 0.5, 0.5, 0.51)})
    assert not training.keep(poor, at=NOW).in_use
    assert TopicModel.objects.in_use().get() == before
    assert "worse than" in TopicModel.objects.latest("pk").verdict


def test_two_models_in_use_are_refused_by_the_database(outcome: training.Outcome) -> None:
    row = training.keep(outcome, at=NOW)
    row.pk = None
    with pytest.raises(IntegrityError):
        row.save()


def test_old_models_go(outcome: training.Outcome) -> None:
    for _ in range(training.KEPT + 3):
        training.keep(outcome, at=NOW)
    assert TopicModel.objects.count() == training.KEPT


def test_a_dry_run_changes_nothing(library: list[Paper]) -> None:
    out = StringIO()
    call_command("train_topics", "--dry-run", stdout=out)
    assert "A dry run" in out.getvalue()
    assert not TopicModel.objects.exists()
    assert not PaperTopic.objects.exists()


def test_editors_teach_a_topic_that_no_category_names(library: list[Paper], sky: dict[str, Topic]) -> None:
    """They have placed the papers with "telescope" among lenses, which the topic's own phrase does not name."""
    marked = [row for row in library[60:] if "telescope" in row.abstract][:60]
    editor = PaperTopic.Source.EDITOR
    PaperTopic.objects.bulk_create(
        PaperTopic(paper=row, topic=sky["lenses"], strength=0.9, source=editor) for row in marked
    )
    assert "Lenses" in training.train().learnt
    trained()
    unknown = Paper(title="telescope telescope", abstract="a telescope spectrum of a galaxy")
    unknown.save()
    assign([unknown])
    assert "lenses" in {row.topic.slug for row in unknown.paper_topics.all()}


def test_an_editors_decision_wins_over_the_authors_category(library: list[Paper], sky: dict[str, Topic]) -> None:
    row = library[0]
    row.paper_topics.create(topic=sky["stars"], strength=0.01, source=PaperTopic.Source.EDITOR)
    papers = training.labelled()
    place = papers.texts.index((row.title, row.abstract))
    column = papers.topics.index(sky["stars"])
    assert (papers.belongs[place, column], papers.weights[place, column]) == (False, training.EDITOR_WEIGHT)


def test_only_the_most_recent_papers_are_read(library: list[Paper], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "MAX_PAPERS", 100)
    papers = training.labelled()
    assert len(papers.texts) == 100
    assert papers.days == sorted(row.published_at.date() for row in library[:100] if row.published_at)


def test_a_model_that_cannot_be_read_leaves_the_phrases(library: list[Paper]) -> None:
    trained()
    TopicModel.objects.in_use().update(weights=b"junk", digest="0" * 64)
    unknown = Paper(title="An enzyme for robots", abstract="")
    unknown.save()
    assert assign([unknown]) == 2


def test_the_weekly_task_trains(library: list[Paper]) -> None:
    tasks.train_topics()
    assert TopicModel.objects.in_use().exists()


def test_editors_can_look_at_models_and_change_none(outcome: training.Outcome, client: Client) -> None:
    row = training.keep(outcome, at=NOW)
    client.force_login(User.objects.create_superuser("editor"))
    listed = client.get(reverse("admin:papers_topicmodel_changelist"), secure=True)
    shown = client.get(reverse("admin:papers_topicmodel_change", args=[row.pk]), secure=True)
    assert b"Put in use." in listed.content
    assert b"Stars" in shown.content
    assert client.get(reverse("admin:papers_topicmodel_add"), secure=True).status_code == 403


@pytest.mark.once
def test_the_web_starts_without_what_trains() -> None:
    code = (
        "import sys, tests.environment, django; django.setup(); import newsletter.urls, papers.tasks;"
        " print(*{name.split('.')[0] for name in sys.modules} & {'sklearn', 'scipy'})"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "newsletter.settings"}
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert answer.stdout.strip() == ""
