"""What the machine's environment says of the way to a provider is heard, once for all calls."""

import pytest
import requests

from newsletter.delivery.wire.provider import look_around_once

URL = "https://api.provider.example/email"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)


def looked_around() -> requests.Session:
    session = requests.Session()
    look_around_once(session, URL)
    return session


def test_a_proxy_is_gone_through_and_certificates_are_as_the_machine_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/certificates.pem")
    session = looked_around()
    assert session.proxies["https"] == "http://proxy.example:3128"
    assert session.verify == "/certificates.pem"


def test_no_proxy_is_gone_through_to_a_provider_that_is_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", ".provider.example")
    assert not looked_around().proxies


def test_calls_no_longer_ask_and_certificates_are_still_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    session = looked_around()
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert session.merge_environment_settings(URL, {}, None, None, None)["proxies"] == {}
    assert session.verify is True
