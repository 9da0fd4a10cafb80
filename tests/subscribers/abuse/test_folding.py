import pytest

from subscribers.abuse.folding import mailbox


@pytest.mark.parametrize(
    "email",
    ["a.n.n@gmail.com", "ann+news@gmail.com", "ANN@googlemail.com", "a.nn+x+y@GoogleMail.com", "ann@gmail.com"],
)
def test_all_spellings_of_a_gmail_mailbox_are_one(email: str) -> None:
    assert mailbox(email) == "ann@gmail.com"


def test_elsewhere_a_tag_does_not_count_but_a_dot_does() -> None:
    assert mailbox("a.nn+x@example.org") == "a.nn@example.org"


def test_an_address_that_begins_with_a_plus_stays_itself() -> None:
    assert mailbox("+ann@example.org") == "+ann@example.org"
