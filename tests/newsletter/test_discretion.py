"""No address stands in a log, an address line or an error report."""

import logging
import sys
from contextlib import suppress
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import Resolver404, resolve, reverse
from django.views.debug import ExceptionReporter
from pytest_django import Settings

from newsletter import editions
from newsletter.delivery.letters import send_owed_letters
from newsletter.delivery.sending import deliver_batch
from papers.models import Paper, Topic
from subscribers import links
from subscribers.models import Letter, Move, Subscriber
from subscribers.tasks import end_pauses, forget
from tests.conftest import NOW, carry_out_requests
from tests.stubs import Relay

WISHES = {"cadence": "daily", "local_hour": "8", "zone": "UTC", "weekday": "1", "digest_size": "5", "language": "en"}


def a_life(client: Client) -> list[str]:
    """Signing up, confirming, changing, moving, being mailed, leaving, being erased; every address that was seen."""
    seen: list[str] = []

    def post(name: str, *args: str, **fields: object) -> None:
        answer = client.post(reverse(name, args=args), fields, secure=True)
        seen.append(answer.request["PATH_INFO"] + answer.request.get("QUERY_STRING", ""))
        seen.append(answer.headers.get("Location", ""))

    post("subscribe", **{**WISHES, "email": "carol@example.org", "topics": ["graphs"]})
    post("subscribe", **{**WISHES, "email": "carol@example.org, carol@x.org"})
    carry_out_requests()
    send_owed_letters(NOW)
    carol = Subscriber.objects.get()
    post("confirm", links.confirm_token(carol))
    token = links.preferences_token(carol)
    post("preferences", token, **{**WISHES, "topics": ["graphs"], "version": "0", "mute_authors": "carol"})
    post("move", token, email="carol@new.example.org")
    carry_out_requests()
    for side in ("old", "new"):
        post("agree", links.move_url(Move.objects.get(), side).rpartition("address/")[2])
    carol.refresh_from_db()
    Subscriber.objects.update(next_digest_at=NOW)
    editions.plan(NOW)
    deliver_batch()
    post("send_preferences_link", email="carol@new.example.org")
    carry_out_requests()
    post("leave", carol.leave_key)
    send_owed_letters(NOW)
    post("erase", links.preferences_token(carol))
    forget()
    end_pauses()
    return seen


@pytest.mark.parametrize("refused", [False, True], ids=["taken", "refused"])
def test_a_whole_life_leaves_no_address_in_logs_and_address_lines(  # noqa: PLR0917 - pytest passes them by name
    client: Client, papers: list[Paper], graphs: Topic, relay: Relay, caplog: pytest.LogCaptureFixture, refused: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "django.db.backends")  # SQL is for developers, and off
    caplog.set_level(logging.WARNING, "mail.log")  # the relay's, which is not ours
    if refused:
        relay.refuse = {name: f"550 5.1.1 <{name}> unknown" for name in ("carol@example.org", "carol@new.example.org")}
    seen = a_life(client)
    assert "carol" not in " ".join(seen)
    assert "carol" not in caplog.text
    assert Letter.objects.count() == 0


@pytest.mark.parametrize("debug", [False, True])
def test_an_error_report_shows_nothing_that_was_typed(settings: Settings, debug: bool) -> None:
    settings.DEBUG = debug
    typed = "@".join(["carol", "example.org"])  # apart, because a report quotes our source
    request = RequestFactory().post("/subscribe/", {"email": typed})
    try:
        raise ValueError(len(typed))
    except ValueError:
        reporter = ExceptionReporter(request, *sys.exc_info())
    for report in (reporter.get_traceback_text(), reporter.get_traceback_html()):
        assert "ValueError" in report
        assert typed not in report


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/preferences/6f1d.token-0123456789/undo/", "Not Found: /preferences/… (undo)"),
        ("/digests/00000000-0000-4000-8000-000000000000/", "Not Found: /digests/… (web_copy)"),
        ("/preferences/", "Not Found: /preferences/"),
        ("/ann@private.org/", "Not Found: /…"),
        ("/6f1dtoken0123456789", "Not Found: /…"),
        ("/", "Not Found: /"),
    ],
)
def test_of_a_path_the_log_keeps_the_first_word_and_the_route(path: str, shown: str) -> None:
    assert logged(path, "Not Found: %s", path) == shown


def test_an_exception_tells_the_log_no_secret_either() -> None:
    path = "/leave/token-0123456789abcdef"
    try:
        raise ValueError("no row for token-0123456789abcdef, that is for ann@private.org")
    except ValueError as error:
        line = logged(path, str(error), exc_info=sys.exc_info())
    assert line.splitlines()[0] == "no row for …, that is for …"
    assert line.splitlines()[-1] == "ValueError: no row for …, that is for …"


def logged(path: str, message: str, *args: object, **more: Any) -> str:
    """What the console shows of a record about a request, without time and level; seen twice, as by two handlers."""
    console = next(handler for handler in logging.getLogger().handlers if handler.name == "console")
    record = logging.LogRecord("django.security.Other", logging.WARNING, "", 0, message, args, more.get("exc_info"))
    record.request = RequestFactory().get(path)
    with suppress(Resolver404):
        record.request.resolver_match = resolve(path)
    assert console.filter(record)
    assert console.filter(record)
    return console.format(record).partition("django.security.Other: ")[2]
