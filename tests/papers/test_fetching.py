"""The edge to the web: polite to sources, and closed to everything but them."""

import gzip
import threading
from itertools import pairwise
from time import monotonic
from typing import Any

import pytest
import redis
from pytest_django import Settings

from papers.sources.fetching import RefusedError, UnavailableError, fetch
from papers.sources.network import is_public
from papers.sources.pace import NoTurnError, Pace
from tests.papers.replay import Replay, Reply, gzipped

ARXIV = Pace("arxiv")


def content(web: Replay, path: str = "/x") -> bytes | None:
    return fetch(web.url(path), ARXIV).content


def test_we_say_who_we_are(web: Replay) -> None:
    web.on["/x"] = Reply(b"hello")
    assert content(web) == b"hello"
    assert web.headers[0]["user-agent"] == "Trending Papers (+https://papers.example)"


def test_an_unchanged_answer_does_not_come_again(web: Replay) -> None:
    web.on["/x"] = Reply(b"hello", headers={"ETag": '"1"', "Last-Modified": "Fri, 20 Mar 2026 09:00:00 GMT"})
    first = fetch(web.url("/x"), ARXIV)
    again = fetch(web.url("/x"), ARXIV, first.validators)
    assert (first.content, again.content) == (b"hello", None)
    assert web.headers[1]["if-modified-since"] == "Fri, 20 Mar 2026 09:00:00 GMT"


def test_a_compressed_answer_is_unfolded(web: Replay) -> None:
    web.on["/x"] = gzipped(b"hello" * 100_000)
    assert content(web) == b"hello" * 100_000


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_source_is_asked_again(web: Replay, status: int) -> None:
    web.once = [Reply(status=status), Reply(status=status, headers={"Retry-After": "0"})]
    web.on["/x"] = Reply(b"hello")
    assert (content(web), len(web.asked)) == (b"hello", 3)


def test_a_source_is_not_asked_for_ever(web: Replay) -> None:
    web.on["/x"] = Reply(status=503)
    with pytest.raises(UnavailableError, match="503"):
        content(web)
    assert len(web.asked) == 3


def test_a_long_retry_after_is_told_and_kept_by_everybody(web: Replay) -> None:
    web.on["/x"] = Reply(status=429, headers={"Retry-After": "7200"})
    with pytest.raises(UnavailableError) as raised:
        content(web)
    assert (raised.value.retry_after, len(web.asked)) == (7200, 1)
    with pytest.raises(NoTurnError, match="busy"):
        content(web, "/y")
    assert len(web.asked) == 1


@pytest.mark.parametrize("when", ["Sat, 21 Mar 2099 09:00:00 GMT", "99999999999999999", "1e999", "-1", "\u00b2"])
def test_a_retry_after_is_never_longer_than_a_day(web: Replay, when: str) -> None:
    web.on["/x"] = Reply(status=503, headers={"Retry-After": when})
    with pytest.raises(UnavailableError) as raised:
        content(web)
    assert raised.value.retry_after in {None, 86_400}


def test_a_lost_connection_may_be_different_next_time(web: Replay) -> None:
    web.once = [Reply(hang_up=True)]
    web.on["/x"] = Reply(b"hello")
    assert content(web) == b"hello"


def test_redirects_are_followed_and_checked(web: Replay) -> None:
    web.on["/x"] = Reply(status=302, headers={"Location": "/y"})
    web.on["/y"] = Reply(b"hello")
    assert content(web) == b"hello"


def test_redirects_are_counted(web: Replay) -> None:
    web.on["/x"] = Reply(status=302, headers={"Location": "/x"})
    with pytest.raises(RefusedError, match="redirects"):
        content(web)
    assert len(web.asked) == 4


