"""Many calls over HTTP in one thread: each comes to what requests would make of it, and nobody waits for another."""

import gzip
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django import Settings
from requests.adapters import BaseAdapter

from newsletter.delivery.wire.callers import Submit
from newsletter.delivery.wire.outcomes import Kind, Outcome, on_submit
from newsletter.delivery.wire.provider import Provider
from newsletter.delivery.wire.switchboard import Client, Switchboard, mount
from tests.certificates import certificate
from tests.newsletter.conftest import message_to
from tests.provider_stubs import Answer, Call, HttpProvider, serving
from tests.servers import free_port

FINE = Answer(200, {"said": "yes"})
NOBODY_ASKED = b'HTTP/1.1 408 Request Timeout\r\nContent-Length: 11\r\n\r\n{"said": 1}'
HASH = "7b5630b9"  # `openssl x509 -hash` of the certificate: of the name in it


def client(**of_session: Any) -> Client:
    """Posts what it is handed to the address that it is handed."""

    @contextmanager
    def opened(adapter: BaseAdapter) -> Iterator[Submit]:
        with requests.Session() as session:
            session.trust_env = False
            for name, value in of_session.items():
                setattr(session, name, value)
            mount(session, adapter)

            def submit(messages: Sequence[str]) -> Sequence[Outcome]:
                try:
                    answers = [session.post(url, "content", timeout=(5, 5)).json()["said"] for url in messages]
                except requests.RequestException as error:
                    return [on_submit(error)] * len(messages)
                return [Outcome(Kind.ACCEPTED, answer) for answer in answers]

            yield submit

    return opened


def heard(switchboard: Switchboard, *calls: Sequence[str]) -> dict[int, Outcome]:
    """What became of these calls, by the places of all their messages."""
    place = 0
    for content in calls:
        switchboard.call(range(place, place + len(content)), content)
        place += len(content)
    found = dict[int, Outcome]()
    while len(found) < place:
        found |= {key: outcome for key, outcome in switchboard.answers(5) if outcome}
    return found


def kind_of(url: str, **of_session: Any) -> Kind:
    with closing(Switchboard(client(**of_session))) as switchboard:
        return heard(switchboard, [url])[0].kind


@pytest.fixture
def http() -> Iterator[HttpProvider]:
    with serving(HttpProvider(lambda _: FINE)) as http:
        yield http


def test_calls_are_under_way_together_and_each_message_has_its_answer(http: HttpProvider) -> None:
    together = threading.Barrier(3, timeout=10)  # for the first message of each call

    def answer(call: Call) -> Answer:
        if call.path == "/first":
            together.wait()
        return FINE

    http.answer = answer
    with closing(Switchboard(client())) as switchboard:
        found = heard(switchboard, [f"{http.url}first", http.url], [f"{http.url}first"], [f"{http.url}first"])
    assert {key: (outcome.kind, outcome.reason) for key, outcome in found.items()} == dict.fromkeys(
        range(4), (Kind.ACCEPTED, "yes")
    )
    assert len(http.calls) == 4


def test_an_error_is_in_doubt_for_all_that_the_call_held(http: HttpProvider) -> None:
    http.answer = lambda _: Answer(200, {"said": 1} if len(http.calls) == 1 else {})
    with closing(Switchboard(client())) as switchboard:
        found = heard(switchboard, [http.url, http.url])
    assert {key: (outcome.kind, outcome.reason) for key, outcome in found.items()} == dict.fromkeys(
        range(2), (Kind.DOUBT, "KeyError: 'said'")
    )


def test_a_call_that_could_not_begin_within_the_lease_is_not_made(http: HttpProvider, settings: Settings) -> None:
    settings.LEASE = timedelta(seconds=-1)
    assert kind_of(http.url) is Kind.UNSENT
    assert http.calls == []


def test_what_never_reached_the_provider_is_unsent() -> None:
    assert kind_of(f"http://127.0.0.1:{free_port()}/") is Kind.UNSENT


def test_a_call_that_finds_no_connection_in_time_is_unsent(http: HttpProvider, settings: Settings) -> None:
    settings.EMAIL_TIMEOUT, settings.SUBMIT_CONNECTIONS = 0.2, 1
    http.answer = lambda _: Answer(200, FINE.body, is_late=True)
    with closing(Switchboard(client())) as switchboard:
        found = heard(switchboard, [http.url], [http.url])
    assert {found[0].kind, found[1].kind} == {Kind.DOUBT, Kind.UNSENT}
    assert len(http.calls) == 1


def test_a_provider_whose_certificate_nobody_signed_is_told_nothing(tmp_path: Path) -> None:
    own = certificate(tmp_path)
    with serving(HttpProvider(lambda _: FINE), own.context()) as http:
        url = http.url.replace("http:", "https:")
        assert kind_of(url) is Kind.UNSENT
        assert http.calls == []
        assert kind_of(url, verify=str(own.certificate)) is Kind.ACCEPTED
        assert kind_of(url, verify=False) is Kind.ACCEPTED
        (tmp_path / f"{HASH}.0").symlink_to(own.certificate)
        assert kind_of(url, verify=str(tmp_path)) is Kind.ACCEPTED


