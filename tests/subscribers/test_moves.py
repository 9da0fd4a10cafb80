"""Another address: both have to agree, and nobody else is bothered."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from subscribers import links, moves
from subscribers.emails import letter_email
from subscribers.gate import why_not
from subscribers.leaving import leave, pause
from subscribers.models import Letter, Move, Subscriber, Suppression
from tests.conftest import NOW, carry_out_requests

NEW = "alice@new.example.org"
DAY = timedelta(days=1)


def fresh(subscriber: Subscriber) -> Subscriber:
    return Subscriber.objects.get(pk=subscriber.pk)


def ask(subscriber: Subscriber, email: str) -> None:
    """The reader names an address, and the task looks whether it may be asked."""
    if move := moves.ask(subscriber, email, NOW):
        moves.ask_new(email, move.uid.hex, NOW)


def kinds() -> list[str]:
    return list(Letter.objects.order_by("pk").values_list("kind", flat=True))


def agree_paths(subscriber: Subscriber) -> dict[str, str]:
    move = Move.objects.get(subscriber=subscriber)
    return {side: links.move_url(move, side).removeprefix("https://papers.example") for side in moves.SIDES}


@pytest.mark.parametrize("order", [["old", "new"], ["new", "old"]])
def test_the_mail_moves_once_both_have_agreed(client: Client, alice: Subscriber, order: list[str]) -> None:
    path = reverse("move", args=[links.preferences_token(alice)])
    assert "Check both inboxes" in client.post(path, {"email": NEW}).content.decode()
    paths = agree_paths(alice)
    assert "One more press" in client.post(paths[order[0]]).content.decode()
    assert fresh(alice).email == "alice@example.org"
    assert "It is done" in client.post(paths[order[1]]).content.decode()
    assert fresh(alice).email == NEW
    assert client.post(paths[order[1]]).status_code == 404


def test_each_address_gets_one_letter_and_the_new_one_no_word_of_the_old(alice: Subscriber) -> None:
    ask(alice, NEW)
    letters = {letter.kind: letter_email(letter) for letter in Letter.objects.all()}
    assert {kind: mail.to for kind, mail in letters.items()} == {"move_from": ["alice@example.org"], "move_to": [NEW]}
    assert "alice" not in letters["move_to"].message().as_string().replace(NEW, "")
    assert NEW not in letters["move_from"].message().as_string()


def test_one_address_alone_moves_nothing(alice: Subscriber) -> None:
    ask(alice, NEW)
    assert not any(moves.agree(Move.objects.get(), "new", NOW) for _ in range(3))
    assert fresh(alice).email == "alice@example.org"


def test_links_of_the_old_address_change_nothing_any_more_but_still_leave(client: Client, alice: Subscriber) -> None:
    old_link, key = links.preferences_token(alice), alice.leave_key
    ask(alice, NEW)
    for side in moves.SIDES:
        moves.agree(Move.objects.get(), side, NOW)
    assert client.get(reverse("preferences", args=[old_link])).status_code == 404
    assert client.post(reverse("one_click", args=[key]), {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert fresh(alice).status == "unsubscribed"


def test_the_page_says_the_same_of_every_address_and_mails_only_who_may_be(
    client: Client, alice: Subscriber, everybody: dict[str, Subscriber]
) -> None:
    Suppression.objects.add("banned@example.org", Suppression.Reason.COMPLAINED)
    path = reverse("move", args=[links.preferences_token(alice)])
    named = ["banned@example.org", *(str(person.email) for person in everybody.values() if person != alice), NEW]
    pages = set()
    for email in named:
        pages.add(client.post(path, {"email": email}).content)
        carry_out_requests()
        Move.objects.update(asked_at=NOW - 2 * DAY)
        Letter.objects.update(requested_at=NOW - 2 * DAY, status="sent")
    assert len(pages) == 1
    assert kinds().count("move_to") == 1
    assert kinds().count("move_from") == len(named)


@pytest.mark.parametrize("email", ["alice@example.org", "ALICE@example.org", "nobody", "a@x.org, b@x.org", ""])
def test_what_is_no_new_address_is_said(client: Client, alice: Subscriber, email: str) -> None:
    assert client.post(reverse("move", args=[links.preferences_token(alice)]), {"email": email}).status_code == 422
    assert kinds() == []


def test_a_slip_is_asked_about_before_anybody_is_mailed(client: Client, alice: Subscriber) -> None:
    path = reverse("move", args=[links.preferences_token(alice)])
    asked = client.post(path, {"email": "alice@gmial.com"})
    assert asked.status_code == 422
    assert "Did you mean alice@gmail.com?" in asked.content.decode()
    assert not Move.objects.exists()
    assert 'name="asked" value="alice@gmial.com"' in asked.content.decode()
    assert client.post(path, {"email": "alice@gmial.com", "asked": "alice@gmial.com"}).status_code == 200


def test_nobody_moves_to_an_address_that_is_thrown_away_where_none_may_join_with_one(
    client: Client, alice: Subscriber, settings: Settings
) -> None:
    settings.DISPOSABLE_ADDRESSES = "refuse"
    path = reverse("move", args=[links.preferences_token(alice)])
    assert client.post(path, {"email": "a@mailinator.com", "asked": "a@mailinator.com"}).status_code == 422


def test_a_reader_names_one_address_a_day(client: Client, alice: Subscriber) -> None:
    path = reverse("move", args=[links.preferences_token(alice)])
    answers = [client.post(path, {"email": f"{name}@example.org"}).status_code for name in "abc"]
    assert answers == [200, 422, 422]
    carry_out_requests()
    assert kinds() == ["move_from", "move_to"]


def test_an_address_is_named_to_once_a_day_by_however_many(alice: Subscriber) -> None:
    others = [Subscriber.objects.create(email=f"m{n}@example.org", status="active") for n in range(5)]
    for reader in others:
        ask(reader, "victim@example.org")
    assert kinds().count("move_to") == 1


def test_the_gate_asks_again_right_before_the_letter(alice: Subscriber) -> None:
    ask(alice, NEW)
    letter = Letter.objects.get(kind="move_to")
    assert why_not(letter) is None
    Suppression.objects.add(NEW, Suppression.Reason.COMPLAINED)
    assert why_not(letter) == "suppressed: marked as spam"
    Move.objects.all().delete()
    assert why_not(letter) == "the wish for another address is gone"


@pytest.mark.parametrize("obstacle", ["suppressed", "taken", "left"])
def test_what_came_in_between_stops_the_move(client: Client, alice: Subscriber, obstacle: str) -> None:
    ask(alice, NEW)
    paths = agree_paths(alice)
    client.post(paths["old"])
    if obstacle == "suppressed":
        Suppression.objects.add(NEW, Suppression.Reason.COMPLAINED)
    elif obstacle == "taken":
        Subscriber.objects.create(email=NEW)
    else:
        leave(alice, NOW, page="leave")
    answer = client.post(paths["new"])
    assert (answer.status_code, "This cannot be done" in answer.content.decode()) == (409, True)
    assert fresh(alice).email == "alice@example.org"


def test_a_paused_reader_moves_and_stays_paused(alice: Subscriber) -> None:
    pause(alice, NOW)
    ask(fresh(alice), NEW)
    assert [moves.agree(Move.objects.get(), side, NOW) for side in moves.SIDES] == [False, True]
    assert (fresh(alice).status, fresh(alice).email) == ("paused", NEW)


def test_the_buttons_work_for_three_days(
    client: Client, alice: Subscriber, fixed_clock: time_machine.Traveller
) -> None:
    ask(alice, NEW)
    paths = agree_paths(alice)
    fixed_clock.shift(3 * DAY + timedelta(minutes=1))
    assert {client.post(path).status_code for path in paths.values()} == {410}
    assert fresh(alice).email == "alice@example.org"


def moved(client: Client, subscriber: Subscriber) -> str:
    """The reader moves; returns where the page's undo leads."""
    ask(subscriber, NEW)
    paths = agree_paths(subscriber)
    client.post(paths["old"])
    return reverse("take_back", args=[client.post(paths["new"]).context["back_token"]])


