"""Files as programs write them, and as enemies do."""

from collections.abc import Iterator

import pytest

from subscribers.imports.table import HAS_NUL, NOT_UTF8, FileFault, Table, lines

HEAD = b"email,consent_at,consent_source\n"


def table(content: bytes, size: int = 7) -> Table:
    """In pieces so small that they end anywhere."""

    def read(position: int) -> Iterator[bytes]:
        return (content[start : start + size] for start in range(position, len(content), size))

    return Table(read)


def cells(content: bytes) -> list[list[str]]:
    return [list(row.cells.values()) for row in table(content)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_may_end_in_three_ways(end: bytes) -> None:
    content = HEAD.replace(b"\n", end) + b"a@x.org,b,c" + end + end + b"d@x.org,e,f"
    assert cells(content) == [["a@x.org", "b", "c"], ["d@x.org", "e", "f"]]
    assert [row.line for row in table(content)] == [2, 4]


@pytest.mark.parametrize("delimiter", [b";", b"\t", b","])
def test_columns_may_be_apart_in_three_ways(delimiter: bytes) -> None:
    assert cells((HEAD + b"a@x.org,b,c\n").replace(b",", delimiter)) == [["a@x.org", "b", "c"]]


@pytest.mark.parametrize(
    "head",
    ["\ufeffemail,consent_at,consent_source,zone", "E-Mail, Consent At ,CONSENT-SOURCE,Time zone"],
)
def test_the_names_of_columns_are_forgiven_much(head: str) -> None:
    assert table(head.encode()).head.columns == ("email", "consent_at", "consent_source", "zone")


def test_a_quoted_cell_may_have_lines_and_delimiters() -> None:
    content = HEAD + b'a@x.org,b,"one, \r\ntwo ""three"""\nd@x.org,e,f\n'
    assert cells(content)[0] == ["a@x.org", "b", 'one, \r\ntwo "three"']
    assert [row.line for row in table(content)] == [2, 4]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"\n \n\r\n", "The file is empty"),
        (b"email,name\na@x.org,A\n", "Missing: consent_at, consent_source"),
        (b"a@x.org,2025-03-20,form\n", "Missing: email"),
        (HEAD.replace(b"\n", b",E-Mail\n"), "The column email is there more than once"),
        (b"," * 5000 + b"\n", "The table has 5,001 columns; there can be 100"),
        ("email,consent_at,consent_source\n".encode("utf-16"), "The first line is not UTF-8"),
        ("email,consent_at,consent_source,größe\n".encode("latin-1"), "The first line is not UTF-8"),
        (HEAD.replace(b"\n", b"\0\n"), "The first line has a character that is not allowed"),
        (b'email,"consent_at\n', "The names of the columns must stand on one line"),
        (b"x" * 10_000_000, "Line 1 is longer than 100,000 bytes"),
        (HEAD + b"a@x.org,b," + b"x" * 10_000_000, "Line 2 is longer than 100,000 bytes"),
        (HEAD + b'a@x.org,b,"c\nd@x.org,e,f\n', "The row on line 2: a quotation mark is not closed"),
        (HEAD + b'a@x.org,b,"c"d\n', "The row on line 2: a quotation mark is not closed, or stands where none may"),
        (HEAD + b'a@x.org,b,"' + b"c\n" * 200, "The row on line 2 never ends"),
        (HEAD + b'a@x.org,b,"' + (b"c" * 90_000 + b"\n") * 3, "The row on line 2: a quotation mark is not closed"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(FileFault, match=words):
        list(table(content, size=100_000))


def test_a_row_says_what_of_it_is_no_text() -> None:
    content = HEAD + "a@x.org,b,café\n".encode("latin-1") + b"d@x.org,\0,f\n" + "g@x.org,h,é\n".encode()
    assert [row.fault for row in table(content)] == [NOT_UTF8, HAS_NUL, ""]


def test_cells_without_a_column_are_counted_and_missing_ones_are_not_there() -> None:
    found = list(table(HEAD + b"a@x.org,b,c,d,,e\nf@x.org\n"))
    assert [(row.extra, len(row.cells)) for row in found] == [(2, 3), (0, 1)]


def test_reading_goes_on_from_any_row() -> None:
    content = HEAD + b'a@x.org,b,"1\n2"\n\nd@x.org,e,f\r\ng@x.org,h,i'

    def read(position: int) -> Iterator[bytes]:
        yield content[position:]

    first = Table(read)
    whole = [(row, first.position, first.line) for row in first]
    assert len(whole) == 3
    for index, (_, position, line) in enumerate(whole):
        assert list(Table(read, position, line)) == [row for row, _, _ in whole[index + 1 :]]


def test_the_memory_of_lines_is_bounded() -> None:
    """A line without an end comes in pieces: nobody waits for it."""
    endless = (b"x" * 50_000 for _ in range(1_000_000))
    assert len(next(lines(endless))) == 150_000
