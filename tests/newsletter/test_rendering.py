"""The digest as a mail."""

import pickle
import re
from email import policy
from email.parser import BytesParser

import html5lib
import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from pytest_django.fixtures import DjangoAssertNumQueries

from newsletter.delivery.wire.mime import as_data
from newsletter.digest.cards import authors_line
from newsletter.digest.choice import Choice
from newsletter.digest.rendering import HTML_LIMIT, Renderer
from newsletter.digest.slots import Slots, Slotted, SlottedHtml
from newsletter.models import Digest, Edition, EditionPaper
from papers.models import Paper
from subscribers import links
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned
from tests.newsletter.plainly import encoded, same


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


def test_the_end_of_the_text_part_is_wrapped(digest: Digest, papers: list[Paper], settings: Settings) -> None:
    settings.POSTAL_ADDRESS = "The House of the Letters, 1 Quite Long Street, 00000 Testville, Ruritania"
    digest.subscriber.email = "somebody.with.a.name@department.university.example.org"
    _, plain, _ = mail(digest, papers)
    end = plain.rpartition(digest.subscriber.leave_key)[2].strip().splitlines()
    assert len(end) == 4
    assert max(map(len, end)) <= 72
    assert digest.subscriber.email in end[1]


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


def test_a_shortened_subject_ends_with_a_whole_sign(digest: Digest, papers: list[Paper]) -> None:
    Paper.objects.filter(pk=papers[0].pk).update(title="e\u0301" * 40)
    subject = Renderer(digest.edition, 54).render(digest, choices(papers)).subject
    assert subject == "e\u0301" * 29 + "…"


def test_a_forged_slot_in_a_title_stays_text(digest: Digest, papers: list[Paper]) -> None:
    Paper.objects.filter(pk=papers[0].pk).update(title="slot0123456789abcdefleavezslot0123456789abcdef")
    _, plain, _ = mail(digest, papers[:1])
    assert "slot0123456789abcdefleavezslot0123456789abcdef" in plain


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


SITE = "https://papers.example"


def test_the_web_copy_is_the_mails_own_html(digest: Digest, papers: list[Paper]) -> None:
    renderer = Renderer(digest.edition, 54)
    [(html, _)] = renderer.message(digest, choices(papers)).alternatives
    web = renderer.html(digest, choices(papers))
    preferences = links.preferences_url(digest.subscriber)
    assert web.replace(f"{SITE}/preferences/", preferences).replace("a…@example.org", "alice@example.org") == html


def test_the_web_copy_opens_no_preferences_and_spells_no_address_out(digest: Digest, papers: list[Paper]) -> None:
    web = Renderer(digest.edition, 54).html(digest, choices(papers))
    assert re.findall(r"/preferences/[^\"]+", web) == []
    assert str(digest.subscriber.email) not in web


def test_many_authors_are_the_first_and_the_last() -> None:
    assert authors_line(["A", "B", "C", "D", "E"]) == "A, B, C, … E"
    assert authors_line(["A", "B"]) == "A, B"


@given(st.text(), st.text(), st.text())
def test_filling_slots_is_the_same_as_writing_them(before: str, value: str, after: str) -> None:
    slot = Slots("name")
    assert "".join(Slotted(f"{before}{slot['name']}{after}").fill({"name": value})) == before + value + after


@given(st.text())
def test_a_value_is_escaped_as_its_place_asks(value: str) -> None:
    slot = Slots("name")
    page = "".join(SlottedHtml(f'<p title="{slot["name"]}">{slot["name"]}</p>').fill({"name": value}))
    element = html5lib.parseFragment(page, treebuilder="etree", namespaceHTMLElements=False)[0]
    assert element.tag == "p"
    assert len(element) == 0
    assert page.count("<") == 2


# What a source, an editor or a reader may have written: signs of HTML and templates, other scripts, odd spaces.
ODD = st.text(alphabet=st.sampled_from("ab <>&\"'{}%|*\xa0\n\t·éא漢🤖\u202e"), max_size=120)