def test_a_bundle_of_certificates_that_is_not_there_leaves_it_unsent() -> None:
    assert kind_of("https://127.0.0.1/", verify="/nowhere") is Kind.UNSENT


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, FINE.body, drips=True),
        Answer(200, FINE.body, is_late=True),
        Answer(200, FINE.body, {"Content-Encoding": "gzip"}),
        Answer(200, FINE.body, {"Transfer-Encoding": "chunked"}),
    ],
    ids=["drips", "silent", "no gzip", "no chunks"],
)
def test_what_nobody_can_read_in_time_is_doubt(http: HttpProvider, settings: Settings, answer: Answer) -> None:
    settings.EMAIL_TIMEOUT = 0.2
    http.answer = lambda _: answer
    assert kind_of(http.url) is Kind.DOUBT
    assert len(http.calls) == 1


def test_an_answer_that_came_compressed_is_read(http: HttpProvider) -> None:
    http.answer = lambda _: Answer(200, gzip.compress(FINE.as_bytes()), {"Content-Encoding": "gzip"})
    assert kind_of(http.url) is Kind.ACCEPTED


def test_an_answer_with_a_long_header_is_read(http: HttpProvider) -> None:
    http.answer = lambda _: Answer(200, FINE.body, {"Content-Security-Policy": "x" * 60_000})
    assert kind_of(http.url) is Kind.ACCEPTED


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_the_provider_has_closed_meanwhile_takes_no_call(tmp_path: Path, scheme: str) -> None:
    provider, tls = HttpProvider(lambda _: Answer(200, FINE.body, hangs_up=True)), certificate(tmp_path).context()
    with (
        serving(provider, tls if scheme == "https" else None) as http,
        closing(Switchboard(client(verify=False))) as by,
    ):
        for _ in range(5):
            assert heard(by, [http.url.replace("http", scheme)])[0].kind is Kind.ACCEPTED
            assert http.hung_up.wait(5)
            http.hung_up.clear()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_nobody_asked_for_answers_no_call(tmp_path: Path, scheme: str) -> None:
    provider, tls = HttpProvider(lambda _: Answer(200, FINE.body, adds=answers.pop())), certificate(tmp_path).context()
    answers = [b"", NOBODY_ASKED]
    with (
        serving(provider, tls if scheme == "https" else None) as http,
        closing(Switchboard(client(verify=False))) as by,
    ):
        url = http.url.replace("http", scheme)
        assert heard(by, [url])[0].kind is Kind.ACCEPTED
        http.leisure.set()
        assert http.added.wait(5)
        assert heard(by, [url])[0].kind is Kind.ACCEPTED
        assert len(http.calls) == 2


def test_a_proxy_is_asked_where_there_is_one(http: HttpProvider) -> None:
    assert kind_of("http://provider.example/email", proxies={"http": http.url}) is Kind.ACCEPTED
    assert kind_of("http://provider.example/email", proxies={"http": f"127.0.0.1:{http.port}"}) is Kind.ACCEPTED
    assert [call.path for call in http.calls] == ["http://provider.example/email"] * 2


def test_what_a_proxy_did_not_pass_on_is_unsent(http: HttpProvider) -> None:
    assert kind_of("https://provider.example/email", proxies={"https": http.url}) is Kind.UNSENT


def test_a_password_in_the_address_is_said_in_a_header(http: HttpProvider) -> None:
    assert kind_of(http.url.replace("//", "//us%40er:pass@")) is Kind.ACCEPTED
    assert http.calls[0].headers["Authorization"] == "Basic dXNAZXI6cGFzcw=="


def test_what_is_under_way_at_the_end_is_not_waited_for(http: HttpProvider) -> None:
    http.answer = lambda _: Answer(200, FINE.body, is_late=True)
    with closing(Switchboard(client())) as switchboard:
        switchboard.call([1], [http.url])
        while not http.calls:
            assert switchboard.answers(0.01) == []


def test_what_is_under_way_at_the_end_leaves_nothing_behind(http: HttpProvider) -> None:
    ended = threading.Event()

    @contextmanager
    def opened(adapter: BaseAdapter) -> Iterator[Submit]:
        with client()(adapter) as post:

            def submit(messages: Sequence[str]) -> Sequence[Outcome]:
                with ExitStack() as at_the_end:
                    at_the_end.callback(ended.set)
                    return post(messages)

            yield submit

    with closing(Switchboard(opened)) as switchboard:
        switchboard.call([1], [http.url])
    assert ended.is_set()


@pytest.mark.parametrize("calls_first", [True, False])
def test_it_can_be_closed_in_the_middle_of_everything(http: HttpProvider, calls_first: bool) -> None:
    @contextmanager
    def opened(adapter: BaseAdapter) -> Iterator[Submit]:
        with client()(adapter) as post:

            def submit(messages: Sequence[str]) -> Sequence[Outcome]:
                if calls_first:
                    post(messages)
                raise SystemExit  # as a signal may

            yield submit

    def run() -> None:
        with closing(Switchboard(opened)) as switchboard:
            switchboard.call([1], [http.url])
            while True:
                switchboard.answers(0)

    with pytest.raises(SystemExit):
        run()


def test_it_can_be_closed_after_a_call_that_was_over_at_once() -> None:
    with closing(Switchboard(client())) as switchboard:
        switchboard.call([1], ["ftp://127.0.0.1/"])


def test_nobody_is_sent_elsewhere_with_a_mail(http: HttpProvider, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "token", "POSTMARK_API_URL": http.url}
    http.answer = lambda _: Answer(303, headers={"Location": f"http://127.0.0.1:{free_port()}/"})
    with Provider() as provider:
        assert provider.submit(message_to("alice@example.org")).kind is Kind.DOUBT
    assert len(http.calls) == 1