def test_a_move_can_be_undone_for_an_hour(client: Client, alice: Subscriber) -> None:
    old_link = reverse("preferences", args=[links.preferences_token(alice)])
    undo = moved(client, alice)
    assert client.get(old_link).status_code == 404
    assert client.get(undo).status_code == 200
    assert fresh(alice).email == NEW
    assert client.post(undo).status_code == 200
    assert (fresh(alice).email, client.get(old_link).status_code) == ("alice@example.org", 200)
    assert client.post(undo).status_code in {404, 409}


def test_a_move_is_not_undone_later(client: Client, alice: Subscriber, fixed_clock: time_machine.Traveller) -> None:
    undo = moved(client, alice)
    fixed_clock.shift(timedelta(minutes=61))
    assert client.post(undo).status_code in {404, 409, 410}
    assert fresh(alice).email == NEW


@pytest.mark.parametrize("taken", ["suppressed", "another's"])
def test_no_undo_brings_an_address_back_that_cannot_be_theirs(client: Client, alice: Subscriber, taken: str) -> None:
    undo = moved(client, alice)
    if taken == "suppressed":
        Suppression.objects.add("alice@example.org", Suppression.Reason.COMPLAINED)
    else:
        Subscriber.objects.create(email="alice@example.org")
    assert client.post(undo).status_code == 409
    assert fresh(alice).email == NEW
