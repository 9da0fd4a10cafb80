"""The made-up day of the manual's pictures, and the browser that takes them: `python -m tests.pictured FOLDER NAME…`.

It is the day of the seed page, a few minutes after 23:00 UTC: the digests of Friday are nearly out, and somewhere it
is Saturday already. What went before has really happened, by the service's own code, on a clock that is put on by hand.
"""

import random
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import django
import time_machine

django.setup()

from django.conf import settings  # noqa: E402 - the settings read the environment
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402
from playwright.sync_api import Browser, BrowserContext  # noqa: E402
from pytest_django.live_server_helper import LiveServer  # noqa: E402

from newsletter import census, editions, pulses  # noqa: E402
from newsletter.delivery.sending import deliver_batch  # noqa: E402
from newsletter.demo import cast  # noqa: E402
from newsletter.models import Edition  # noqa: E402
from papers import harvest, trends  # noqa: E402
from papers.models import BackFill, Paper, PaperTopic, Source, Topic  # noqa: E402
from subscribers.models import Subscriber  # noqa: E402
from subscribers.schedule import Cadence  # noqa: E402
from tests.browser import chromium  # noqa: E402
from tests.pictures import PICTURES, ROOT, Screen  # noqa: E402
from tests.stubs import Relay, smtp_relay  # noqa: E402

FRIDAY = date(2026, 3, 20)
FIRST = datetime(2026, 3, 19, 17, tzinfo=UTC)  # Friday's first hour, which is New Zealand's
NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)  # when the demo's own readers are invited, for all of whom it is Friday
NOW = datetime(2026, 3, 20, 23, 3, tzinfo=UTC)
STEP, MINUTE = timedelta(minutes=30), timedelta(minutes=1)
LAST_A_MINUTE = 6  # of the digests that are on their way when the picture is taken
READERS, DAYS = 480, 28
# As many readers as are named.
ZONES = [
    *["America/New_York"] * 12,
    *["America/Los_Angeles"] * 3,
    *["Europe/Berlin", "Europe/London", "Asia/Kolkata", "Asia/Shanghai"] * 4,
    *["America/Sao_Paulo", "Africa/Lagos", "Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland"] * 2,
]
UPVOTES = {1: (6, 31, 88), 3: (4, 17, 41), 4: (9, 12, 23)}  # by place on the seed page


def seeds() -> None:
    """As `make demo` begins, with readings of some papers."""
    call_command("migrate", verbosity=0)
    call_command("load_topics", verbosity=0)
    call_command("import_papers", str(ROOT / "seeds" / "trending.txt"), year=FRIDAY.year, verbosity=0)
    for place, counts in UPVOTES.items():
        paper = Paper.objects.get(listings__place=place)
        for hours, upvotes in zip((15, 8, 1), counts, strict=True):
            paper.readings.create(taken_at=NOW - timedelta(hours=hours), upvotes=upvotes)
    trends.rank()
    trends.normalise()


def readers(clock: time_machine.Traveller) -> None:
    """Half of them were there, the others came in the last weeks and are counted on the way. Their hours come on Friday
    or in the week after."""
    dice, topics = random.Random(FRIDAY.toordinal()), list(Topic.objects.order_by("pk"))
    for ago in (3 * DAYS, *range(DAYS, 0, -1)):
        at = FIRST - timedelta(days=ago)
        clock.move_to(at)
        there = READERS // 2 + READERS * max(0, DAYS - ago) // (2 * DAYS)
        for number in range(Subscriber.objects.count(), there):
            add(number, dice, topics)
        census.take(at)


def add(number: int, dice: random.Random, topics: list[Topic]) -> None:
    reader = Subscriber(
        email=f"reader{number}@example.org",
        status=dice.choices(["active", "paused"], [15, 1])[0],
        cadence=dice.choices([Cadence.DAILY, Cadence.WEEKLY], [6, 1])[0],
        zone=dice.choice(ZONES),
        local_hour=dice.choice([6, 7, 7, 8, 8, 8, 9, 12, 17, 18, 19, 19]),
        weekday=dice.randrange(1, 8),
    )
    reader.confirmed_at = reader.status_changed_at = datetime.now(UTC)
    if reader.status == Subscriber.Status.ACTIVE:
        reader.next_digest_at = reader.schedule.first_on(FRIDAY)
    reader.save()
    reader.topics.set(dice.sample(topics, dice.randrange(1, 4)))


