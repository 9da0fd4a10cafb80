import json
from datetime import date

import pytest
from anymail.backends.brevo import EmailBackend as Brevo
from anymail.backends.postmark import EmailBackend as Postmark
from anymail.exceptions import AnymailSerializationError
from anymail.message import AnymailMessage

from newsletter.delivery.payloads import write_fast


def body(backend: Postmark | Brevo, **fields: object) -> bytes | str:
    payload = backend.build_message_payload(AnymailMessage(**fields), backend.send_defaults)
    return payload.get_request_params(backend.api_url)["data"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("backend", [Postmark(server_token="token"), Brevo(api_key="key")])
@pytest.mark.parametrize("text", ["β ≤ ½, 图, 🙂", '"quoted"\n\t\\', "\ud800 alone", ""])
def test_a_payload_says_what_anymail_would_have_it_say(backend: Postmark | Brevo, text: str) -> None:
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
