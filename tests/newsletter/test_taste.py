"""What is learned from what readers say of papers."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.digest import candidates, readers
from newsletter.digest.explanation import explain
from newsletter.digest.features import Features
from newsletter.digest.scoring import phrase_strengths, spellings
from newsletter.digest.taste import (
    ENOUGH,
    HALF_LIFE,
    UNWANTED,
    WORDS,
    Background,
    Text,
    Word,
    background,
    faded,
    learn,
    read,
)
from newsletter.digest.terms import passage
from newsletter.models import DigestPaper, Edition, EditionPaper, Feedback, Profile
from papers.models import Paper, Topic
from papers.trends import Popularity, trend
from subscribers.models import Interest, Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned

SPARSE = [read(f"Sparse autoencoders {word}", f"We {word} circuits.", ["Ada Lovelace", word]) for word in "abc"]
ROBOTS = [read(f"Robots that walk {word}", f"They {word} stairs.", ["Emmy Noether", word]) for word in "xyz"]
USUAL = background([*SPARSE, *ROBOTS] + [read(f"A paper on {number}", "Nothing else.", []) for number in range(94)])


def test_a_taste_is_what_the_liked_papers_share() -> None:
    taste = learn([Word(text, 1.0) for text in SPARSE], USUAL)
    assert max(taste.terms, key=lambda term: taste.terms[term]) in {
        "sparse",
        "sparse autoencoder",
        "autoencoder",
        "circuit",
    }
    assert next(iter(taste.authors)) == "ada-lovelace"


def test_an_author_of_one_liked_paper_counts_a_little_and_less_among_many() -> None:
    one, two = (read("A paper", "", names) for names in (["Ada Lovelace"], ["Emmy Noether", *"abc"]))
    weights = learn([Word(one, 1.0), Word(two, 1.0)], USUAL).authors
    assert 0 < weights["emmy-noether"] < weights["ada-lovelace"] < 0.3


KIN = [read(f"Sparse autoencoders {number}", "They read circuits.", []) for number in range(5)]
OTHERS = [read(f"A paper on {number}", "Nothing else.", []) for number in range(200)]
TODAY = Features.of([*KIN, *OTHERS])
ONE = read("Reading circuits by sparse autoencoders", "It tells 528 things that no other paper tells.", [])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_single_word_moves_the_papers_like_it(sign: int) -> None:
    like = TODAY.like([learn([Word(ONE, float(sign))], TODAY.usual)])[0] * sign
    assert min(like[: len(KIN)]) > 0.1
    assert not like[len(KIN) :].any()


def test_what_no_other_paper_has_is_not_learned_from_one() -> None:
    assert not {"528", "528 thing", "thing"} & learn([Word(ONE, 1.0)], TODAY.usual).terms.keys()


SMALL = background(
    [
        read(f"Attention is all you need {number}", "It does 15 things, collectively, for walking robots.", [])
        for number in range(9)
    ]
    + [read(f"Walking robots {number}", "They do it actively.", []) for number in range(3)]
    + [read("Rare birds", "They sing.", [])] * 2
    + [read(f"A paper on {number}", "Nothing else.", []) for number in range(286)]
)


def test_a_turn_of_phrase_is_not_learned_from_one_paper_of_a_small_edition() -> None:
    said = "Walking robots are all you need"
    taste = learn([Word(read(said, "We do 15 things, collectively and actively, with rare birds.", []), 1.0)], SMALL)
    assert "walking robot" in taste.terms
    assert not {"you", "you need", "do", "15", "collectively", "actively", "bird"} & taste.terms.keys()


def test_what_several_liked_papers_share_is_learned_whatever_other_papers_have() -> None:
    terms = learn([Word(read("A title", f"Of {word}, collectively.", []), 1.0) for word in "ab"], SMALL).terms
    assert "collectively" in terms


def test_what_was_said_long_ago_counts_less_and_then_nothing() -> None:
    def taste(days: int) -> float:
        weight = faded(NOW - timedelta(days=days), NOW)
        return float(TODAY.like([learn([Word(one, weight) for one in (ONE, KIN[0])], TODAY.usual)])[0, 1])

    assert taste(0) == pytest.approx(taste(120), rel=0.02)
    assert taste(120) > 2 * taste(360) > 10 * taste(3650)


def test_likes_that_have_faded_are_few() -> None:
    assert learn([Word(one, 0.25) for one in KIN], USUAL).likes == 1.25


def test_a_dislike_leaves_what_is_liked_more_often() -> None:
    liked = [Word(one, 1.0) for one in SPARSE]
    against = Word(read("Sparse autoencoders that walk", "Robots walk.", []), -1.0)
    before, after = (learn(words, USUAL).terms for words in (liked, [*liked, against]))
    assert after["autoencoder"] == before["autoencoder"]
    assert after["walk"] < 0


def test_terms_against_a_paper_do_not_crowd_out_those_for_it() -> None:
    liked = [Word(holds(*(f"liked {number}" for number in range(60))), 1.0)] * 2
    disliked = [Word(holds(*(f"not {number}" for number in range(60))), -1.0)] * 2
    terms = learn([*liked, *disliked], USUAL).terms
    assert sum(weight > 0 for weight in terms.values()) == WORDS
    assert sum(weight < 0 for weight in terms.values()) == UNWANTED


def test_a_paper_like_the_liked_ones_scores_about_one_and_another_nothing() -> None:
    taste = learn([Word(text, 1.0) for text in SPARSE], USUAL)
    liked, other = Features.of([SPARSE[0], ROBOTS[0]], USUAL).like([taste])[0]
    assert liked == pytest.approx(1, abs=0.2)
    assert other == 0


def test_disliked_papers_count_against_their_like() -> None:
    words = [*(Word(text, 1.0) for text in SPARSE), *(Word(text, -1.0) for text in ROBOTS)]
    liked, disliked = Features.of([SPARSE[0], ROBOTS[0]], USUAL).like([learn(words, USUAL)])[0]
    assert disliked < 0 < liked


def test_the_order_of_what_was_said_does_not_matter() -> None:
    words = [Word(text, 1.0) for text in [*SPARSE, *ROBOTS]]
    assert learn(words, USUAL) == learn(words[::-1], USUAL)


def holds(*terms: str) -> Text:
    return Text(dict.fromkeys(terms, 1.0), frozenset())


def test_two_subjects_are_each_worth_more_than_what_neither_explains() -> None:
    usual = Background(1_000, {"graph": 20, "robot": 20, "model": 400}, {})
    likes = [holds("graph", "model"), holds("graph"), holds("robot"), holds("robot", "model"), holds("graph")]
    weights = learn([Word(text, 1.0) for text in likes], usual).terms
    assert weights["robot"] > 10 * weights.get("model", 0)


def test_a_reader_of_many_interests_keeps_them_all() -> None:
    subjects = ["graph", "robot", "proof", "vision"]
    usual = Background(1_000, dict.fromkeys(subjects, 30), {})
    likes = [Word(holds(subject), 1.0) for subject in subjects for _ in range(int(4 * ENOUGH))]
    weights = learn(likes, usual).terms
    assert min(weights[subject] for subject in subjects) > 0.9 * max(weights.values())


def test_nothing_said_is_no_taste() -> None:
    assert not learn([], USUAL)


def test_a_word_weighs_half_after_its_half_life() -> None:
    assert faded(NOW - HALF_LIFE, NOW) == 0.5
    assert faded(NOW + timedelta(days=1), NOW) == 1


def test_either_spelling_of_a_phrase_is_found() -> None:
    assert spellings("low-rank adaptation (LoRA)") == ["low-rank adaptation", "LoRA"]
    found = phrase_strengths(
        ["low-rank adaptation (LoRA)"],
        [(passage(title), passage("")) for title in ("We use LoRA", "Low rank adaptation", "")],
    )
    assert [strength > 0 for strength in found["low-rank adaptation (LoRA)"]] == [True, True, False]


@pytest.fixture
def reader(edition: Edition, graphs: Topic) -> Subscriber:
    return add_readers(1, graphs)[0]


def loaded(reader: Subscriber, edition: Edition) -> readers.Reader:
    return readers.load([reader], candidates.load(edition), NOW)[0]


def test_a_taste_is_stored_and_learned_anew_when_something_is_said(reader: Subscriber, edition: Edition) -> None:
    liked = Paper.objects.create(title="Graph neural knots", title_key="knots", abstract="Tied.", authors=["A B"])
    word = Feedback.objects.create(subscriber=reader, paper=liked, kind=Feedback.Kind.MORE)
    assert loaded(reader, edition).taste.terms["graph neural"] > 0
    assert Profile.objects.get(subscriber=reader).words == 1
    word.delete()
    assert not loaded(reader, edition).taste


def test_a_fresh_taste_is_read_and_not_learned(reader: Subscriber, edition: Edition, papers: list[Paper]) -> None:
    Feedback.objects.create(subscriber=reader, paper=papers[0], kind=Feedback.Kind.SAVED)
    first = loaded(reader, edition)
    Paper.objects.update(title="Changed", abstract="Changed.")
    assert loaded(reader, edition).taste == first.taste


def test_readers_are_loaded_in_a_constant_number_of_queries(
    edition: Edition, graphs: Topic, papers: list[Paper]
) -> None:
    people = add_readers(6, graphs)
    for one in people:
        Feedback.objects.create(subscriber=one, paper=papers[0], kind=Feedback.Kind.MORE)
        Interest.objects.create(subscriber=one, sense="follow", kind="phrase", value="knots")
    pool = candidates.load(edition)
    _ = pool.corpus
    counts = []
    for batch in (people[:1], people[1:]):
        with CaptureQueriesContext(connection) as queries:
            readers.load(batch, pool, NOW)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def sent_before(reader: Subscriber, paper: Paper, notice: float, *, rising: bool = False) -> None:
    older, _ = Edition.objects.get_or_create(kind="daily", date=NOW.date() - timedelta(days=3 - rising))
    older.pool.create(paper=paper, hot=1, notice=notice)
    digest = planned(older, reader)
    DigestPaper.objects.create(digest=digest, subscriber=reader, paper=paper, place=1, reason="x", rising=rising)


def test_a_sent_paper_that_took_off_may_rise_once(reader: Subscriber, edition: Edition, papers: list[Paper]) -> None:
    sent_before(reader, papers[0], notice=0.5)
    assert loaded(reader, edition).risen == {papers[0].pk: NOW.date() - timedelta(days=3)}
    sent_before(reader, papers[0], notice=0.5, rising=True)
    assert loaded(reader, edition).risen == {}


def test_a_sent_paper_that_did_not_take_off_stays_sent(
    reader: Subscriber, edition: Edition, papers: list[Paper]
) -> None:
    sent_before(reader, papers[0], notice=papers[0].notice - 0.2)
    assert loaded(reader, edition).risen == {}
    assert loaded(reader, edition).seen == {papers[0].pk}


@pytest.mark.parametrize(("upvotes", "rises"), [(5, False), (19, False), (20, True)])
def test_a_paper_that_nobody_had_noticed_rises_from_twenty_upvotes_on(
    reader: Subscriber, edition: Edition, papers: list[Paper], upvotes: int, rises: bool
) -> None:
    sent_before(reader, papers[0], notice=0)
    edition.pool.filter(paper=papers[0]).update(notice=trend(Popularity(upvotes), None, NOW).notice)
    assert bool(loaded(reader, edition).risen) == rises


def test_a_paper_that_the_reader_spoke_of_does_not_come_again(
    reader: Subscriber, edition: Edition, papers: list[Paper]
) -> None:
    sent_before(reader, papers[0], notice=0)
    for paper in papers[:2]:
        Feedback.objects.create(subscriber=reader, paper=paper, kind=Feedback.Kind.MORE)
    assert loaded(reader, edition).seen == {paper.pk for paper in papers[:2]}
    assert loaded(reader, edition).risen == {}


def test_what_was_said_of_the_digest_itself_does_not_change_its_explanation(
    reader: Subscriber, edition: Edition, papers: list[Paper]
) -> None:
    digest = planned(edition, reader)
    DigestPaper.objects.create(digest=digest, subscriber=reader, paper=papers[0], place=1, reason="x")
    Feedback.objects.create(subscriber=reader, paper=papers[0], kind=Feedback.Kind.MORE)
    titles = [title for title, line in explain(reader, edition, NOW).lines if line.taken]
    assert papers[0].title in titles


def test_papers_that_a_hand_left_without_their_digest_keep_nobody_from_theirs(
    reader: Subscriber, edition: Edition, papers: list[Paper]
) -> None:
    DigestPaper.objects.create(digest_id=999_999, subscriber=reader, paper=papers[0], place=1, reason="x")
    assert loaded(reader, edition).seen == {papers[0].pk}
    assert loaded(reader, edition).risen == {}
    DigestPaper.objects.all().delete()


def test_who_wants_no_rising_papers_gets_none(reader: Subscriber, edition: Edition, papers: list[Paper]) -> None:
    reader.rising = False
    sent_before(reader, papers[0], notice=0)
    assert loaded(reader, edition).risen == {}


def test_every_paper_of_an_edition_is_explained(reader: Subscriber, edition: Edition, papers: list[Paper]) -> None:
    EditionPaper.objects.decide(edition, papers[0], "banned")
    lines = explain(reader, edition, NOW).lines
    assert {line.paper for _, line in lines} == {paper.pk for paper in papers}
    assert all(line.taken == line.verdict.startswith("taken") for _, line in lines)
    assert (lines[-1][0], lines[-1][1].verdict) == (papers[0].title, "left: banned by an editor")


def test_what_was_planned_is_explained_as_it_was_planned(
    reader: Subscriber, edition: Edition, papers: list[Paper]
) -> None:
    planned(edition, reader)
    EditionPaper.objects.decide(edition, papers[0], "pinned")
    assert not any("editor" in line.verdict for _, line in explain(reader, edition, NOW).lines)


def test_explain_prints_the_list_and_why(reader: Subscriber, edition: Edition) -> None:
    out = StringIO()
    call_command("explain", reader.email, stdout=out)
    assert "Graph neural networks paper 1" in out.getvalue()
    assert "taken, no. 1" in out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody@example.org"], "Nobody has subscribed"),
        (["reader0@example.org", "--edition", "daily"], "is no edition"),
        (["reader0@example.org", "--edition", "weekly:2020-01-01"], "There is no edition"),
    ],
)
def test_explain_says_what_it_cannot_find(reader: Subscriber, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("explain", *arguments)