@given(
    odd=st.fixed_dictionaries(dict.fromkeys(["title", "reason", "address", "note", "url"], ODD)), rising=st.booleans()
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_fast_way_comes_to_the_same_bytes_as_plain_templates(
    digest: Digest, papers: list[Paper], odd: dict[str, str], rising: bool
) -> None:
    own = {"title": odd["title"], "authors": [odd["title"]], "abstract": odd["reason"] * 3, "code_url": odd["url"]}
    Paper.objects.filter(pk=papers[0].pk).update(**own)
    digest.edition.note, digest.subscriber.email = odd["note"], odd["address"]
    chosen = [Choice(paper.pk, odd["reason"], rising=rising) for paper in papers[:2]]
    assert same(Renderer(digest.edition, 54), digest, chosen)


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_each_language_has_its_own_shell_and_cards(digest: Digest, papers: list[Paper], language: str) -> None:
    digest.subscriber.language = language
    renderer = Renderer(digest.edition, 54)
    assert f'<html lang="{language}"' in renderer.render(digest, choices(papers)).html
    assert same(renderer, digest, choices(papers))


def test_a_mail_that_was_changed_goes_as_it_is_now(digest: Digest, papers: list[Paper]) -> None:
    message = Renderer(digest.edition, 54).message(digest, choices(papers))
    message.body = "Something else."
    assert b"Something else." in as_data(message, NOW)
    message.attach_alternative("<p>And one more", "text/html")
    with pytest.raises(ValueError, match="a text with its HTML"):
        as_data(message, NOW)


def test_a_mail_can_wait_in_a_queue(digest: Digest, papers: list[Paper]) -> None:
    message = Renderer(digest.edition, 54).message(digest, choices(papers))
    later = pickle.loads(pickle.dumps(message))
    assert (later.body, later.alternatives, later.to) == (message.body, message.alternatives, message.to)
    assert later.extra_headers == message.extra_headers


def test_a_label_of_the_text_part_ends_as_its_language_writes_it(digest: Digest, papers: list[Paper]) -> None:
    digest.subscriber.language = "fr"
    text = Renderer(digest.edition, 54).render(digest, choices(papers)).text
    assert "Résumé\u00a0: https://" in text
    assert not re.search(r"\w: https://", text)


def test_the_title_keeps_its_distance_where_no_authors_stand(digest: Digest, papers: list[Paper]) -> None:
    Paper.objects.update(authors=[])
    _, _, html = mail(digest, papers[:1])
    assert re.search(r'<h2 [^>]*style="[^"]*margin:0 0 8px', html)


def test_an_editors_pick_is_labelled_in_the_web_copy_too(client: Client, digest: Digest, papers: list[Paper]) -> None:
    EditionPaper.objects.decide(digest.edition, papers[0], "pinned")
    revision = Edition.objects.get().revision
    Digest.objects.filter(pk=digest.pk).update(status="accepted", submitted_at=NOW, revision=revision)
    digest.papers.create(subscriber=digest.subscriber, paper=papers[0], place=1, reason="Picked by the editor")
    page = client.get(reverse("web_copy", args=[digest.key]), secure=True).content.decode()
    assert re.search(r'<p class="label"[^>]*>Picked by the editor</p>', page)


def test_a_digest_is_never_clipped_and_what_has_no_room_is_on_the_web(digest: Digest, papers: list[Paper]) -> None:
    url = "https://example.org/?" + "&" * 270
    Paper.objects.update(
        title="漢&" * 250, abstract="我们&" * 3000, authors=["王" * 200] * 9, url=url, pdf_url=url, code_url=url
    )
    renderer, chosen = Renderer(digest.edition, 54), choices(papers) * 3
    rendered = renderer.render(digest, chosen)
    shown = rendered.html.count("<h2")
    assert 1 < shown < len(chosen)
    assert len(rendered.html.encode()) <= HTML_LIMIT
    for part in (rendered.html, rendered.text):
        assert f"{len(chosen) - shown} more papers on the web" in part
        assert f"https://papers.example/digests/{digest.key}/{shown}/more/" in part
        assert f"https://papers.example/digests/{digest.key}/{shown + 1}/more/" not in part
    assert set(encoded(renderer, digest, chosen)) == {(rendered.text, rendered.html)}
    assert renderer.html(digest, chosen).count("<h2") == len(chosen)


def test_the_octets_of_one_paper_alone_have_an_end(digest: Digest, papers: list[Paper]) -> None:
    url = "https://example.org/?" + "&" * 270
    digest.edition.note = "&" * 100_000
    digest.subscriber.email = "&" * 242 + "@example.org"
    Paper.objects.update(title="&" * 500, abstract="&" * 9000, authors=["&" * 200] * 9, url=url, pdf_url=url)
    rendered = Renderer(digest.edition, 54).render(digest, [Choice(papers[0].pk, "&" * 9000, rising=True)])
    assert len(rendered.html.encode()) <= HTML_LIMIT


def test_a_title_from_the_right_is_kept_apart(digest: Digest, papers: list[Paper]) -> None:
    Paper.objects.filter(pk=papers[0].pk).update(title="שלום עולם")
    _, _, html = mail(digest, papers[:2])
    assert html.count('dir="rtl"') == 1
