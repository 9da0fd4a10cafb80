"""People who leave while their mail is on its way, rows that nobody can send, and a button that is pressed twice."""

import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.models import Digest, Edition
from papers.models import Paper, PaperTopic
from subscribers import leaving, links
from subscribers.models import Subscriber
from tests.kill.harness import Scene, chance, one_database_is_enough, size, until
from tests.kill.providers import Relay

pytestmark = pytest.mark.kill

PRESSES = 8


def test_k13_leaving_erasing_and_pausing_race_a_send(scene: Scene, relay: Relay) -> None:
    dice = chance("K13")
    relay.delay = 0.03
    readers = scene.readers(size(200, 2000))
    ways = [
        lambda reader, at: leaving.leave(reader, at, "one-click", goodbye=False),
        leaving.erase,
        leaving.pause,
    ]
    gone: dict[int, datetime] = {}
    with scene.machine.service():
        scene.until_taken(1)
        for _ in range(len(readers) // 2):
            next_ones = Subscriber.objects.filter(pk__in=Digest.objects.filter(status="claimed").values("subscriber"))
            reader = dice.choice(list(next_ones.filter(status="active")) or readers)
            if dice.choice(ways)(reader, timezone.now()):
                gone.setdefault(reader.pk, timezone.now())
        scene.harmed()
        verdict = scene.ends("K13 leaving, erasing, pausing mid-send", len(gone), 180)
    assert verdict.zero > 0
    submitted = Digest.objects.filter(subscriber__in=gone, submitted_at__isnull=False)
    late = [one for one in submitted if one.submitted_at and one.submitted_at > gone[one.subscriber_id]]
    assert not late, "mailed after they had left"


POISON = [
    {"email": "two\r\nBcc: eve@example.org"},
    {"email": "no at sign"},
    {"email": "brackets<eve@example.org>@example.org"},
    {"email": "\u202e@exa mple.org"},
    {"zone": "Mars/Olympus_Mons"},
    {"language": "xx"},
]


def test_k14_rows_that_nobody_can_send(scene: Scene) -> None:
    readers = scene.readers(size(100, 2000))
    for reader, fields in zip(readers[::5], POISON, strict=False):
        Subscriber.objects.filter(pk=reader.pk).update(**fields)
    topic = readers[0].topics.get()
    for number, title in enumerate(["", "\x07\x1b", "a" * 500, "$" * 500, "\u202e=?utf-8?q?=0D=0A?="]):
        paper = Paper.objects.create(
            title=title,
            title_key=f"poison-{number}",
            abstract=title * 200,
            authors=[title],
            listed_on=timezone.now().date(),
            hot=1000 + number,
            notice=9,
        )
        PaperTopic.objects.create(paper=paper, topic=topic, strength=1, source=PaperTopic.Source.TEXT)
    with scene.machine.service():
        scene.harmed()
        verdict = scene.ends("K14 poison readers, poison papers", len(POISON), 180)
    assert verdict.once >= scene.planned - len(POISON)


def test_k15_send_is_pressed_by_many_at_once(scene: Scene) -> None:
    one_database_is_enough(vendor="postgresql")
    readers = scene.readers(size(3, 50))
    Subscriber.objects.update(next_digest_at=timezone.now() + timedelta(days=1))
    with scene.machine.web() as site, scene.machine.service(), ThreadPoolExecutor(PRESSES) as hands:
        for reader in readers:
            path = reverse("sample", args=[links.preferences_token(reader)])
            together = threading.Barrier(PRESSES)
            answers = list(hands.map(lambda _: press(site, path, together), range(PRESSES)))  # noqa: B023
            assert Counter(answers) == {200: PRESSES}
        scene.harmed()
        verdict = scene.ends(f"K15 “send” pressed {PRESSES} times at once", PRESSES * len(readers))
    assert verdict.once == scene.planned


def test_k15_an_approval_is_pressed_by_many_at_once(scene: Scene) -> None:
    one_database_is_enough(vendor="postgresql")
    scene.machine.environment["NEEDS_APPROVAL"] = "daily"
    scene.readers(size(60, 2000))
    operator = User.objects.create_superuser("olga", "olga@example.org")
    client, token, together = Client(), "t" * 32, threading.Barrier(PRESSES)
    client.force_login(operator)
    signed_in = {"Cookie": f"sessionid={client.cookies['sessionid'].value}; csrftoken={token}"}
    body = urlencode({"turn": "approve", "csrfmiddlewaretoken": token})
    with scene.machine.web() as site, scene.machine.service(), ThreadPoolExecutor(PRESSES) as hands:
        until(lambda: Digest.objects.count() == scene.planned)
        assert not scene.log.taken
        path = reverse("desk_turn", args=[Edition.objects.get().pk])
        answers = list(hands.map(lambda _: press(site, path, together, body, signed_in), range(PRESSES)))
        assert Counter(answers) == {302: PRESSES}
        scene.harmed()
        verdict = scene.ends(f"K15 an approval pressed {PRESSES} times at once", PRESSES, 180)
    assert verdict.once == scene.planned
    assert LogEntry.objects.filter(user=operator).count() == 1  # one of them has approved it


def press(
    site: str, path: str, together: threading.Barrier, body: str = "", headers: Mapping[str, str] | None = None
) -> int:
    form = {"Host": "papers.example", "Content-Type": "application/x-www-form-urlencoded"}
    with closing(HTTPConnection(str(urlsplit(site).hostname), urlsplit(site).port, timeout=30)) as connection:
        together.wait(30)
        connection.request("POST", path, body, {**form, **(headers or {})})
        with connection.getresponse() as answer:
            answer.read()
            return answer.status
