"""What strangers type, forge and break: each gets a clear answer and changes nothing; what is odd but good is one."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from papers.models import Topic
from subscribers import leaving, links
from subscribers.addresses import clean_address
from subscribers.links import BadLink, Farewell
from subscribers.models import Letter, Subscriber, SubscriptionRequest
from tests.conftest import NOW, carry_out_requests

SUBSCRIBE = reverse("subscribe")
FORM = "application/x-www-form-urlencoded"
READERS: dict[str, Callable[[str], object]] = {
    "confirm": links.read_confirm,
    "preferences": links.read_preferences,
    "undo": links.read_undo,
    "leave": links.read_leave,
}


def token_for(purpose: str, subscriber: Subscriber) -> str:
    return {
        "confirm": links.confirm_token(subscriber),
        "preferences": links.preferences_token(subscriber),
        "undo": links.undo_token(Farewell(subscriber, Subscriber.Status.ACTIVE, NOW)),
        "leave": subscriber.leave_key,
    }[purpose]


def nothing_happened() -> bool:
    return not (Subscriber.objects.exists() or SubscriptionRequest.objects.exists())


@pytest.mark.parametrize(
    "email",
    [
        "ann@example.org\r\nBcc: bob@example.org",
        "ann@example.org\nbob@example.org",
        "ann\x00@example.org",
        "ann\u2028@example.org",
        "ann@example.org\u2029x",
        "ann@example.org\n",
        "ann@example.org\r\n",
        "ann@example.org\u2028",
        "\u2028ann@example.org",
        "\nann@example.org",
        "\tann@example.org",
        "ann@example.org\x85",
        "ann@example.org \x1c",
        "ann@example.org, bob@example.org",
        "ann@example.org; bob@example.org",
        "ann@example.org bob@example.org",
        "Ann <ann@example.org>",
        "<ann@example.org>",
        "a" * 65 + "@example.org",
        "a@localhost",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a＠example.org",
        "a@💌.example",
        "mailto:a@example.org?bcc=b@example.org",
        "a@exam\u202eple.org",
        "",
        "   ",
    ],
)
def test_a_bad_address_changes_nothing(client: Client, form: dict[str, object], email: str) -> None:
    response = client.post(SUBSCRIBE, form | {"email": email})
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert nothing_happened()


@pytest.mark.parametrize("topic", ["-1", "9" * 400, "1.5", "' OR 1=1 --", "nobody-knows", "\x00", "[]", "gra\u0000phs"])
def test_a_bad_topic_changes_nothing(client: Client, form: dict[str, object], topic: str) -> None:
    assert client.post(SUBSCRIBE, form | {"topics": ["graphs", topic]}).status_code == 422
    assert nothing_happened()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"email=" + b"a" * 1_000_000, 413),
        (b"email=" + b"a" * 50_000, 422),
        (b"&".join(b"f%d=" % number for number in range(10_000)), 413),
        (b"email=ann%FF%FE@example.org&cadence=daily&local_hour=8", 400),
        (b"email=\xff\xfe@example.org&cadence=daily&local_hour=8", 400),
        (b"\xff" * 100, 400),
    ],
)
def test_a_bad_body_changes_nothing(client: Client, graphs: Topic, body: bytes, status: int) -> None:
    response = client.post(SUBSCRIBE, body, content_type=FORM)
    assert response.status_code == status
    assert len(response.content) < 60_000
    assert nothing_happened()


def test_a_forged_host_changes_nothing(client: Client, form: dict[str, object]) -> None:
    assert client.post(SUBSCRIBE, form, headers={"Host": "evil.example"}).status_code == 400
    assert nothing_happened()


@pytest.mark.parametrize("forged", ["203.0.113.9", "127.0.0.1, 203.0.113.9", "::1", "x" * 5000, "'\"><script>"])
def test_a_forged_forwarded_for_is_not_believed(client: Client, form: dict[str, object], forged: str) -> None:
    client.post(SUBSCRIBE, form, headers={"X-Forwarded-For": forged}, REMOTE_ADDR="198.51.100.7")
    assert SubscriptionRequest.objects.get().network == "198.51.100.0/24"


@pytest.mark.parametrize(
    "written",
    [
        "Ann@Bücher.example",
        "ann@xn--bcher-kva.example",
        "ann@XN--BCHER-KVA.example",
        "  ann@bücher.example  ",
        "ann@bücher.example.",
        "ann@BÜCHER.EXAMPLE",
    ],
)
def test_an_odd_spelling_is_the_same_person(client: Client, form: dict[str, object], written: str) -> None:
    for email in ("ann@bücher.example", written):
        assert client.post(SUBSCRIBE, form | {"email": email}).status_code == 302
    carry_out_requests()
    assert Subscriber.objects.get().email == "ann@bücher.example"
    assert Letter.objects.count() == 1


def test_a_topic_chosen_twice_is_chosen_once(client: Client, form: dict[str, object], graphs: Topic) -> None:
    assert client.post(SUBSCRIBE, form | {"topics": ["graphs", "graphs"]}).status_code == 302
    carry_out_requests()
    assert list(Subscriber.objects.get().topics.all()) == [graphs]


def test_no_topic_means_the_best_of_everything_and_the_page_says_so(client: Client, form: dict[str, object]) -> None:
    page = " ".join(client.get(SUBSCRIBE).content.decode().split())
    assert "Choose none, and you get the best of everything" in page
    assert client.post(SUBSCRIBE, {key: form[key] for key in form if key != "topics"}).status_code == 302


@given(
    local=st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True),
    spaces=st.text(" \t", max_size=3).map(lambda s: " " * len(s)),
)
def test_spaces_case_and_a_last_dot_make_no_other_address(local: str, spaces: str) -> None:
    plain = clean_address(f"{local}@example.org")
    assert clean_address(f"{spaces}{local.upper()}@EXAMPLE.org.{spaces}") == plain


@given(st.text(st.characters(categories=["Cc", "Zl", "Zp", "Cs", "Cf"]), min_size=1, max_size=3), st.integers(0, 15))
def test_no_control_character_passes_the_gate(unsafe: str, place: int) -> None:
    address = "ann@example.org"
    with pytest.raises(ValidationError):
        clean_address(address[:place] + unsafe + address[place:])


@pytest.mark.parametrize("purpose", READERS)
@given(data=st.data())
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_link_with_one_bit_changed_or_cut_anywhere_is_refused(
    alice: Subscriber, purpose: str, data: st.DataObject
) -> None:
    token = token_for(purpose, alice)
    place, bit = data.draw(st.integers(0, len(token) - 1)), data.draw(st.integers(0, 6))
    flipped = token[:place] + chr(ord(token[place]) ^ 1 << bit) + token[place + 1 :]
    for spoilt in (
        token[:place],
        flipped,
        token + "=3D",
        token + ">",
        "=3D" + token,
        token[:place] + "=3D" + token[place:],
    ):
        with pytest.raises(BadLink):
            READERS[purpose](spoilt)


@pytest.mark.parametrize("purpose", READERS)
@pytest.mark.parametrize("spoil", ["{}>", "{}=3D", "=3D{}", "{}%0A", "{}.", "%00{}"])
def test_a_page_behind_a_broken_link_says_so_and_changes_nothing(
    client: Client, alice: Subscriber, purpose: str, spoil: str
) -> None:
    path = reverse(purpose if purpose != "undo" else "leave_undo", args=["TOKEN"])
    path = path.replace("TOKEN", spoil.format(token_for(purpose, alice)))
    before = Subscriber.objects.values().get()
    for response in (client.get(path), client.post(path)):
        assert 300 < response.status_code < 500
    assert Subscriber.objects.values().get() == before


def test_confirming_and_leaving_end_in_having_left(client: Client, bob: Subscriber) -> None:
    path = reverse("confirm", args=[links.confirm_token(bob)])
    leaving.leave(Subscriber.objects.get(), NOW, page="leave")
    assert client.post(path).status_code == 409
    assert Subscriber.objects.get().status == "unsubscribed"


def test_a_one_click_post_of_twenty_megabytes_is_refused(client: Client, alice: Subscriber) -> None:
    body = urlencode({"List-Unsubscribe": "One-Click", "x": "x" * 20_000_000})
    path = reverse("one_click", args=[alice.leave_key])
    assert 400 <= client.post(path, body, content_type=FORM).status_code < 500
    assert Subscriber.objects.get().status == "active"


@pytest.mark.parametrize(
    "body",
    [b"email=" + b"a" * 20_000_000, b"&".join(b"f%d=" % number for number in range(10_000))],
    ids=["big", "many"],
)
@pytest.mark.parametrize("name", ["subscribe", "send_preferences_link", "one_click", "preferences"])
def test_too_much_is_refused_in_words_and_a_line_in_the_log(
    client: Client, alice: Subscriber, caplog: pytest.LogCaptureFixture, name: str, body: bytes
) -> None:
    tokens = {"one_click": [alice.leave_key], "preferences": [links.preferences_token(alice)]}
    response = client.post(reverse(name, args=tokens.get(name, [])), body, content_type=FORM)
    assert 400 <= response.status_code < 500
    assert response.content
    assert len(caplog.text.splitlines()) < 4
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("body", [b"email=ann%40example.org&papers=%ff%fe", b"email=ann@example.org&papers=\xff\xfe"])
def test_a_form_that_is_not_utf8_is_refused_whole(client: Client, db: None, body: bytes) -> None:
    answer = client.post("/subscribe/", body, "application/x-www-form-urlencoded", secure=True)
    assert answer.status_code == 400
    assert "could not read that request" in answer.content.decode()
    assert not SubscriptionRequest.objects.exists()
