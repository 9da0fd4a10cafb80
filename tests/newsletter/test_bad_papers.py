"""Whatever stands in a paper, a wish or an edition: a right digest comes out, or a skip with its reason."""

from email import policy
from email.parser import BytesParser

import html5lib
import pytest

from newsletter.delivery.sending import deliver_batch
from newsletter.digest.cards import card_context, plain
from newsletter.digest.choice import Choice
from newsletter.digest.rendering import Renderer
from newsletter.models import Digest, Edition
from papers.models import Paper, Topic
from subscribers.models import Subscriber
from tests.newsletter.conftest import planned
from tests.stubs import Relay

# As written, and as the mail has it.
TITLES = {
    "<script>alert(1)</script>": "<script>alert(1)</script>",
    "</title></td><h1>": "</title></td><h1>",
    "{{ settings.SECRET_KEY }}": "{ { settings.SECRET_KEY }}",
    "{% debug %} {{{x}}} {$x}": "{ % debug %} { { {x}}} { $x}",
    "*|X|* and 2*3": "* |X|* and 2*3",
    "%recipient% of 5 % or 50%": "% recipient% of 5 % or 50%",
    "{{params.x}}": "{ {params.x}}",
    "<%asm_group_unsubscribe_raw_url%> a[[i]]": "< % asm_group_unsubscribe_raw_url%> a[[i]]",
    "[[data:name]]": "[ [data:name]]",
    "safe\u202egpj.exe": "safegpj.exe",
    "=?utf-8?q?safe=E2=80=AEgpj.exe?=": "= ?utf-8?q?safe=E2=80=AEgpj.exe?=",
    "two\r\nBcc: eve@example.org": "two Bcc: eve@example.org",
    "\x07\x1b": "Untitled",
    "": "Untitled",
    "שלום عالم": "שלום عالم",
}
ABSTRACTS = ["", " ", "\x07", "word " * 200_000, "a" * 200_000, "We show. " * 50_000, "<b>&" * 3000, "é\u202e\r\n"]


@pytest.fixture
def digest(edition: Edition, alice: Subscriber) -> Digest:
    return planned(edition, alice)


def sent(digest: Digest, paper: Paper, reason: str = "Trending") -> tuple[str, str, str]:
    """Subject, text and HTML as a mail program reads them."""
    message = Renderer(digest.edition, 54).message(digest, [Choice(paper.pk, reason)])
    mail = BytesParser(policy=policy.default).parsebytes(message.message().as_bytes())
    assert not mail.defects
    assert mail["Bcc"] is None
    plain_part, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    return mail["Subject"], plain_part, html


@pytest.mark.parametrize(("title", "shown"), TITLES.items())
def test_a_title_is_text_and_nothing_else(digest: Digest, papers: list[Paper], title: str, shown: str) -> None:
    Paper.objects.filter(pk=papers[0].pk).update(title=title)
    subject, text, html = sent(digest, papers[0])
    document = html5lib.parse(html, treebuilder="etree", namespaceHTMLElements=False)
    assert [" ".join("".join(one.itertext()).split()) for one in document.iter("h2")] == [shown]
    assert subject == shown
    assert shown in text
    assert not list(document.iter("script"))


def test_a_title_of_five_thousand_characters_is_cut(digest: Digest, papers: list[Paper]) -> None:
    context = card_context(
        Paper(pk=1, title="long " * 1000, authors=["name " * 1000] * 9, url="https://x/" + "y" * 900)
    )
    assert len(str(context["title"])) <= 300
    assert len(str(context["authors"])) <= 300
    assert context["url"] == ""
    Paper.objects.filter(pk=papers[0].pk).update(title="long " * 100)  # the column's limit
    subject, text, _ = sent(digest, papers[0])
    assert len(subject) <= 60
    assert max(map(len, text.splitlines())) < 200


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "ftp://x/", "//x/", "https://x/ y", "x"])
def test_only_addresses_of_the_web_become_links(url: str) -> None:
    assert card_context(Paper(pk=1, title="A", url=url))["url"] == ""
    assert card_context(Paper(pk=1, title="A", url="http://x.example/a"))["url"] == "http://x.example/a"


@pytest.mark.parametrize("abstract", ABSTRACTS, ids=range(len(ABSTRACTS)))
def test_an_abstract_may_be_anything(digest: Digest, papers: list[Paper], abstract: str) -> None:
    Paper.objects.filter(pk=papers[0].pk).update(abstract=abstract)
    _, _, html = sent(digest, papers[0])
    assert len(html) < 12_000
    assert "\u202e" not in html


def test_what_a_reader_typed_is_text_too(digest: Digest, papers: list[Paper]) -> None:
    _, text, html = sent(digest, papers[0], "You follow “{{params.x}}<b>\u202e”")
    assert "Why: You follow “{ {params.x}}<b>”" in text
    assert "{ {params.x}}&lt;b&gt;”" in html


def test_ordinary_mathematics_is_left_alone() -> None:
    for text in ("f(x) = {x : x % 2}", "k[[t]] and a*b", "5% of {a, b}", "50 % < 60 %"):
        assert plain(text) == text


@pytest.mark.parametrize("wish", ["no topics", "all topics", "only muted topics", "everything muted"])
def test_any_wishes_bring_a_digest_or_a_skip(digest: Digest, alice: Subscriber, relay: Relay, wish: str) -> None:
    graphs, robots = Topic.objects.order_by("slug")
    alice.topics.set([graphs, robots] if wish == "all topics" else [])
    alice.muted_topics.set({"only muted topics": [robots], "everything muted": [graphs, robots]}.get(wish, []))
    deliver_batch()
    digest.refresh_from_db()
    if wish == "everything muted":
        assert (digest.status, digest.reason, relay.accepted) == ("skipped", "nothing new that fits", [])
        return
    [mail] = relay.accepted
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert digest.status == "accepted"
    assert digest.papers.exists()
    assert all(row.paper.title in text for row in digest.papers.all())


@pytest.mark.parametrize("size", [0, 1])
def test_an_edition_may_have_no_paper_or_one(
    digest: Digest, alice: Subscriber, graphs: Topic, relay: Relay, size: int
) -> None:
    alice.topics.add(graphs)
    keep = list(digest.edition.pool.filter(paper__topics=graphs).values_list("pk", flat=True)[:size])
    digest.edition.pool.exclude(pk__in=keep).delete()
    deliver_batch()
    digest.refresh_from_db()
    assert digest.status == ("accepted" if size else "skipped")
    assert digest.papers.count() == size
