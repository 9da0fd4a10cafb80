"""Changes of preferences: none is lost to another tab, each can be taken back."""

from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from papers.models import Topic
from subscribers import links
from subscribers.leaving import less_often, pause
from subscribers.models import Interest, Subscriber
from subscribers.preferences import change
from subscribers.schedule import Cadence
from subscribers.undoing import last_change, take_back
from subscribers.wishes import Tastes, Wishes
from tests.conftest import NOW

MINUTE = timedelta(minutes=1)
TASTES = Tastes(follow_authors=("Ada Lovelace",), mute_phrases=("blockchain",), rising=False)


def fresh(subscriber: Subscriber) -> Subscriber:
    return Subscriber.objects.get(pk=subscriber.pk)


def page_of(subscriber: Subscriber) -> str:
    return reverse("preferences", args=[links.preferences_token(subscriber)])


def undo_of(subscriber: Subscriber) -> str:
    return reverse("undo", args=[links.preferences_token(subscriber)])


def test_a_change_raises_the_version_and_an_older_reading_changes_nothing(alice: Subscriber, graphs: Topic) -> None:
    assert [change(alice, Wishes((graphs,)), NOW), change(alice, Wishes(local_hour=20), NOW)] == [True, False]
    now = fresh(alice)
    assert (now.version, now.local_hour, list(now.topics.all())) == (1, 8, [graphs])


def test_an_undo_brings_everything_back(alice: Subscriber, graphs: Topic, vision: Topic) -> None:
    alice.topics.set([graphs])
    alice.muted_topics.set([vision])
    TASTES.write(alice)
    alice.next_digest_at = NOW + 90 * MINUTE
    alice.save()
    before = Wishes.of(alice), Tastes.of(alice), alice.next_digest_at
    change(alice, Wishes((vision,), Cadence.MONTHLY, 3, digest_size=20, language="fr"), NOW, tastes=Tastes())
    assert take_back(fresh(alice), 1, NOW + 59 * MINUTE)
    now = fresh(alice)
    assert (Wishes.of(now), Tastes.of(now), now.next_digest_at) == before


def test_an_undo_can_be_undone(alice: Subscriber, graphs: Topic) -> None:
    change(alice, Wishes((graphs,), local_hour=20, zone="Asia/Tokyo"), NOW)
    wanted = fresh(alice).next_digest_at
    assert [take_back(fresh(alice), version, NOW) for version in (1, 2)] == [True, True]
    now = fresh(alice)
    assert (now.local_hour, now.zone, now.next_digest_at, list(now.topics.all())) == (
        20,
        "Asia/Tokyo",
        wanted,
        [graphs],
    )


def test_an_undo_is_for_the_last_change_and_for_an_hour(alice: Subscriber) -> None:
    change(alice, Wishes(local_hour=9), NOW)
    assert last_change(fresh(alice), NOW + 61 * MINUTE) is None
    change(fresh(alice), Wishes(local_hour=10), NOW)
    assert not take_back(fresh(alice), 1, NOW)
    assert fresh(alice).local_hour == 10


def test_an_undo_of_a_pause_brings_back_what_it_held_up(alice: Subscriber) -> None:
    pause(alice, NOW, until=date(2026, 4, 1))
    take_back(fresh(alice), 1, NOW + 30 * MINUTE)
    now = fresh(alice)
    assert (now.status, now.next_digest_at, now.paused_until) == ("active", NOW, None)


def test_an_undo_revives_nobody(alice: Subscriber) -> None:
    change(alice, Wishes(local_hour=9), NOW)
    Subscriber.objects.update(status="complained", next_digest_at=None)
    assert not take_back(fresh(alice), 1, NOW)
    assert fresh(alice).status == "complained"


def test_a_topic_that_is_gone_does_not_stand_in_the_way(alice: Subscriber, graphs: Topic) -> None:
    alice.topics.set([graphs])
    change(alice, Wishes(), NOW)
    graphs.delete()
    assert take_back(fresh(alice), 1, NOW)


def test_former_states_do_not_pile_up(alice: Subscriber) -> None:
    for hour in range(6):
        change(fresh(alice), Wishes(local_hour=hour), NOW + 30 * MINUTE * hour)
    assert alice.formers.count() == 3


def test_the_page_offers_the_undo_and_does_it(client: Client, alice: Subscriber, choices: dict[str, object]) -> None:
    page = client.post(page_of(alice), choices | {"local_hour": "20"}, follow=True).content.decode()
    assert "Undo the last change" in page
    client.post(undo_of(alice), {"version": "1"})
    assert fresh(alice).local_hour == 8


def test_an_undo_of_a_page_left_open_changes_nothing(
    client: Client, alice: Subscriber, choices: dict[str, object]
) -> None:
    for version in ("0", "1"):
        client.post(page_of(alice), choices | {"local_hour": "20", "version": version})
    assert client.post(undo_of(alice), {"version": "1"}).status_code == 409
    assert fresh(alice).version == 2


def test_a_page_left_open_saves_nothing_shows_both_and_keeps_what_was_typed(
    client: Client, alice: Subscriber, choices: dict[str, object]
) -> None:
    client.post(page_of(alice), choices | {"local_hour": "20"})
    stale = client.post(page_of(alice), choices | {"local_hour": "6", "follow_authors": "Emmy Noether"})
    page = stale.content.decode()
    assert stale.status_code == 409
    assert "At: stored is 20:00; you chose 6:00" in page
    assert "Authors to follow: stored is nothing; you chose Emmy Noether" in page
    assert '<option value="6" selected>' in page
    assert 'name="version" value="1"' in page
    assert fresh(alice).local_hour == 20


@pytest.mark.parametrize("version", ["", "7", "x", "9" * 5000, "-1", "0\x00"])
def test_a_version_that_is_none_saves_nothing(
    client: Client, alice: Subscriber, choices: dict[str, object], version: str
) -> None:
    assert client.post(page_of(alice), choices | {"local_hour": "6", "version": version}).status_code in {409, 422}
    assert fresh(alice).local_hour == 8


def test_less_often_can_be_taken_back_on_the_page_after_it(client: Client, alice: Subscriber) -> None:
    client.post(reverse("less_often", args=[alice.leave_key]), {"from": "daily"})
    back = reverse("take_back", args=[links.back_token(alice, 1)])
    assert "As it was" in client.post(back).content.decode()
    assert fresh(alice).cadence == "daily"
    assert client.post(back).status_code == 409


def test_that_button_ends_with_the_hour(client: Client, alice: Subscriber, fixed_clock: time_machine.Traveller) -> None:
    less_often(alice, NOW)
    back = reverse("take_back", args=[links.back_token(alice, 1)])
    fixed_clock.shift(61 * MINUTE)
    assert client.post(back).status_code == 410
    assert fresh(alice).cadence == "weekly"


def test_nothing_is_both_followed_and_muted_in_the_database(alice: Subscriber) -> None:
    Tastes(follow_authors=("Ada Lovelace",), mute_authors=("ADA LOVELACE",)).write(alice)
    assert Interest.objects.get().sense == "follow"


def test_an_undo_that_comes_too_late_says_so(client: Client, alice: Subscriber) -> None:
    change(alice, Wishes(local_hour=9), NOW)
    alice.formers.update(at=NOW - 61 * MINUTE)
    path = reverse("undo", args=[links.preferences_token(alice)])
    answer = client.post(path, {"version": fresh(alice).version}, secure=True)
    assert answer.status_code == 409
    assert "more than an hour ago" in answer.content.decode()
    assert fresh(alice).local_hour == 9
