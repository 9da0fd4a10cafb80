"""Every page that a visitor can meet, in every state that looks different.

Two tests keep the list whole: every route and every page template is in it, or in an exception with its reason.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import time_machine
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.test import Client, RequestFactory, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse
from django.utils import timezone
from django.views import csrf, defaults

from newsletter.middleware import bodies
from newsletter.models import Digest, Edition, Feedback
from newsletter.views.webhooks import VIEWS
from papers.archive import Period
from papers.models import Paper, Topic
from subscribers import leaving, links, moves
from subscribers.emails import letter_email
from subscribers.leaving import leave
from subscribers.links import Farewell
from subscribers.models import Letter, Move, Subscriber
from tests.newsletter.conftest import planned

DAY = timedelta(days=1)
# Routes where a browser shows no page of ours.
NO_PAGES = {
    **dict.fromkeys(["robots", "sitemap", "sitemap_pages", "sitemap_topics", "sitemap_month"], "for crawlers"),
    **dict.fromkeys(["latest_feed", "period_feed", "topic_feed", "search_feed"], "for feed readers"),
    **dict.fromkeys(["subscriptions", "api:openapi-json", "api:api-root"], "for programs"),
    **dict.fromkeys(["api:topics", "api:topic_papers", "api:papers", "api:paper", "api:search"], "for programs"),
    **dict.fromkeys(["embed_script", "ticket"], "for the scripts of forms"),
    **{f"{provider}_events": "for providers" for provider in VIEWS},
    "archive": "leads to the latest month",
    "embed": "an operator's",
    "export": "a file to keep",
}


@dataclass(frozen=True)
class Seen:
    """A page as a visitor met it. Where it was not just fetched, `html` is all that is left of it."""

    name: str
    route: str
    path: str
    answer: HttpResponse

    @property
    def is_fetched(self) -> bool:
        return self.name == self.path


def routes(resolver: URLResolver | None = None, space: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route but the admin's, by its name."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}", pattern
        elif not str(pattern.pattern).startswith("admin/"):
            yield from routes(pattern, f"{pattern.namespace}:" if pattern.namespace else space)


class Visit:
    """Walks through the site and keeps what it sees."""

    def __init__(self, inbox: Path) -> None:
        self.client, self.seen = Client(), list[Seen]()
        self.inbox = inbox
        self.now = timezone.now()
        self.topic, self.paper = Topic.objects.all()[0], Paper.objects.all()[0]
        self.readers = 0

    def everywhere(self) -> list[Seen]:
        for walk in (self.papers, self.signing_up, self.preferences, self.moving, self.leaving, self.past, self.errors):
            walk()
        self.catcher()
        return self.seen

    def get(self, route: str, *args: object, query: str = "") -> HttpResponse:
        path = reverse(route, args=args) + query
        return self._keep(path, path, self.client.get(path))

    def post(self, route: str, *args: object, **fields: object) -> HttpResponse:
        """Where it leads to another page, that one is kept."""
        path = reverse(route, args=args)
        answer = self.client.post(path, fields)
        if answer.status_code == 302:
            return self._keep(answer["Location"], answer["Location"], self.client.get(answer["Location"]))
        return self._keep(f"POST {path} {len(self.seen)}", path, answer)  # type: ignore[arg-type]

    def _keep(self, name: str, path: str, answer: object) -> HttpResponse:
        assert isinstance(answer, HttpResponse)
        self.seen.append(Seen(name, resolve(path.partition("?")[0]).view_name, path, answer))
        return answer

    def reader(self, status: str = "active", **fields: object) -> Subscriber:
        """A reader of one topic, whom nobody else meets."""
        self.readers += 1
        due = self.now + DAY if status == "active" else None
        email = f"reader{self.readers}@example.org"
        reader = Subscriber.objects.create(email=email, status=status, next_digest_at=due, **fields)
        reader.topics.add(self.topic)
        return reader

    def papers(self) -> None:
        self.paper.authors = ["Ada Lovelace"]
        self.paper.save()
        for days, upvotes in ((0, 66), (2, 187)):
            self.paper.readings.create(taken_at=self.now - days * DAY, upvotes=upvotes)
        for route in ("home", "topics", "search", "about", "api:openapi-view"):
            self.get(route)
        self.get("home", query="?page=2")
        self.get("topic", self.topic.slug)
        self.get("paper", self.paper.pk, self.paper.slug)
        self.get("author", "ada-lovelace")
        for period in ("2026-03-20", "2026-W12", "2026-03", "1999-01"):
            self.seen.append(self.page(f"/papers/{period}/"))
        for query in ("?q=graph", "?q=zebra"):
            self.get("search", query=query)
        self.seen.append(self.page("/nothing/", "404"))

    def page(self, path: str, route: str = "") -> Seen:
        """A page that is fetched; `route` where the address is of none."""
        answer = self.client.get(path)
        assert isinstance(answer, HttpResponse)
        return Seen(path, route or resolve(path.partition("?")[0]).view_name, path, answer)

    def signing_up(self) -> None:
        for route in ("subscribe", "subscribed", "send_preferences_link", "preferences_link_sent"):
            self.get(route)
        self.post("subscribe", email="nobody", topics=["astrology"], local_hour="25", cadence="weekdays")
        self.client.defaults["HTTP_SEC_FETCH_SITE"] = "cross-site"
        self.post("subscribe")
        del self.client.defaults["HTTP_SEC_FETCH_SITE"]
        self.post("send_preferences_link", email="nobody")
        self.post("subscribe", email="carol@gmial.com", local_hour="8", cadence="daily")
        for papers in ("", "none", f"{self.paper.arxiv_id} 2401.99999"):
            self.post("propose", email="nobody", papers=papers)
        self.get("example")
        Paper.objects.filter(pk=self.paper.pk).update(listed_on=self.now.date())
        self.get("example", query="?language=en")
        with override_settings(SIGNUP_SOFT_PER_HOUR=0):
            self.post("subscribe", email="carol@example.org", local_hour="8", cadence="daily")
        with override_settings(SIGNUP_INBOX=0):
            self.post("subscribe", email="carol@example.org", local_hour="8", cadence="daily")
        waiting = self.reader("pending")
        self.get("confirm", links.confirm_token(waiting))
        self.get("confirm", links.confirm_token(self.reader()))
        self.post("confirm", links.confirm_token(self.reader("unsubscribed")))
        self.get("confirm", "cut-off")
        with time_machine.travel(self.now - 20 * DAY, tick=False):
            late = [links.confirm_token(one) for one in (waiting, self.reader("unsubscribed"), self.reader())]
        for token in late:
            self.get("confirm", token)
        self.post("confirm", links.confirm_token(self.reader("pending")))

    def preferences(self) -> None:
        reader = self.reader()
        token = links.preferences_token(reader)
        for route in ("preferences", "erase", "resume"):
            self.get(route, token)
        for gone in ("pending", "unsubscribed"):
            self.get("preferences", links.preferences_token(self.reader(gone)))
        paused = links.preferences_token(self.reader("paused", paused_until=self.now.date() + DAY))
        for route in ("preferences", "resume"):
            self.get(route, paused)
        form = self.client.get(reverse("preferences", args=[token])).context["form"]  # type: ignore[attr-defined]
        typed = {name: value for name in form.fields if (value := form[name].value()) is not None}
        self.post("preferences", token, **typed | {"digest_size": 7})
        self.post("preferences", token, **typed | {"digest_size": 9})
        self.post("preferences", token, **typed | {"zone": "Mars", "topics": [], "cadence": "weekdays", "weekdays": []})
        self.post("undo", token, version="0")
        self.post("pause_until", token, until="yesterday", version="1")
        self.post("sample", token)
        self.post("sample", token)
        self.post("sample", paused)
        self.post("erase", links.preferences_token(self.reader()))

    def moving(self) -> None:
        reader = self.reader()
        token = links.preferences_token(reader)
        self.post("move", token, email="nobody")
        self.post("move", token, email="new@example.org")
        sides = {side: links.move_url(Move.objects.get(subscriber=reader), side).split("/")[-1] for side in moves.SIDES}
        for side in sides.values():
            self.get("agree", side)
        leaver = self.reader()
        moves.ask(leaver, "other@example.org", self.now)
        refused = links.move_url(leaver.move, "new").split("/")[-1]
        leave(leaver, self.now, page="leave")
        self.post("agree", refused)
        mover = self.reader()
        moves.ask(mover, "third@example.org", self.now)
        for side in moves.SIDES:
            self.post("agree", links.move_url(mover.move, side).split("/")[-1])

    def leaving(self) -> None:
        key = self.reader().leave_key
        for route in ("leave", "less_often", "pause", "one_click"):
            self.get(route, key)
        gone, paused, rare = self.reader("unsubscribed"), self.reader("paused"), self.reader(cadence="monthly")
        for reader in (gone, paused, rare):
            for route in ("leave", "less_often", "pause"):
                self.get(route, reader.leave_key)
        self.post("less_often", self.reader().leave_key, **{"from": "daily"})
        self.post("pause", self.reader().leave_key)
        self.post("leave", self.reader().leave_key)
        for instead in ("", "less_often", "pause", "dance"):
            token = self.farewell(self.reader())
            self.post("leave_undo", token, instead=instead)
        self.get("leave_undo", token)
        self.get("leave_undo", self.farewell(self.reader("pending")))
        self.post("why", token, reason="hate", words="x" * 400)
        self.post("why", token, reason="too_much")
        moved_on = self.farewell(self.reader())
        leaving.undo(links.read_undo(moved_on), timezone.now())
        self.get("leave_undo", moved_on)
        self.post("leave_undo", moved_on)
        self.get("take_back", links.back_token(self.reader(), 0))
        self.post("take_back", links.back_token(self.reader(), 0))

    def farewell(self, reader: Subscriber) -> str:
        """The undo of a leave that just happened."""
        at = timezone.now()
        leave(reader, at, page="leave")
        return links.undo_token(Farewell(reader, Subscriber.Status(reader.status), at))

    def past(self) -> None:
        new, reader = links.preferences_token(self.reader()), self.reader(confirmed_at=self.now)
        token = links.preferences_token(reader)
        Feedback.objects.create(subscriber=reader, paper=self.paper, kind="more")
        edition = Edition.objects.create(kind="weekly", date=self.now.date())
        digest = planned(edition, reader)
        Digest.objects.filter(pk=digest.pk).update(status="accepted", submitted_at=self.now)
        for place, paper in enumerate(Paper.objects.all()[:3], start=1):
            digest.papers.create(subscriber=reader, paper=paper, place=place, reason="Robotics", outside=place == 3)
        for route in ("learned", "reader_digests"):
            self.get(route, new)
            self.get(route, token)
        self.get("web_copy", digest.key)
        self.get("web_copy", planned(edition, self.reader()).key)
        for word in ("more", "less", "saved", "hooray"):
            self.get("say", digest.key, 1, word)
        self.post("say", digest.key, 1, "less")
        self.post("say", digest.key, 1, "less", word="hooray")
        self.get("editions")
        self.get("edition", "weekly", Period.day(edition.date))
        said = self.reader()
        Feedback.objects.create(subscriber=said, paper=self.paper, kind="more")
        self.post("learned", links.preferences_token(said), paper=self.paper.pk, word="less")
        self.post("learned", links.preferences_token(said), restore="long ago")

    def errors(self) -> None:
        """What Django shows when something is wrong, whatever the address."""
        request = RequestFactory().get("/")
        request.resolver_match = None
        pages: dict[str, Callable[[], HttpResponse]] = {
            "400": lambda: defaults.bad_request(request, SuspiciousOperation()),  # type: ignore[dict-item]
            "411": lambda: bodies.refused("411.html", 411),
            "413": lambda: bodies.refused("413.html", 413),
            "403": lambda: defaults.permission_denied(request, PermissionDenied()),  # type: ignore[dict-item]
            "403_csrf": lambda: csrf.csrf_failure(request, REASON_NO_CSRF_COOKIE),
            "404": lambda: defaults.page_not_found(request, Http404()),  # type: ignore[dict-item]
            "500": lambda: defaults.server_error(request),  # type: ignore[dict-item]
        }
        self.seen += [Seen(f"error {name}", name, "/error/", show()) for name, show in pages.items()]

    def catcher(self) -> None:
        """The demo's inbox: with nothing in it, and with one letter of each kind."""
        settings.INBOX_DIR = self.inbox
        (self.inbox / "new").mkdir(parents=True)
        empty = self.client.get(reverse("inbox"))
        assert isinstance(empty, HttpResponse)
        self.seen.append(Seen("an empty inbox", "inbox", reverse("inbox"), empty))
        reader = self.reader()
        Move.objects.create(subscriber=reader, email="moving@example.org")
        for kind in Letter.Kind.values:
            mail = letter_email(Letter(subscriber=reader, kind=kind, requested_at=self.now))
            (self.inbox / "new" / f"{kind}.host").write_bytes(mail.message().as_bytes())
            self.get("inbox_html", f"{kind}.host")
        self.get("inbox")
        for view in ("html", "text", "source"):
            self.get("inbox_message", "welcome.host", query=f"?view={view}")
