"""Many calls over HTTP in one thread: each comes to what requests would make of it, and nobody waits for another."""

import gzip
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django import Settings
from requests.adapters import BaseAdapter

from newsletter.delivery.callers import Submit
from newsletter.delivery.outcomes import Kind, Outcome, on_submit
from newsletter.delivery.switchboard import Client, Switchboard, mount
from tests.certificates import certificate
from tests.provider_stubs import Answer, Call, HttpProvider, serving
from tests.servers import free_port

FINE = Answer(200, {"said": "yes"})


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


def test_a_provider_whose_certificate_nobody_signed_is_told_nothing(tmp_path: Path) -> None:
    own = certificate(tmp_path)
    with serving(HttpProvider(lambda _: FINE), own.context()) as http:
        url = http.url.replace("http:", "https:")
        assert kind_of(url) is Kind.UNSENT
        assert http.calls == []
        assert kind_of(url, verify=str(own.certificate)) is Kind.ACCEPTED
        assert kind_of(url, verify=False) is Kind.ACCEPTED


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


def test_a_connection_that_the_provider_has_closed_meanwhile_takes_no_call(http: HttpProvider) -> None:
    http.answer = lambda _: Answer(200, FINE.body, hangs_up=True)
    with closing(Switchboard(client())) as switchboard:
        for _ in range(5):
            assert heard(switchboard, [http.url])[0].kind is Kind.ACCEPTED
            assert http.hung_up.wait(5)
            http.hung_up.clear()


def test_a_proxy_is_asked_where_there_is_one(http: HttpProvider) -> None:
    assert kind_of("http://provider.example/email", proxies={"http": http.url}) is Kind.ACCEPTED
    assert http.calls[0].path == "http://provider.example/email"


def test_what_is_under_way_at_the_end_is_not_waited_for(http: HttpProvider) -> None:
    http.answer = lambda _: Answer(200, FINE.body, is_late=True)
    with closing(Switchboard(client())) as switchboard:
        switchboard.call([1], [http.url])
        while not http.calls:
            assert switchboard.answers(0.01) == []
