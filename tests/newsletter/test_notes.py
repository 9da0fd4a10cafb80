"""What an editor writes above a digest."""

import pytest

from newsletter.templatetags.notes import linked


@pytest.mark.parametrize(
    ("address", "around"),
    [
        ("https://a.example/b", "See {}."), ("http://a.example", "({}), and"), ("https://a.example/b_(c)", "({})."),
        ("https://a.example/é?d#e", "“{}”!"), ("https://a.example/", "{}\n{}"),
    ],
)  # fmt: skip
def test_the_web_addresses_of_a_note_are_links(address: str, around: str) -> None:
    assert linked(around.replace("{}", address)) == around.replace("{}", f'<a href="{address}">{address}</a>')


@pytest.mark.parametrize(
    "words", ["example.com", "ada@a.example", "javascript:alert(1)", "https://", "ftp://a.example"]
)
def test_other_words_of_a_note_are_none(words: str) -> None:
    assert linked(words) == words


def test_all_of_a_note_is_escaped() -> None:
    found = linked("""<b> https://a.example/?b=1&c=2" onclick='d' &amp;""")
    link = '<a href="https://a.example/?b=1&amp;c=2">https://a.example/?b=1&amp;c=2</a>'
    assert found == f"&lt;b&gt; {link}&quot; onclick=&#x27;d&#x27; &amp;amp;"
