"""Every provider that anymail can reach by HTTP, against one on loopback that looks at what it is told.

Where a request's parts stand is as the provider's documentation has it; so are the answers.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings

from newsletter.delivery.wire.carriers import Calls
from newsletter.delivery.wire.outcomes import Kind, Outcome
from newsletter.delivery.wire.provider import in_time
from subscribers.emails import compose, unsubscribing
from tests.provider_stubs import Answer, Call, HttpProvider, serving

pytestmark = pytest.mark.filterwarnings("ignore:django-anymail has dropped official support")  # of SendGrid

TO, UID, LINK = "alice@example.org", "0b0d7c1e-7a57-4a4c-9e0b-6f1f2f1c2d3e", "https://papers.example/leave/1"
TOLD = {"to": TO, "subject": "Papers", "text": "Some papers.", "html": "<p>Some papers.</p>", "leave": f"<{LINK}>"}


def pairs(rows: list[dict[str, str]], name: str, value: str) -> dict[str, str]:
    return {row[name]: row[value] for row in rows}


def mailgun(call: Call) -> dict[str, Any]:
    form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
    told = {"to": form["to"], "subject": form["subject"], "text": form["text"], "html": form["html"]}
    return told | {"leave": form["h:List-Unsubscribe"], "uid": form["v:digest"]}


def mailjet(call: Call) -> dict[str, Any]:
    [message], common = call.json["Messages"], call.json["Globals"]
    told = {"to": message["To"][0]["Email"], "subject": common["Subject"], "text": common["TextPart"]}
    return told | {
        "html": common["HTMLPart"],
        "leave": common["Headers"]["List-Unsubscribe"],
        "uid": json.loads(common["EventPayload"])["digest"],
    }


def mandrill(call: Call) -> dict[str, Any]:
    assert call.json["key"] == "token"
    one = call.json["message"]
    [to] = one["to"]
    return one | {"to": to["email"], "leave": one["headers"]["List-Unsubscribe"], "uid": one["metadata"]["digest"]}


def postal(call: Call) -> dict[str, Any]:
    one = call.json
    [to] = one["to"]
    return {
        "to": to,
        "subject": one["subject"],
        "text": one["plain_body"],
        "html": one["html_body"],
        "leave": one["headers"]["List-Unsubscribe"],
    }


def postmark(call: Call) -> dict[str, Any]:
    one = call.json
    headers = pairs(one["Headers"], "Name", "Value")
    told = {"to": one["To"], "subject": one["Subject"], "text": one["TextBody"], "html": one["HtmlBody"]}
    return told | {"leave": headers["List-Unsubscribe"], "uid": one["Metadata"]["digest"]}


def brevo(call: Call) -> dict[str, Any]:
    one = call.json
    told = {"to": one["to"][0]["email"], "subject": one["subject"], "text": one["textContent"]}
    uid = json.loads(one["headers"]["X-Mailin-custom"])["digest"]
    return told | {"html": one["htmlContent"], "leave": one["headers"]["List-Unsubscribe"], "uid": uid}


def resend(call: Call) -> dict[str, Any]:
    one = call.json
    [to] = one["to"]
    uid = json.loads(one["headers"]["X-Metadata"])["digest"]
    return one | {"to": to, "leave": one["headers"]["List-Unsubscribe"], "uid": uid}


def mailersend(call: Call) -> dict[str, Any]:
    one = call.json
    headers = pairs(one["headers"], "name", "value")
    return one | {"to": one["to"][0]["email"], "leave": headers["List-Unsubscribe"]}


def mailtrap(call: Call) -> dict[str, Any]:
    one = call.json
    to, uid = one["to"][0]["email"], one["custom_variables"]["digest"]
    return one | {"to": to, "leave": one["headers"]["List-Unsubscribe"], "uid": uid}


def scaleway(call: Call) -> dict[str, Any]:
    one = call.json
    assert one["project_id"] == "project"
    headers = pairs(one["additional_headers"], "key", "value")
    uid = json.loads(headers["X-Metadata"])["digest"]
    return one | {"to": one["to"][0]["email"], "leave": headers["List-Unsubscribe"], "uid": uid}


def sendgrid(call: Call) -> dict[str, Any]:
    one = call.json
    contents = pairs(one["content"], "type", "value")
    to, uid = one["personalizations"][0]["to"][0]["email"], one["custom_args"]["digest"]
    told = {"to": to, "uid": uid, "subject": one["subject"], "leave": one["headers"]["List-Unsubscribe"]}
    return told | {"text": contents["text/plain"], "html": contents["text/html"]}


def sparkpost(call: Call) -> dict[str, Any]:
    one, content = call.json, call.json["content"]
    told = {"to": one["recipients"][0]["address"]["email"], "uid": one["metadata"]["digest"]}
    return content | told | {"leave": content["headers"]["List-Unsubscribe"]}


def unisender_go(call: Call) -> dict[str, Any]:
    one = call.json["message"]
    told = {"to": one["recipients"][0]["email"], "subject": one["subject"], "text": one["body"]["plaintext"]}
    uid = one["global_metadata"]["digest"]
    return told | {"html": one["body"]["html"], "leave": one["headers"]["List-Unsubscribe"], "uid": uid}


def amazon_ses(call: Call) -> dict[str, Any]:
    """docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html: the whole message as it goes on the wire."""
    assert call.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=token/")
    [to] = call.json["Destination"]["ToAddresses"]
    one = message_from_bytes(b64decode(call.json["Content"]["Raw"]["Data"]), policy=policy.default)
    text, html = one.get_body(("plain",)), one.get_body(("html",))
    assert text
    assert html
    told = {"to": to, "subject": one["Subject"], "text": text.get_content().strip(), "leave": one["List-Unsubscribe"]}
    return told | {"html": html.get_content().strip(), "uid": json.loads(one["X-Metadata"])["digest"]}


@dataclass(frozen=True)
class Esp:
    path: str
    credential: tuple[str, str]  # header and value
    told: Callable[[Call], dict[str, Any]]
    taken: Answer
    name: str | None = "name-1"  # by which it speaks of the message later; None where anymail makes one
    settings: dict[str, str] = field(default_factory=lambda: {"API_KEY": "token"})
    refused: Answer | None = None  # the call worked, the recipient was not taken
    says_uid: bool = True
    says_more: bool = True  # than by its status that it took the message


BASIC, BEARER = "Basic " + b64encode(b"api:token").decode(), "Bearer token"
MAILJET = "Basic " + b64encode(b"token:secret").decode()
POSTAL = {"message_id": "x@postal", "messages": {TO: {"id": "name-1", "token": "t"}}}
NAMED = {"id": "name-1"}
SPARKPOST = {"total_rejected_recipients": 0, "total_accepted_recipients": 1, **NAMED}
AT_AMAZON = {"region_name": "eu-west-1", "aws_access_key_id": "token", "aws_secret_access_key": "secret"}
ESPS = {
    "amazon_ses": Esp(
        "/v2/email/outbound-emails",
        ("Content-Type", "application/json"),  # its key is never sent, it signs
        amazon_ses,
        Answer(200, {"MessageId": "name-1"}),
        refused=Answer(400, {"message": "no"}, {"x-amzn-ErrorType": "MessageRejected"}),
    ),
    "brevo": Esp("/smtp/email", ("api-key", "token"), brevo, Answer(201, {"messageId": "name-1"})),
    "mailersend": Esp(
        "/email",
        ("Authorization", BEARER),
        mailersend,
        Answer(202, headers={"X-Message-Id": "name-1", "Content-Type": "text/html"}),
        settings={"API_TOKEN": "token"},
        says_uid=False,
        says_more=False,
    ),
    "mailgun": Esp(
        "/papers.example/messages",
        ("Authorization", BASIC),
        mailgun,
        Answer(200, {**NAMED, "message": "Queued. Thank you."}),
    ),
    "mailjet": Esp(
        "/send",
        ("Authorization", MAILJET),
        mailjet,
        Answer(200, {"Messages": [{"Status": "success", "To": [{"Email": TO, "MessageID": "name-1"}]}]}),
        settings={"API_KEY": "token", "SECRET_KEY": "secret"},
        refused=Answer(200, {"Messages": [{"Status": "error", "Errors": [{"ErrorCode": "mj-0013"}]}]}),
    ),
    "mailtrap": Esp(
        "/send",
        ("Api-Token", "token"),
        mailtrap,
        Answer(200, {"success": True, "message_ids": ["name-1"]}),
        settings={"API_TOKEN": "token"},
    ),
    "mandrill": Esp(
        "/messages/send.json",
        ("Accept", "*/*"),  # its key stands in the body
        mandrill,
        Answer(200, [{"email": TO, "status": "sent", "_id": "name-1", "reject_reason": None}]),
        refused=Answer(200, [{"email": TO, "status": "rejected", "_id": "name-1", "reject_reason": "hard-bounce"}]),
    ),
    "postal": Esp(
        "/api/v1/send/message",
        ("X-Server-API-Key", "token"),
        postal,
        Answer(200, {"status": "success", "data": POSTAL}),
        says_uid=False,
    ),
    "postmark": Esp(
        "/email",
        ("X-Postmark-Server-Token", "token"),
        postmark,
        Answer(200, {"ErrorCode": 0, "Message": "OK", "MessageID": "name-1", "To": TO}),
        settings={"SERVER_TOKEN": "token"},
        refused=Answer(
            422, {"ErrorCode": 406, "Message": f"Found inactive addresses: {TO}.\n Inactive recipients are"}
        ),
    ),
    "resend": Esp("/emails", ("Authorization", BEARER), resend, Answer(200, NAMED)),
    "scaleway": Esp(
        "/emails",
        ("X-Auth-Token", "token"),
        scaleway,
        Answer(200, {"emails": [{**NAMED, "mail_rcpt": TO, "status": "new"}]}),
        settings={"SECRET_KEY": "token", "PROJECT_ID": "project"},
        refused=Answer(200, {"emails": [{**NAMED, "mail_rcpt": TO, "status": "failed"}]}),
    ),
    "sendgrid": Esp("/mail/send", ("Authorization", BEARER), sendgrid, Answer(202), name=None, says_more=False),
    "sparkpost": Esp(
        "/transmissions/",
        ("Authorization", "token"),
        sparkpost,
        Answer(200, {"results": SPARKPOST}),
        refused=Answer(200, {"results": {"total_rejected_recipients": 1, "total_accepted_recipients": 0, **NAMED}}),
    ),
    "unisender_go": Esp(
        "/email/send.json",
        ("X-API-KEY", "token"),
        unisender_go,
        Answer(200, {"status": "success", "job_id": "1", "emails": [TO]}),
        name=None,
        refused=Answer(200, {"status": "success", "job_id": "1", "emails": [], "failed_emails": {TO: "invalid"}}),
    ),
}


@pytest.fixture(params=ESPS)
def esp(request: pytest.FixtureRequest, settings: Settings) -> Iterator[tuple[Esp, HttpProvider]]:
    name, esp = request.param, ESPS[request.param]
    with serving(HttpProvider(lambda _: esp.taken)) as http:
        settings.EMAIL_BACKEND = f"anymail.backends.{name}.EmailBackend"
        values = {f"{name.upper()}_{key}": value for key, value in esp.settings.items()}
        client = {"AMAZON_SES_CLIENT_PARAMS": {**AT_AMAZON, "endpoint_url": http.url}}
        settings.ANYMAIL = {**values, **client, f"{name.upper()}_API_URL": http.url, "REQUESTS_TIMEOUT": (5, 5)}
        yield esp, http


def mail() -> EmailMultiAlternatives:
    return compose(
        to=TO,
        subject=TOLD["subject"],
        text=TOLD["text"],
        html=TOLD["html"],
        headers=unsubscribing(LINK),
        metadata={"digest": UID},
    )


def submit() -> Outcome:
    """As a digest goes."""
    with closing(Calls()) as calls:
        calls.offer(1, calls.prepare(mail()))
        assert calls.step(0) == [(1, None)]
        calls.hand_over(1)
        while not (reports := calls.step(5)):
            pass
    [(_, outcome)] = reports
    assert outcome
    return outcome


def as_a_letter() -> Outcome:
    with in_time() as submit_in_time:
        return submit_in_time(mail())


@pytest.mark.parametrize("way", [submit, as_a_letter])
def test_each_is_told_all_that_it_must_know(esp: tuple[Esp, HttpProvider], way: Callable[[], Outcome]) -> None:
    of, http = esp
    outcome = way()
    [call] = http.calls
    assert (call.path, call.headers[of.credential[0]]) == (of.path, of.credential[1])
    expected = TOLD | ({"uid": UID} if of.says_uid else {})
    told = of.told(call)
    assert {name: told[name] for name in expected} == expected
    assert outcome.kind is Kind.ACCEPTED
    assert outcome.provider_id == of.name if of.name else outcome.provider_id


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(400, {}), Kind.REFUSED),
        (Answer(401, {}), Kind.HALT),
        (Answer(403, {}), Kind.HALT),
        (Answer(429, {}, {"Retry-After": "7"}), Kind.LATER),
        (Answer(500, {}), Kind.DOUBT),
        (Answer(503, "<html>"), Kind.DOUBT),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answer) else "",
)
def test_each_refusal_is_judged_by_its_status(esp: tuple[Esp, HttpProvider], answer: Answer, kind: Kind) -> None:
    _, http = esp
    http.answer = lambda _: answer
    outcome = submit()
    assert outcome.kind is kind
    assert len(http.calls) == 1
    assert kind is not Kind.LATER or outcome.retry_after.total_seconds() == 7


NOBODY = '{"ErrorCode": 0, "Message": "OK", "MessageID": "1", "To": "nobody"}'  # as anymail reads Postmark's


@pytest.mark.parametrize("garbage", ["<html>", "{}", "[]", "null", '{"ErrorCode": 0}', NOBODY])
def test_garbage_after_success_is_doubt(esp: tuple[Esp, HttpProvider], garbage: str) -> None:
    of, http = esp
    http.answer = lambda _: Answer(200, garbage)
    assert submit().kind is Kind.DOUBT or not of.says_more


def test_a_recipient_that_was_not_taken_has_no_mail(esp: tuple[Esp, HttpProvider]) -> None:
    of, http = esp
    refusal = of.refused or Answer(422, {"message": "no"})
    http.answer = lambda _: refusal
    assert submit().kind is Kind.REFUSED


def test_silence_after_the_call_is_doubt(esp: tuple[Esp, HttpProvider], settings: Settings) -> None:
    of, http = esp
    settings.ANYMAIL, settings.EMAIL_TIMEOUT = settings.ANYMAIL | {"REQUESTS_TIMEOUT": (5, 0.2)}, 1
    http.answer = lambda _: Answer(of.taken.status, of.taken.body, of.taken.headers, is_late=True)
    assert submit().kind is Kind.DOUBT
    assert len(http.calls) == 1  # nobody asks again behind our back