@pytest.mark.parametrize(
    "place",
    [
        "http://169.254.169.254/latest/meta-data/",
        "//169.254.169.254/",
        "file:///etc/passwd",
        "http://localhost/",
        "ftp://127.0.0.1/",
        "http://user:secret@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://[::1",
    ],
)
def test_a_redirect_leads_nowhere_else(web: Replay, place: str) -> None:
    web.on["/x"] = Reply(status=302, headers={"Location": place})
    with pytest.raises(RefusedError):
        content(web)
    assert len(web.asked) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_name_that_leads_into_a_private_network_is_refused(web: Replay, settings: Settings, host: str) -> None:
    settings.FETCH_LOOPBACK, settings.FETCH_HOSTS = False, [host]
    with pytest.raises(RefusedError, match="not a public address"):
        fetch(f"https://{host}/x", ARXIV)
    assert web.asked == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("151.101.3.42", True),
        ("2a04:4e42::810", True),
        ("169.254.169.254", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b::9765:32a", True),
        ("2002:a9fe:a9fe::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::", False),
    ],
)
def test_only_public_addresses_are_connected_to(address: str, *, public: bool) -> None:
    assert is_public(address) is public


def test_a_link_to_a_file_is_never_opened(web: Replay) -> None:
    for url in ("file:///etc/passwd", "gopher://127.0.0.1/", "http://127.0.0.1/\n", "https://ｈ.example/", ""):
        with pytest.raises(RefusedError):
            fetch(url, ARXIV)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"x" * 100_001),
        Reply(gzip.compress(bytes(10_000_000)), headers={"Content-Encoding": "gzip"}),
        Reply(b"x" * 10_000, forever=True),
        Reply(b"x", headers={"Content-Encoding": "br"}),
        Reply(status=404),
        Reply(status=204),
    ],
    ids=["large", "bomb", "endless", "brotli", "missing", "empty"],
)
def test_what_is_too_much_is_refused(web: Replay, settings: Settings, reply: Reply) -> None:
    settings.FETCH_BYTES = 100_000
    web.on["/x"] = reply
    with pytest.raises(RefusedError):
        content(web)


def test_a_body_that_drips_is_cut_off(web: Replay, settings: Settings) -> None:
    settings.FETCH_SECONDS = 0.2
    web.on["/x"] = Reply(b"x", forever=True)
    begin = monotonic()
    with pytest.raises(UnavailableError, match=r"too long|timed out"):
        content(web)
    assert monotonic() - begin < 5


def test_an_answer_cut_short_is_no_answer(web: Replay) -> None:
    web.on["/x"] = Reply(gzip.compress(b"hello" * 1000)[:-9], headers={"Content-Encoding": "gzip"})
    with pytest.raises(UnavailableError, match="middle"):
        content(web)


def test_without_redis_nobody_is_asked(web: Replay, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    with pytest.raises(NoTurnError, match="Redis does not answer"):
        content(web)
    assert web.asked == []


def test_all_workers_together_keep_the_pace(web: Replay, settings: Settings) -> None:
    settings.FETCH_EVERY = {"arxiv": 0.2}
    instants: list[float] = []
    busy = 0

    def answer(_: dict[str, str]) -> Reply:
        nonlocal busy
        busy += 1
        assert busy == 1
        instants.append(monotonic())
        busy -= 1
        return Reply(b"hello")

    web.on["/x"] = answer
    threads = [threading.Thread(target=content, args=[web]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gaps = [later - earlier for earlier, later in pairwise(instants)]
    assert (len(gaps), min(gaps) >= 0.19) == (3, True)


def test_a_worker_that_died_with_its_turn_loses_it(web: Replay, private_redis: str) -> None:
    web.on["/x"] = Reply(b"hello")
    with redis.from_url(private_redis) as client:
        client.set("papers:pace:arxiv", "somebody who died", px=100)
        assert content(web) == b"hello"
        assert client.pttl("papers:pace:arxiv") <= 1


def test_nobody_ends_the_turn_of_another(web: Replay, private_redis: str) -> None:
    with redis.from_url(private_redis) as client:
        with ARXIV.turn():
            client.set("papers:pace:arxiv", "another", px=60_000)
        held: Any = client.pttl("papers:pace:arxiv")
    assert held > 50_000
