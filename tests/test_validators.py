"""What a setting may not say is refused at the start, in words."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from marshmallow import ValidationError

from newsletter.validators import rates

ROOT = Path(__file__).resolve().parents[1]


def test_rates_by_domain_are_read_as_they_are_written() -> None:
    assert rates("example.org=5, *=0.5,") == {"example.org": 5, "*": 0.5}
    assert rates("") == {}
    assert rates("Uni-Hamburg.de=2,xn--mller-kva.example=3") == {"uni-hamburg.de": 2, "müller.example": 3}  # as stored


@pytest.mark.parametrize("text", ["nonsense", "example.org", "*=x", "*=-3", "*=nan", "*=inf", "=5", "a..b=5"])
def test_a_rate_that_is_none_is_said(text: str) -> None:
    with pytest.raises(ValidationError, match=r"it must be|is no domain"):
        rates(text)


def manage(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *words]
    environment = {**os.environ, "DEMO": "1", **settings}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


REFUSED = [
    *("SUBMIT_SLICE=0", "DOMAINS_PER_SECOND=*=-3", "LOG_LEVEL=LOUD", "LEASE_SECONDS=30", "POOL_DAYS=0"),
    *("SITE_URL=papers.example", "SITE_URL=https://", "SITE_URL=https://papers.example/news", "SIGNUP_INBOX=-1"),
    *("MAIL_FROM=papers", "MAIL_FROM=Papers <a@b.example>", "MAIL_REROUTE_TO=team", "MAIL_ONLY_TO=@lab.example"),
    *("OPERATORS=ada@papers.example,bo", "EMBED_ORIGINS=lab.example", "POSTAL_ADDRESS= ", "EMAIL_HOST=smtp://relay"),
    *("REDIS_URL=127.0.0.1:6379", "EMAIL_BACKEND=anymail.backends.postmak.EmailBackend", "EMAIL_BACKEND=postmark"),
    "EMAIL_BACKEND=anymail.backends.postmark.EmailBackend",  # without ANYMAIL_WEBHOOK_SECRET
]


@pytest.mark.parametrize("setting", REFUSED)
def test_a_command_does_not_begin_with_one_that_stops_all_mail(setting: str) -> None:
    name, _, value = setting.partition("=")
    done = manage("check", **{name: value})
    assert done.returncode
    assert f'"{name}" invalid' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_not_there_is_said_in_words() -> None:
    done = manage("brake", "show", DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    assert done.returncode
    assert done.stderr.startswith("The database does not do what it was asked: connection failed")
    assert "Traceback" not in done.stderr


def test_names_in_a_list_may_stand_apart() -> None:
    assert not manage(
        "check", OPERATORS="ada@papers.example, root@mailhost", MAIL_ONLY_TO="a.example, b.example"
    ).returncode
