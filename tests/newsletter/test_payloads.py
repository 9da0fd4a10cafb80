"""What goes to a provider says what anymail would have it say, however it is written."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from anymail.backends.brevo import EmailBackend as Brevo
from anymail.backends.postmark import EmailBackend as Postmark
from anymail.backends.resend import EmailBackend as Resend
from anymail.exceptions import AnymailError, AnymailSerializationError
from anymail.message import AnymailMessage
from django.core.mail import EmailMultiAlternatives
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.wire.payloads import Forms, Item, write_fast
from subscribers.emails import unsubscribing
from tests.newsletter.mails import InPieces

Backend = Postmark | Resend | Brevo

BACKENDS = [Postmark(server_token="token"), Resend(api_key="key"), Brevo(api_key="key")]
PIECES = st.lists(
    st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(['"', "\\", "\n", "</", "\u2028"])
)
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1)


def body(backend: Backend, **fields: object) -> bytes | str:
    payload = backend.build_message_payload(AnymailMessage(**fields), backend.send_defaults)
    return payload.get_request_params(backend.api_url)["data"]  # type: ignore[no-any-return]


class Writer:
    """As a backend would have it; counts the messages that were built for it."""

    def __init__(self, backend: Backend, most: int | None = None) -> None:
        """`most` characters that it takes of a subject."""
        self.backend, self.most, self.built = backend, most, 0

    def __call__(self, message: EmailMultiAlternatives) -> Item:
        self.built += 1
        payload = self.backend.build_message_payload(message, self.backend.send_defaults)
        request = payload.get_request_params(self.backend.api_url)
        said = json.loads(request["data"])
        for name in {"Subject", "subject"} & said.keys():
            said[name] = said[name][: self.most]
        return Item(json.dumps(said).encode(), request["headers"])


def digest(text: Sequence[str] = ["Hi"], html: Sequence[str] = ["<p>Hi"], **own: Any) -> InPieces:
    headers = {"Message-ID": "<1@papers.example>", **unsubscribing("https://papers.example/1"), "List-Id": "<papers>"}
    return InPieces(text, html, **{"headers": headers, "metadata": {"digest": "1"}, **own})


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("text", ["β ≤ ½, 图, 🙂", '"quoted"\n\t\\', "\ud800 alone", ""])
def test_a_payload_says_what_anymail_would_have_it_say(backend: Backend, text: str) -> None:
    fields = {"subject": "A", "body": text, "to": ["ada@example.org"], "headers": {"X-Own": "1"}}
    by_anymail = body(backend, **fields)
    write_fast(backend)
    assert json.loads(body(backend, **fields)) == json.loads(by_anymail)


def test_what_cannot_be_written_is_said_in_anymails_words() -> None:
    backend = Postmark(server_token="token")
    write_fast(backend)
    with pytest.raises(AnymailSerializationError, match="not JSON serializable"):
        body(backend, to=["ada@example.org"], esp_extra={"When": {date}})


def test_what_stands_as_json_within_the_json_is_anymails_too() -> None:
    metadata = {"ada@example.org": {"reader": "Zoe"}}
    plain, fast = Brevo(api_key="key"), Brevo(api_key="key")
    write_fast(fast)
    fields = {"to": ["ada@example.org"], "merge_metadata": metadata, "merge_data": {}}
    assert json.loads(body(fast, **fields)) == json.loads(body(plain, **fields))


@pytest.mark.parametrize("backend", BACKENDS)
@given(text=PIECES, html=PIECES, subject=WORDS, number=st.uuids())
def test_a_form_filled_in_says_what_anymail_would_have_it_say(
    backend: Backend, text: list[str], html: list[str], subject: str, number: object
) -> None:
    write = Writer(backend)
    forms = Forms(write)
    forms.written(digest())
    built = write.built
    message = digest(
        ["Hi", *text],
        ["<p>", *html],
        to="z.b+c@x-y.example.org",
        subject=subject,
        headers={
            "Message-ID": f"<{number}@papers.example>",
            **unsubscribing(f"https://papers.example/{number}"),
            "List-Id": f"{number} <papers>",
        },
        metadata={"digest": str(number)},
    )
    filled = forms.written(message)
    assert write.built == built
    item = write(message)
    assert (json.loads(filled.body), filled.headers) == (json.loads(item.body), item.headers)


def test_a_hundred_digests_cost_anymail_two() -> None:
    write = Writer(BACKENDS[0])
    forms = Forms(write)
    said = [json.loads(forms.written(digest(to=f"reader{number}@example.org")).body)["To"] for number in range(100)]
    assert said == [f"reader{number}@example.org" for number in range(100)]
    assert write.built == 2


@pytest.mark.parametrize(
    "other",
    [
        {"to": "zoë@example.org"},
        {"to": "zoe@bücher.example"},
        {"to": "zoe/b@example.org"},
        {"headers": {"X-Own": "1"}},
        {"metadata": {"letter": "1"}},
        {"metadata": {}},
        {"metadata": {"digest": ""}},
        {"metadata": {"digest": 'a "quoted" one'}},
        {"subject": ""},
    ],
)
def test_one_of_another_kind_is_anymails(other: dict[str, Any]) -> None:
    write = Writer(BACKENDS[0])
    forms = Forms(write)
    forms.written(digest())
    message = digest(**other)
    assert json.loads(forms.written(message).body) == json.loads(write(message).body)


@pytest.mark.parametrize(
    ("backend", "usual", "other", "words"),
    [
        (BACKENDS[0], {}, {"to": "zoe..b@example.org"}, "Invalid email address"),
        (
            BACKENDS[2],
            {"headers": {"X-Own": "1"}},
            {"headers": {"X-Own": "½"}},
            "does not support non-ASCII characters",
        ),
    ],
)
def test_what_anymail_refuses_is_not_filled_in(
    backend: Backend, usual: dict[str, Any], other: dict[str, Any], words: str
) -> None:
    forms = Forms(Writer(backend))
    forms.written(digest(**usual))
    with pytest.raises(AnymailError, match=words):
        forms.written(digest(**other))


def test_who_it_is_from_is_not_taken_from_another() -> None:
    write = Writer(BACKENDS[0])
    forms = Forms(write)
    forms.written(digest())
    message = digest()
    message.from_email, message.reply_to = "Other <other@papers.example>", ["ask@papers.example"]
    said = json.loads(forms.written(message).body)
    assert (said["From"], said["ReplyTo"]) == ("Other <other@papers.example>", "ask@papers.example")


def test_a_text_that_somebody_changed_is_what_goes() -> None:
    forms = Forms(Writer(BACKENDS[0]))
    forms.written(digest())
    message = digest()
    message.body = "Changed"
    assert json.loads(forms.written(message).body)["TextBody"] == "Changed"


def test_where_a_provider_changes_what_is_said_nothing_is_filled_in() -> None:
    write = Writer(BACKENDS[0], most=20)
    forms = Forms(write)
    forms.written(digest(subject="A title that is far too long for it"))
    assert (
        json.loads(forms.written(digest(subject="Another that is far too long")).body)["Subject"]
        == "Another that is far "
    )


def test_where_no_form_can_be_made_each_is_built() -> None:
    def write(message: EmailMultiAlternatives) -> Item:
        if message.to[0].endswith(".invalid"):
            raise ValueError("No such address.")
        return Item(b'{"To": "%s"}' % message.to[0].encode(), {})

    forms = Forms(write)
    assert [forms.written(digest(to=to)).body for to in ("a@x.org", "b@x.org")] == [
        b'{"To": "a@x.org"}',
        b'{"To": "b@x.org"}',
    ]
