"""Pages load nothing from elsewhere, and a browser that is told so finds nothing to refuse."""

from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import ConsoleMessage

from tests.browser import chromium
from tests.pages import Seen, Visit
from tests.test_browser_pages import show


@pytest.mark.parametrize("path", ["/", "/subscribe/", "/preferences/cut-off", "/leave/cut-off", "/nothing/"])
def test_every_page_says_where_it_loads_from(client: Client, db: None, path: str) -> None:
    policy = client.get(path, secure=True)["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'; ")
    assert "script-src" not in policy
    assert policy.endswith("frame-ancestors 'none'")


def test_the_admin_has_none(client: Client, db: None) -> None:
    assert "Content-Security-Policy" not in client.get("/admin/login/", secure=True)


@pytest.mark.browser
def test_a_browser_refuses_nothing_of_any_page(site: str, tmp_path: Path) -> None:
    pages: list[Seen] = Visit(tmp_path).everywhere()
    refused: list[tuple[str, str]] = []
    with chromium() as browser:
        page = browser.new_page()

        def hear(message: ConsoleMessage) -> None:
            if "Content Security Policy" in message.text:
                refused.append((page.url, message.text))

        page.on("console", hear)
        for seen in pages:
            show(page, site, seen)
            page.wait_for_load_state("load")
    assert refused == []
