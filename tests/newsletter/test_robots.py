"""Crawlers are kept out of what is one reader's own."""

from collections.abc import Iterator
from urllib.robotparser import RobotFileParser

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings


@pytest.fixture
def rules(client: Client, settings: Settings) -> RobotFileParser:
    settings.SECURE_SSL_REDIRECT = False
    parser = RobotFileParser()
    parser.parse(client.get("/robots.txt").content.decode().splitlines())
    return parser


def routes(resolver: URLResolver, start: str = "/") -> Iterator[str]:
    for one in resolver.url_patterns:
        path = start + str(one.pattern)
        if isinstance(one, URLPattern):
            yield path
        else:
            yield from routes(one, path)


def test_no_secret_link_is_crawled(rules: RobotFileParser) -> None:
    secret = [path for path in routes(get_resolver()) if "token" in path or "uuid" in path or "key>" in path]
    secret.remove("/authors/<str:key>/")
    assert len(secret) >= 11
    assert [path for path in secret if rules.can_fetch("*", path)] == []


@pytest.mark.parametrize("path", ["/admin/", "/search/", "/search/feed.atom", "/api/v1/papers", "/preferences/"])
def test_what_is_without_end_or_for_no_visitor_is_not_crawled(rules: RobotFileParser, path: str) -> None:
    assert not rules.can_fetch("*", path)


@pytest.mark.parametrize("path", ["/", "/papers/2026-03-20/", "/papers/1/x/", "/topics/x/", "/papers/feed.atom"])
def test_public_pages_are_crawled(rules: RobotFileParser, path: str) -> None:
    assert rules.can_fetch("*", path)


def test_the_sitemap_is_named(rules: RobotFileParser) -> None:
    assert rules.site_maps() == ["https://papers.example/sitemap.xml"]
