"""What a setting may not say is refused at the start, in words."""

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from environs import EnvError
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


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, object]]:
    """Reads the settings anew, from an environment with these."""

    def read(**environment: str) -> dict[str, object]:
        for name, value in {"DEMO": "1", "VAR_DIR": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "newsletter" / "settings.py"))

    return read


REFUSED = [
    *("SUBMIT_SLICE=0", "DOMAINS_PER_SECOND=*=-3", "LOG_LEVEL=LOUD", "LEASE_SECONDS=30", "POOL_DAYS=0"),
    *("SITE_URL=papers.example", "SITE_URL=https://", "SITE_URL=https://papers.example/news", "SIGNUP_INBOX=-1"),
    *("MAIL_FROM=papers", "MAIL_FROM=Papers <a@b.example>", "MAIL_REROUTE_TO=team", "MAIL_ONLY_TO=@lab.example"),
    *("OPERATORS=ada@papers.example,bo", "EMBED_ORIGINS=lab.example", "POSTAL_ADDRESS= ", "EMAIL_HOST=smtp://relay"),
    *("REDIS_URL=127.0.0.1:6379", "EMAIL_BACKEND=anymail.backends.postmak.EmailBackend", "EMAIL_BACKEND=postmark"),
    "EMAIL_BACKEND=anymail.backends.postmark.EmailBackend",  # without ANYMAIL_WEBHOOK_SECRET
]


@pytest.mark.parametrize("setting", REFUSED)
def test_a_setting_that_makes_no_sense_is_refused(settings_of: Callable[..., dict[str, object]], setting: str) -> None:
    name, _, value = setting.partition("=")
    with pytest.raises(EnvError, match=f'"{name}" invalid'):
        settings_of(**{name: value})


def test_names_in_a_list_may_stand_apart(settings_of: Callable[..., dict[str, object]]) -> None:
    lists = {"MAIL_ONLY_TO": "a.example, b.example", "EMBED_ORIGINS": "https://lab.example/, https://B.example"}
    read = settings_of(OPERATORS="ada@papers.example, root@mailhost", **lists)
    assert read["OPERATORS"] == ["ada@papers.example", "root@mailhost"]
    assert read["MAIL_ONLY_TO"] == ["a.example", "b.example"]
    assert read["EMBED_ORIGINS"] == ["https://lab.example", "https://b.example"]  # as browsers say them


WORDS = {
    "SUBMIT_SLICE=0": 'Environment variable "SUBMIT_SLICE" invalid',
    "DATABASE_URL=postgres://nobody@127.0.0.1:1/none": "The database does not do what it was asked: connection failed",
}


@pytest.mark.parametrize("setting", WORDS)
def test_a_command_that_cannot_begin_says_so_in_words(setting: str) -> None:
    name, _, value = setting.partition("=")
    command = [sys.executable, "manage.py", "brake", "show"]
    environment = {**os.environ, "DEMO": "1", name: value}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode
    assert done.stderr.startswith(WORDS[setting])
    assert "Traceback" not in done.stderr
