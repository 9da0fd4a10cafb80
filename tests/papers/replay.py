"""A server on loopback that answers like the sources do, in their documented shapes, or as badly as it is told."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.servers import listening


@dataclass
class Reply:
    """One answer; `forever` repeats its body until somebody hangs up."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    forever: bool = False
    hang_up: bool = False


@dataclass
class Replay:
    """What it was asked, and what it answers: `on[path]` is a reply, or what makes one of the query."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    on: dict[str, "Reply | Callable[[dict[str, str]], Reply]"] = field(default_factory=dict)
    once: list[Reply] = field(default_factory=list)  # these first, whatever is asked
    stopping: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def reply(self, target: str, headers: dict[str, str]) -> Reply:
        self.asked.append(target)
        self.headers.append(headers)
        if self.once:
            return self.once.pop(0)
        parts = urlsplit(target)
        found = self.on.get(parts.path, Reply(b"nothing here", 404))
        found = found if isinstance(found, Reply) else found(dict(parse_qsl(parts.query)))
        tag = found.headers.get("ETag")
        return Reply(status=304) if tag and tag == headers.get("if-none-match") else found


class _Handler(BaseHTTPRequestHandler):
    replay: Replay

    def do_GET(self) -> None:
        reply = self.replay.reply(self.path, {name.lower(): value for name, value in self.headers.items()})
        if reply.hang_up:
            self.connection.close()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if not reply.forever:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        while reply.forever and not self.replay.stopping.wait(0.01):
            self.wfile.write(reply.body)

    def handle(self) -> None:
        # They had enough, or we closed the connection ourselves.
        with suppress(OSError, ValueError):
            super().handle()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def replay_server() -> Iterator[Replay]:
    """A server on a free port of this machine."""
    replay = Replay()
    handler = type("Handler", (_Handler,), {"replay": replay})
    with listening(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as replay.port:
        try:
            yield replay
        finally:
            replay.stopping.set()


def as_json(*rows: object) -> bytes:
    return json.dumps(list(rows)).encode()


def gzipped(body: bytes) -> Reply:
    return Reply(gzip.compress(body), headers={"Content-Encoding": "gzip"})


def daily(arxiv_id: str, title: str, day: str = "2026-03-20", **paper: Any) -> dict[str, Any]:
    """One element of Hugging Face's answer."""
    return {
        "paper": {
            "id": arxiv_id,
            "title": title,
            "summary": "We propose a network.",
            "authors": [{"name": "Ada Lovelace", "hidden": False}, {"name": "Alan Turing"}],
            "publishedAt": "2026-03-18T00:00:00.000Z",
            "submittedOnDailyAt": f"{day}T00:00:00.000Z",
            "upvotes": 12,
            "githubRepo": "https://github.com/ada/engine",
            "githubStars": 152,
            **paper,
        },
        "publishedAt": "2026-03-17T20:00:00.000Z",
        "title": title,
        "numComments": 3,
    }


def announced(arxiv_id: str, title: str, kind: str = "new", categories: str = "cs.LG stat.ML 68T05") -> str:
    """One entry of arXiv's Atom feed."""
    terms = "".join(f'<category term="{term}"/>' for term in categories.split())
    return f"""<entry><id>oai:arXiv.org:{arxiv_id}</id><title>{title}</title>
      <link href="https://arxiv.org/abs/{arxiv_id}" rel="alternate" type="text/html"/>
      <summary>arXiv:{arxiv_id} Announce Type: {kind}
Abstract: We propose a network with $\\alpha$.</summary>{terms}
      <published>2026-03-20T00:00:00-04:00</published><arxiv:announce_type>{kind}</arxiv:announce_type>
      <dc:creator>Andr\\'e Weil (1), Emmy Noether</dc:creator></entry>"""


def feed(*entries: str) -> bytes:
    return f"""<?xml version='1.0' encoding='UTF-8'?>
    <feed xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"
      xmlns="http://www.w3.org/2005/Atom" xml:lang="en-us"><id>http://rss.arxiv.org/atom/cs.LG</id>
      <title>cs.LG updates on arXiv.org</title>{"".join(entries)}</feed>""".encode()


def rss(arxiv_id: str, title: str) -> bytes:
    return f"""<?xml version='1.0' encoding='UTF-8'?><rss xmlns:arxiv="http://arxiv.org/schemas/atom"
      xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel><title>cs.LG updates</title><item>
      <title>{title}</title><link>https://arxiv.org/abs/2603.00001</link>
      <description>arXiv:{arxiv_id} Announce Type: new \nAbstract: We propose.</description>
      <guid isPermaLink="false">oai:arXiv.org:{arxiv_id}</guid><category>cs.LG</category>
      <pubDate>Fri, 20 Mar 2026 00:00:00 -0400</pubDate><arxiv:announce_type>new</arxiv:announce_type>
      <dc:creator>Emmy Noether</dc:creator></item></channel></rss>""".encode()


def found(*papers: tuple[str, str], total: int | None = None) -> bytes:
    """An answer of arXiv's API."""
    entries = "".join(
        f"""<entry><id>http://arxiv.org/abs/{arxiv_id}</id><title>{title}</title><summary>We propose.</summary>
        <published>2026-03-18T17:59:59Z</published><updated>2026-03-19T01:00:00Z</updated>
        <author><name>Ada Lovelace</name></author><author><name>Alan Turing</name></author>
        <arxiv:doi>10.1000/Engine.{arxiv_id[-2:]}</arxiv:doi>
        <arxiv:comment>9 pages, code at https://github.com/ada/engine</arxiv:comment>
        <arxiv:primary_category term="cs.LG"/><category term="stat.ML"/><category term="I.2.6"/></entry>"""
        for arxiv_id, title in papers
    )
    total = len(papers) if total is None else total
    return f"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom"
      xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">
      <opensearch:totalResults>{total}</opensearch:totalResults>{entries}</feed>""".encode()


def harvested(*papers: tuple[str, str], token: str = "", error: str = "", categories: str = "cs.LG") -> bytes:
    """An answer of arXiv's OAI-PMH service."""
    records = "".join(
        f"""<record><header><identifier>oai:arXiv.org:{arxiv_id}</identifier><datestamp>2026-03-20</datestamp></header>
        <metadata><arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>{arxiv_id}</id><created>2026-03-18</created>
        <authors><author><keyname>Lovelace</keyname><forenames>Ada</forenames></author></authors>
        <title>{title}</title><categories>{categories}</categories><doi>10.1000/oai.{arxiv_id[-2:]}</doi>
        <abstract>  We propose.</abstract></arXiv></metadata></record>"""
        for arxiv_id, title in papers
    )
    deleted = '<record><header status="deleted"><identifier>oai:arXiv.org:0704.0001</identifier></header></record>'
    rows = f"<ListRecords>{records}{deleted}<resumptionToken>{token}</resumptionToken></ListRecords>" if papers else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">
      <responseDate>2026-03-20T09:00:00Z</responseDate>{error}{rows}</OAI-PMH>""".encode()
