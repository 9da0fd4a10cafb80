"""What a provider tells: before our own commit, a hundred times, and in any order."""

import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from newsletter.models import Digest, Event
from tests.kill.harness import Scene, chance, one_database_is_enough, size, until
from tests.kill.providers import Postmark, Reply

pytestmark = pytest.mark.kill

RECORDS = ["Delivery", "Bounce", "SpamComplaint"]  # the later ones stand over those before
BECOMES = {"Delivery": "delivered", "Bounce": "bounced", "SpamComplaint": "complained"}
HEADERS = {
    "Host": "papers.example",
    "Content-Type": "application/json",
    "Authorization": f"Basic {b64encode(b'papers:only-for-tests').decode()}",
}
# So much bad news is meant: no brake of another chapter shall end the edition.
NO_BRAKES = {"STOP_AFTER_COMPLAINTS": "100000", "STOP_AFTER_BOUNCES": "100000", "DOMAIN_BOUNCES": "100000"}


def event(record: str, digest: UUID) -> bytes:
    """In Postmark's words."""
    at, who = "2026-03-20T09:00:00Z", f"reader-{digest.hex[:8]}@example.org"
    common = {"RecordType": record, "MessageID": str(digest), "Metadata": {"digest": str(digest)}}
    named = {"Recipient": who, "DeliveredAt": at} if record == "Delivery" else {"Email": who, "BouncedAt": at}
    kind = {"Bounce": {"ID": digest.int % 10**9, "Type": "HardBounce"}, "SpamComplaint": {"Type": "SpamComplaint"}}
    return json.dumps(common | named | kind.get(record, {})).encode()


def tell(site: str, events: list[bytes]) -> None:
    """Post them over one connection; each must be taken."""
    connection = HTTPConnection(str(urlsplit(site).hostname), urlsplit(site).port, timeout=30)
    for one in events:
        connection.request("POST", "/anymail/postmark/tracking/", one, HEADERS)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
    connection.close()


def test_k12_events_before_the_commit_a_hundred_times_in_any_order(http_scene: Scene, api: Postmark) -> None:
    one_database_is_enough(vendor="postgresql")
    dice, times = chance("K12"), size(10, 100)
    http_scene.machine.environment.update(NO_BRAKES)
    http_scene.readers(size(20, 100))
    with http_scene.machine.web() as site, http_scene.machine.service():

        def answer(api: Postmark, number: int, digest: UUID) -> Reply:
            tell(site, [event("Delivery", digest)] * 2)  # and only then is it known that the provider has it
            return Reply()

        api.answer = answer
        until(lambda: len(set(api.log.taken)) == http_scene.planned)
        told = {digest: dice.sample(RECORDS, dice.randint(1, 3)) for digest in api.log.taken}
        calls = [event(record, digest) for digest, records in told.items() for record in records * times]
        dice.shuffle(calls)
        with ThreadPoolExecutor(4) as callers:
            list(callers.map(lambda start: tell(site, calls[start::4]), range(4)))
        http_scene.harmed()
        until(lambda: not Event.objects.filter(applied_at=None).exists())
        http_scene.ends(f"K12 {len(calls)} events, each × {times}, permuted", len(calls))
    worst = {uid: max([*records, "Delivery"], key=RECORDS.index) for uid, records in told.items()}
    found = dict(Digest.objects.values_list("uid", "status"))
    assert found == {uid: BECOMES[record] for uid, record in worst.items()}
