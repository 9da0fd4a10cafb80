"""Whatever bytes a source sends: its parser reads them or refuses them in words, in bounded time."""

import json
from collections.abc import Callable
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.records import PaperRecord
from papers.sources import arxiv_api, arxiv_feed, arxiv_oai, hugging_face, table
from papers.sources.shapes import Ask, Parsed, SourceError
from papers.text import ABSTRACT_LIMIT
from tests.conftest import NOW
from tests.papers.conftest import DAY
from tests.papers.replay import announced, as_json, daily, feed, found, harvested, rss

ASK = Ask("https://source.example/x?start=0", DAY, categories=("cs",))
Parse = Callable[[bytes], Parsed]
PARSERS: dict[str, tuple[Parse, list[bytes]]] = {
    "hugging_face": (
        lambda content: hugging_face.parse(content, ASK, NOW),
        [as_json(daily("2603.00001", "Pointer Networks"), "a string", daily("2603.00002", "T", authors=[1, {}]))],
    ),
    "arxiv_feed": (
        lambda content: arxiv_feed.parse(content, ASK, NOW),
        [feed(announced("2603.00001v1", "T"), announced("2603.00002v1", "T", "replace")), rss("2603.00001", "T")],
    ),
    "arxiv_api": (lambda content: arxiv_api.parse(content, ASK, NOW), [found(("2603.00001", "T"), total=9)]),
    "arxiv_oai": (lambda content: arxiv_oai.parse(content, ASK, NOW), [harvested(("2603.00001", "T"), token="t")]),
    "table": (
        lambda content: table.parse(content, NOW, DAY),
        [b'title,authors,day,place\n"T, U",A;B,2026-03-20,1\n', b'{"title": "T", "upvotes": 3}\n{"title": "U"}\n'],
    ),
}
each_parser = pytest.mark.parametrize("name", PARSERS)
# What has broken parsers before: deep nesting, huge numbers, lone surrogates, controls, entities, other charsets.
POISON = [
    *(b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"&bomb;", b"]]>", b"<![CDATA[", b"0000-00-00T99:99"),
    *(b"9999-12-31T23:59:59+23:59", b"0001-01-01T00:00:00-23:59", b"1e999", b"9" * 5_000, b"{" * 2_000, b"[" * 2_000),
    *(b"<a>" * 500, b"NaN", b"null", b'"', b"\r", b"{{ x }}", b"<script>", b"%recipient%", "\u202e\u200b".encode()),
]


def is_sound(record: PaperRecord) -> bool:
    texts = [record.title, record.abstract, *record.authors, *record.categories]
    links = [link for link in (record.url, record.pdf_url, record.code_url) if link]
    day = record.listing.day if record.listing else DAY
    return (
        all(text.isprintable() and len(text) <= ABSTRACT_LIMIT for text in texts)
        and all(link.startswith("https://") for link in links)
        and 1990 < day.year < 2027
    )


def read(parse: Parse, content: bytes) -> None:
    try:
        parsed = parse(content)
    except SourceError as error:
        assert str(error).isprintable()  # noqa: PT017 - either outcome is right
    else:
        assert all(map(is_sound, parsed.records))
        assert all(str(skipped).isprintable() for skipped in (*parsed.skipped, *parsed.left_out))


@each_parser
@given(content=st.binary(max_size=2_000) | st.text(max_size=500).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_read_or_refused_in_words(name: str, content: bytes) -> None:
    read(PARSERS[name][0], content)


@each_parser
@given(data=st.data())
def test_a_mutated_answer_is_read_or_refused_in_words(name: str, data: st.DataObject) -> None:
    parse, samples = PARSERS[name]
    content = data.draw(st.sampled_from(samples))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(start + 40, len(content))))
        content = content[:start] + data.draw(st.sampled_from(POISON) | st.binary(max_size=6)) + content[end:]
    read(parse, content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(values=st.dictionaries(st.sampled_from([*daily("", "")["paper"], "id"]), JSON), outer=JSON, title=st.text())
def test_a_field_of_any_kind_is_read_or_skipped(values: dict[str, object], outer: object, title: str) -> None:
    paper = {**daily("2603.00001", title)["paper"], **values}
    row = {"paper": paper, "title": title, "numComments": outer, "summary": outer}
    read(PARSERS["hugging_face"][0], json.dumps([row]).encode())
    read(PARSERS["table"][0], json.dumps({**values, "title": title, "authors": outer, "day": outer}).encode())


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><feed><entry>&c;</entry></feed>"""
OUTSIDE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><feed>&e;</feed>'


@pytest.mark.parametrize("name", ["arxiv_feed", "arxiv_api", "arxiv_oai"])
@pytest.mark.parametrize("content", [LAUGHS, OUTSIDE])
def test_xml_has_no_entities(name: str, content: bytes) -> None:
    with pytest.raises(SourceError):
        PARSERS[name][0](content)


@each_parser
@pytest.mark.parametrize("content", [b"[" * 10_000, b"{" * 10_000, b'{"a":' * 10_000, b"<a>" * 10_000])
def test_ten_thousand_braces_are_refused(name: str, content: bytes) -> None:
    with pytest.raises(SourceError):
        PARSERS[name][0](content)


@pytest.mark.parametrize(
    "text", ["x" * 1_000_000, "{" * 1_000_000, "$\\frac{" * 100_000, "\\textbf{a " * 10_000, "$x$ " * 99_999]
)
def test_a_megabyte_of_abstract_is_cut_in_bounded_time(text: str) -> None:
    begin = perf_counter()
    record = PARSERS["hugging_face"][0](as_json(daily("2603.00001", "T", summary=text))).records[0]
    assert len(record.abstract) <= ABSTRACT_LIMIT
    assert perf_counter() - begin < 1


def test_what_looks_like_a_command_is_only_text() -> None:
    title = "<script>alert(1) {{ secret }} %recipient%"
    record = PARSERS["hugging_face"][0](as_json(daily("2603.00001", title))).records[0]
    assert "alert(1)" in record.title
    assert "\\" not in record.title
