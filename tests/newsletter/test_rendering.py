"""The digest as a mail."""

import re
from email import policy
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import DjangoAssertNumQueries

from newsletter.digest.cards import authors_line
from newsletter.digest.choice import Choice
from newsletter.digest.rendering import Renderer
from newsletter.digest.slots import Slots, Slotted
from newsletter.models import Digest, Edition
from papers.models import Paper
from subscribers.models import Subscriber
from tests.newsletter.conftest import planned


@pytest.fixture
def digest(edition: Edition, alice: Subscriber) -> Digest:
    return planned(edition, alice)


def choices(papers: list[Paper]) -> list[Choice]:
    return [Choice(paper.pk, "Graph neural networks · 312 upvotes") for paper in papers]


def mail(digest: Digest, papers: list[Paper]) -> tuple[bytes, str, str]:
    """The message as it goes out, and its two bodies."""
    message = Renderer(digest.edition, 54).message(digest, choices(papers))
    raw = message.message().as_bytes()
    parsed = BytesParser(policy=policy.default).parsebytes(raw)
    assert not parsed.defects
    plain, html = (parsed.get_body((kind,)).get_content() for kind in ("plain", "html"))
    return raw, plain, html


def test_both_parts_carry_every_paper_with_reason_and_links(digest: Digest, papers: list[Paper]) -> None:
    Paper.objects.update(url="https://arxiv.org/abs/2508.13426", code_url="https://github.com/a/b")
    _, plain, html = mail(digest, papers)
    for part in (plain, html):
        assert all(paper.title in part for paper in papers)
        assert part.count("Graph neural networks · 312 upvotes") == len(papers)
        assert part.count("https://github.com/a/b") == len(papers)


def test_the_text_part_has_every_link_of_the_html(digest: Digest, papers: list[Paper]) -> None:
    _, plain, html = mail(digest, papers)
    for link in set(re.findall(r'href="([^"#]+)"', html)):
        assert link.startswith("https://")
        assert link in plain


def test_the_headers_let_a_mailbox_unsubscribe_and_sort(digest: Digest, papers: list[Paper]) -> None:
    headers = Renderer(digest.edition, 54).message(digest, choices(papers)).extra_headers
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert digest.subscriber.leave_key in headers["List-Unsubscribe"]
    assert headers["List-Id"].endswith("<daily.papers.example>")
    assert headers["Message-ID"] == f"<{digest.uid}@papers.example>"


def test_no_line_is_longer_than_smtp_allows(digest: Digest, papers: list[Paper]) -> None:
    Paper.objects.update(abstract="word " * 2000)
    raw, _, _ = mail(digest, papers)
    assert max(map(len, raw.splitlines())) <= 998


@pytest.mark.parametrize(
    "title",
    [
        "<script>alert(1)</script>",
        "{{ settings.SECRET_KEY }}",
        "%recipient%",
        "*|X|*",
        "a & b < c",
        "שלום عالم",
    ],
)
def test_a_title_is_text_and_nothing_else(digest: Digest, papers: list[Paper], title: str) -> None:
    Paper.objects.filter(pk=papers[0].pk).update(title=title)
    _, plain, html = mail(digest, papers[:1])
    assert title in plain
    assert "<script" not in html
    assert "only-for-tests" not in html + plain


def test_a_forged_slot_in_a_title_stays_text(digest: Digest, papers: list[Paper]) -> None:
    Paper.objects.filter(pk=papers[0].pk).update(title="slot0123456789abcdefleavezslot0123456789abcdef")
    _, plain, _ = mail(digest, papers[:1])
    assert "slot0123456789abcdefleavezslot0123456789abcdef" in plain


def test_every_style_is_inline_and_nothing_is_loaded(digest: Digest, papers: list[Paper]) -> None:
    _, _, html = mail(digest, papers)
    assert '<h1 style="' in html or re.search(r"<h1 [^>]*style=", html)
    assert not re.search(r"<(img|link|script|iframe)", html)


def test_less_often_and_pause_lead_to_pages_that_never_expire(digest: Digest, papers: list[Paper]) -> None:
    _, plain, html = mail(digest, papers)
    for page in ("less-often", "pause", "leave"):
        link = f"https://papers.example/{page}/{digest.subscriber.leave_key}"
        assert link in plain
        assert f'href="{link}"' in html


def test_the_html_reads_in_its_order(digest: Digest, papers: list[Paper]) -> None:
    _, _, html = mail(digest, papers)
    marks = ["<h1", papers[0].title, papers[1].title, "Change topics", "1 Test Street"]
    assert sorted(marks, key=html.rindex) == marks


def test_cards_are_rendered_once_for_all_readers(
    digest: Digest, papers: list[Paper], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    renderer = Renderer(digest.edition, 54)
    first = renderer.message(digest, choices(papers))
    with django_assert_num_queries(0):
        assert renderer.message(digest, choices(papers)).alternatives == first.alternatives


def test_the_web_copy_is_the_mails_own_html(digest: Digest, papers: list[Paper]) -> None:
    renderer = Renderer(digest.edition, 54)
    [(html, _)] = renderer.message(digest, choices(papers)).alternatives
    assert renderer.html(digest, choices(papers)) == html


def test_many_authors_are_the_first_and_the_last() -> None:
    assert authors_line(["A", "B", "C", "D", "E"]) == "A, B, C, … E"
    assert authors_line(["A", "B"]) == "A, B"


@given(st.text(), st.text(), st.text())
def test_filling_slots_is_the_same_as_writing_them(before: str, value: str, after: str) -> None:
    slot = Slots("name")
    assert Slotted(f"{before}{slot['name']}{after}").fill({"name": value}) == before + value + after