def friday(clock: time_machine.Traveller) -> None:
    """From the first hour to the last, as workers do it, who are slow in the end."""
    cast.invite(NOON)
    at = FIRST
    while at < NOW - 3 * MINUTE:
        tick(clock, at)
        at += STEP
    while at < NOW:
        tick(clock, at, LAST_A_MINUTE)
        at += MINUTE
    clock.move_to(NOW)
    census.take(NOW - 3 * MINUTE)
    for task in pulses.parts():
        pulses.beat(task, NOW)


def tick(clock: time_machine.Traveller, at: datetime, most: int = READERS) -> None:
    clock.move_to(at)
    editions.plan(at)
    deliver_batch(most)
    census.follow(at)


def beside() -> None:
    """What an operator looks at in the manual besides."""
    source, _ = Source.objects.get_or_create(name="hugging-face", defaults={"kind": Source.Kind.HUGGING_FACE})
    since, until = FRIDAY - timedelta(days=59), FRIDAY - timedelta(days=1)
    waiting = harvest.asks_of(source, NOW, since, until)[37:]
    counts = {"asked": 37, "found": 1211, "new": 980, "updated": 212, "skipped": 3}
    BackFill.objects.create(source=source, since=since, until=until, waiting=waiting, not_before=NOW, **counts)
    Paper.objects.create(
        title="A Deep Neural Network for SSVEP-based Brain-Computer Interface",
        authors=["Ada Example", "Grace Example"],
        doi="10.5555/12345678",
        published_at=NOW - timedelta(days=49),
        listed_on=FRIDAY,
    )
    topic = Topic.objects.get(slug="graph-neural-networks")
    PaperTopic.objects.filter(topic=topic).update(source=PaperTopic.Source.EDITOR)
    missed = Paper.objects.get(title__startswith="Scalable Bayesian Uncertainty")
    PaperTopic.objects.create(paper=missed, topic=topic, strength=0.6, source=PaperTopic.Source.EDITOR)


def addresses() -> dict[str, str]:
    """Of the pages, by the name of their picture."""
    edition = Edition.objects.get(kind="daily", date=FRIDAY)
    topic = Topic.objects.get(slug="graph-neural-networks")
    one, other = Paper.objects.filter(title__contains="SSVEP").order_by("pk")
    today, home = reverse("admin:index"), reverse("home")
    return {
        "site": home,
        "site-phone": home,
        "operating-today": today,
        "operating-today-phone": today,
        "operating-edition": reverse("desk_edition", args=[edition.pk]),
        "operating-topic": reverse("desk_topic", args=[topic.pk]),
        "operating-merge": f"{reverse('admin:papers_paper_merge', args=[other.pk])}?with={one.pk}",
        "operating-back-fill": reverse("admin:papers_backfill_change", args=[BackFill.objects.get().pk]),
    }


def session() -> str:
    """The key of the admin's."""
    cast.appoint_admin()
    client = Client()
    client.force_login(User.objects.get(username=cast.ADMIN), backend=settings.AUTHENTICATION_BACKENDS[-1])
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


def html_to(email: str, relay: Relay) -> str:
    """The digest that somebody got."""
    mail = next(mail for mail in relay.accepted if email in str(mail["To"]))
    part = mail.get_body(("html",))
    assert part
    return str(part.get_content())


def look_with(browser: Browser, screen: Screen) -> BrowserContext:
    return browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        device_scale_factor=screen.scale,
        color_scheme=screen.scheme,  # type: ignore[arg-type]
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )


def take(folder: Path, names: list[str], relay: Relay) -> None:
    pages, key, digest = addresses(), session(), html_to("mei@", relay)
    server = LiveServer("127.0.0.1:0")
    with chromium() as browser:
        for name in names:
            context = look_with(browser, PICTURES[name])
            page = context.new_page()
            if name == "digest":
                page.set_content(digest)
            else:
                context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": server.url}])
                page.goto(server.url + pages[name], wait_until="networkidle")
            page.screenshot(path=folder / f"{name}.png", animations="disabled", caret="hide")
            context.close()
    server.stop()


def main(folder: str, *names: str) -> None:
    with smtp_relay(Relay()) as relay, time_machine.travel(FIRST, tick=False) as clock:
        settings.EMAIL_PORT = relay.port
        seeds()
        readers(clock)
        friday(clock)
        beside()
        take(Path(folder), list(names), relay)


if __name__ == "__main__":
    main(*sys.argv[1:])
