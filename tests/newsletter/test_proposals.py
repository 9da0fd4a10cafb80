import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from newsletter import proposals
from newsletter.models import Feedback
from papers.models import Paper, PaperTopic, Topic
from subscribers import signup
from subscribers.models import Subscriber
from subscribers.wishes import Wishes
from tests.conftest import NOW, carry_out_requests

PROPOSE = reverse("propose")
KNOWN = "2401.00001, 2401.00003 and 2401.00002"


@pytest.fixture(autouse=True)
def _plain_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture
def ids(papers: list[Paper]) -> list[str]:
    """The papers' arXiv ids; odd numbers are of graphs, even ones of robots."""
    for paper in papers:
        paper.arxiv_id = f"2401.0000{paper.title.split()[-1]}"
        paper.save()
    return [str(paper.arxiv_id) for paper in papers]


def test_the_topics_of_pasted_papers_are_ticked_with_the_reason(client: Client, ids: list[str]) -> None:
    page = " ".join(client.post(PROPOSE, {"papers": KNOWN, "email": "carol@example.org"}).content.decode().split())
    assert 'value="graphs" checked' in page
    assert "because of 2 of your papers" in page
    assert page.index("because of 2") < page.index("because of 1")
    assert page.count('value="graphs"') == 1


def test_what_one_paper_of_many_touches_is_shown_and_not_ticked(client: Client, ids: list[str]) -> None:
    page = " ".join(client.post(PROPOSE, {"papers": f"{KNOWN} 2401.00005"}).content.decode().split())
    assert 'value="graphs" checked' in page
    assert 'value="robots" >' in page
    assert "We ticked 1 topic for you" in page


@pytest.mark.parametrize(
    ("strengths", "ticked"),
    [
        # Each dictionary is a paper: its topics with their strengths.
        ([{"graphs": 0.9, "robots": 0.5}], {"graphs"}),
        ([{"graphs": 0.9}, {"robots": 0.6, "graphs": 0.2}], {"graphs", "robots"}),
        ([{"graphs": 0.9, "robots": 0.4}] * 2, {"graphs", "robots"}),
        ([{"graphs": 0.9}, {"robots": 0.9}, {}, {}], set()),
    ],
)
def test_two_papers_or_a_third_of_them_tick_a_topic(
    papers: list[Paper], graphs: Topic, robots: Topic, strengths: list[dict[str, float]], ticked: set[str]
) -> None:
    topics = {"graphs": graphs, "robots": robots}
    PaperTopic.objects.all().delete()
    for paper, belongs in zip(papers, strengths, strict=False):
        Paper.objects.filter(pk=paper.pk).update(arxiv_id=f"2402.{paper.pk:05}")
        PaperTopic.objects.bulk_create(
            PaperTopic(paper=paper, topic=topics[slug], strength=strength, source="text")
            for slug, strength in belongs.items()
        )
    proposal = proposals.propose_for(" ".join(f"2402.{paper.pk:05}" for paper in papers[: len(strengths)]))
    assert {topic.slug for topic in proposal.ticked} == ticked


def test_everything_typed_is_kept_and_nothing_stored(client: Client, ids: list[str]) -> None:
    typed = {"papers": KNOWN, "email": "not yet", "topics": ["robots"], "local_hour": "17", "zone": "Asia/Tokyo"}
    page = client.post(PROPOSE, typed).content.decode()
    for kept in (KNOWN, 'value="not yet"', '<option value="17" selected>', 'value="Asia/Tokyo"', "Robotics"):
        assert kept in page
    assert "errorlist" not in page
    assert not Subscriber.objects.exists()
    assert not Feedback.objects.exists()


def test_a_paper_that_we_do_not_have_is_named_kindly(client: Client, ids: list[str]) -> None:
    page = client.post(PROPOSE, {"papers": "https://arxiv.org/abs/2512.99999v3 2401.00001"}).content.decode()
    assert "We do not have 2512.99999 yet" in page
    assert "We ticked 1 topic for you" in page


@pytest.mark.parametrize("text", ["", "hello", "\x00", "<b>" * 5000])
def test_a_text_without_ids_is_told_what_one_looks_like(client: Client, db: None, text: str) -> None:
    page = client.post(PROPOSE, {"papers": text})
    assert page.status_code == 200
    assert "We found no arXiv id there" in page.content.decode()


def test_no_more_than_fifty_are_looked_at(ids: list[str]) -> None:
    many = " ".join(f"2402.{number:05}" for number in range(60))
    proposal = proposals.propose_for(f"{many} {KNOWN}")
    assert (len(proposal.unknown), proposal.found, proposal.is_cut) == (50, [], True)


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_other_sites_cannot_ask(client: Client, db: None, headers: dict[str, str]) -> None:
    assert client.post(PROPOSE, {"papers": KNOWN}, headers=headers).status_code == 403


def test_reading_the_address_leads_to_the_form(client: Client) -> None:
    assert client.get(PROPOSE)["Location"] == reverse("subscribe")


def test_what_was_shown_becomes_a_first_taste(client: Client, ids: list[str]) -> None:
    typed = {"email": "carol@example.org", "cadence": "daily", "local_hour": "8", "papers": f"{KNOWN} 2512.99999"}
    client.post(reverse("subscribe"), typed)
    carry_out_requests()
    carol = Subscriber.objects.get()
    words = Feedback.objects.filter(subscriber=carol)
    assert {word.paper.arxiv_id for word in words} == {"2401.00001", "2401.00002", "2401.00003"}
    assert {(word.kind, word.at) for word in words} == {("more", NOW)}


def test_a_subscribed_readers_taste_is_not_a_strangers_to_change(ids: list[str], alice: Subscriber) -> None:
    signup.ask("alice@example.org", Wishes(papers=KNOWN), NOW)
    assert not Feedback.objects.exists()


def test_what_a_reader_said_before_stands(ids: list[str], bob: Subscriber) -> None:
    paper = Paper.objects.get(arxiv_id="2401.00001")
    Feedback.objects.create(subscriber=bob, paper=paper, kind=Feedback.Kind.LESS)
    signup.ask("bob@example.org", Wishes(papers="2401.00001"), NOW)
    assert Feedback.objects.get().kind == "less"


def test_asking_again_and_again_adds_no_more_than_fifty(ids: list[str], bob: Subscriber) -> None:
    papers = Paper.objects.bulk_create(
        Paper(title=f"Paper {n}", title_key=f"n{n}", arxiv_id=f"2402.{n:05}", listed_on=NOW.date()) for n in range(60)
    )
    for start in (0, 30):
        proposals.remember(bob, " ".join(str(paper.arxiv_id) for paper in papers[start : start + 30]), NOW)
    assert Feedback.objects.count() == 50
