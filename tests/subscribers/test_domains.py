"""Only what DNS says for certain keeps a mail from being sent."""

from collections.abc import Iterator

import pytest
import time_machine
from pytest_django import Settings

from subscribers import domains
from tests.conftest import NOW
from tests.servers import free_port
from tests.stubs import Names, dns_server

NO_MAIL = "its domain takes no mail, as DNS says"


@pytest.fixture
def names(settings: Settings) -> Iterator[Names]:
    # Time must pass, or a time-out never comes.
    with dns_server() as names, time_machine.travel(NOW, tick=True):
        settings.LOOK_UP_DOMAINS, settings.DNS_SERVER = True, f"127.0.0.1:{names.port}"
        yield names


@pytest.mark.parametrize(
    "records",
    [
        ["MX 10 mail.lab.org."],
        ["A 93.184.215.14"],
        ["AAAA 2606:2800:220:1:248:1893:25c8:1946"],
        ["MX 0 .", "MX 5 a.lab.org."],
    ],
)
def test_a_domain_that_takes_mail_is_reachable(names: Names, records: list[str]) -> None:
    names.records["lab.org."] = records
    assert domains.why_unreachable("ann@lab.org") is None
    assert names.asked > 0


@pytest.mark.parametrize("records", [["MX 0 ."], [], ["TXT hello"], ["A 10.0.0.1"]])
def test_a_domain_that_takes_no_mail_is_told_apart(names: Names, records: list[str]) -> None:
    names.records["lab.org."] = records
    assert domains.why_unreachable("ann@lab.org") == NO_MAIL


def test_a_domain_that_does_not_exist_is_told_apart(names: Names) -> None:
    assert domains.why_unreachable("ann@lab.org") == NO_MAIL


def test_an_international_domain_is_asked_for_by_its_other_name(names: Names) -> None:
    names.records["xn--bcher-kva.org."] = ["MX 10 mail.lab.org."]
    assert domains.why_unreachable("ann@bücher.org") is None


def test_silence_means_nothing(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    names.silent = True
    monkeypatch.setattr(domains, "PATIENCE", 0.1)
    assert domains.why_unreachable("ann@lab.org") is None
    assert names.asked > 0


def test_nobody_to_ask_means_nothing(names: Names, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DNS_SERVER = f"127.0.0.1:{free_port()}"
    monkeypatch.setattr(domains, "PATIENCE", 0.1)
    assert domains.why_unreachable("ann@lab.org") is None


def test_nobody_is_asked_unless_the_operator_says_so(names: Names, settings: Settings) -> None:
    settings.LOOK_UP_DOMAINS = False
    assert domains.why_unreachable("ann@lab.org") is None
    assert names.asked == 0
