"""The page of a reader, the search for one, and what an operator may do."""

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from newsletter.models import Digest, DigestPaper, Edition, Event, Feedback
from papers.models import Paper
from subscribers.addresses import address_hash
from subscribers.letters import owe
from subscribers.models import Consent, Interest, Letter, Subscriber, Suppression
from tests.conftest import NOW
from tests.newsletter.conftest import planned
from tests.newsletter.test_cockpit import sign_in

FIND = reverse("desk_find")


def of(reader: Subscriber) -> str:
    return reverse("desk_reader", args=[reader.pk])


def act(client: Client, reader: Subscriber, deed: str, **more: str) -> int:
    form = {"deed": deed, "why": "asked us by phone"} | more
    return client.post(reverse("desk_act", args=[reader.pk]), form, secure=True).status_code


def state(reader: Subscriber) -> str:
    return Subscriber.objects.get(pk=reader.pk).status


@pytest.fixture
def sent(alice: Subscriber, edition: Edition, papers: list[Paper]) -> Digest:
    digest = planned(edition, alice)
    Digest.objects.filter(pk=digest.pk).update(status="delivered", submitted_at=NOW, subject="One paper")
    DigestPaper.objects.create(digest=digest, subscriber=alice, paper=papers[0], place=1, reason="you follow graphs")
    return digest


def test_the_whole_history_stands_on_one_page(alice: Subscriber, sent: Digest, papers: list[Paper]) -> None:
    letter = owe(alice, Letter.Kind.PREFERENCES, NOW)
    for key, mail in (("a", {"digest_uid": sent.uid}), ("b", {"letter_uid": letter.uid})):
        Event.objects.create(
            provider="Postmark", key=key, type="delivered", detail=f"by {key}", happened_at=NOW, **mail
        )
    Event.objects.create(provider="Postmark", key="c", type="bounced", detail="another's", happened_at=NOW)
    Feedback.objects.say(alice, papers[1], "more", NOW)
    Interest.objects.create(subscriber=alice, sense="follow", kind="phrase", value="protein folding")
    Consent.objects.create(subscriber=alice, action="confirmed", words="Yes, send me the digest", page="confirm")
    page = sign_in("Operator").get(of(alice), secure=True).content.decode()
    for words in (
        "alice@example.org",
        "“One paper”",
        papers[0].title,
        "you follow graphs",
        "by a",
        "by b",
        papers[1].title,
        "follows protein folding",
        "Yes, send me the digest",
        "Preferences link",
    ):
        assert words in page
    assert "another&#x27;s" not in page


def test_nothing_of_it_can_be_edited(alice: Subscriber, sent: Digest) -> None:
    page = sign_in("Operator").get(of(alice), secure=True).content.decode()
    own = page[page.index('class="cockpit-page"') :]
    theirs = set(re.findall(r' name="([^"]*)"', own)) - {"s"}  # the theme's own search
    assert theirs == {"csrfmiddlewaretoken", "address", "why", "typed", "deed"}


def test_the_page_is_flat(
    alice: Subscriber, edition: Edition, papers: list[Paper], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = sign_in("Operator")
    for number in range(30):
        other = Edition.objects.create(kind="weekly", date=NOW.date() - timedelta(days=number))
        digest = planned(other, alice)
        if number < len(papers):
            DigestPaper.objects.create(digest=digest, subscriber=alice, paper=papers[number], place=1, reason="x")
    with django_assert_max_num_queries(21) as queries:
        page = client.get(of(alice), secure=True)
    assert len(page.context["digests"]) == 20
    assert not any("COUNT(" in query["sql"] for query in queries)


def test_a_reader_is_found_by_whole_address_however_it_is_written(alice: Subscriber) -> None:
    found = sign_in("Operator").post(FIND, {"sought": " Alice@Example.ORG "}, secure=True)
    assert found.headers["Location"] == of(alice)


def test_a_reader_is_found_by_what_stands_in_a_providers_log(alice: Subscriber, sent: Digest) -> None:
    client, letter = sign_in("Operator"), owe(alice, Letter.Kind.PREFERENCES, NOW)
    for sought in (str(alice.uid), sent.uid.hex, f"<{sent.uid}@papers.example>", str(letter.uid)):
        assert client.post(FIND, {"sought": sought}, secure=True).headers["Location"] == of(alice)


def test_a_reader_is_found_by_the_beginning_of_an_id_as_lists_show_it(alice: Subscriber, sent: Digest) -> None:
    client, letter = sign_in("Operator"), owe(alice, Letter.Kind.PREFERENCES, NOW)
    for uid in (sent.uid, letter.uid, alice.uid):
        for sought in (f"{str(uid)[:8]}…", str(uid)[:18], uid.hex[:13].upper()):
            assert client.post(FIND, {"sought": sought}, secure=True).headers["Location"] == of(alice)


def test_a_beginning_that_several_share_shows_them_all(alice: Subscriber, bob: Subscriber, edition: Edition) -> None:
    for number, reader in enumerate((alice, bob), start=1):
        digest = planned(edition, reader)
        Digest.objects.filter(pk=digest.pk).update(uid=uuid.UUID(f"00000012-0000-4000-8000-{number:012}"))
    page = sign_in("Operator").post(FIND, {"sought": "00000012"}, secure=True).content.decode()
    for reader in (alice, bob):
        assert f'<a href="{of(reader)}">Reader {reader.pk}</a>' in page
    assert "Digest 00000012-0000-4000-8000-000000000001, Daily" in page


def test_a_hash_finds_what_suppresses_it(db: None) -> None:
    Suppression.objects.add("gone@example.org", "complained")
    found = sign_in("Operator").post(FIND, {"sought": address_hash("gone@example.org")[:12].upper()}, secure=True)
    assert "marked as spam" in found.content.decode()


@pytest.mark.parametrize(
    "sought",
    ["nobody@example.org", "no address", "a\0@example.org", "ab" * 20, str(uuid.UUID(int=5)), "abcdef01…", "7", "%"],
)
def test_who_is_not_there_is_not_found_in_words(db: None, sought: str) -> None:
    page = sign_in("Operator").post(FIND, {"sought": sought}, secure=True)
    assert page.status_code == 422
    assert page.context["fault"]


def test_an_operator_pauses_and_resumes(alice: Subscriber) -> None:
    client = sign_in("Operator")
    act(client, alice, "pause")
    assert state(alice) == "paused"
    act(client, alice, "resume")
    assert state(alice) == "active"
    assert set(alice.consents.values_list("page", flat=True)) == {"operator"}


def test_an_operator_unsubscribes(alice: Subscriber) -> None:
    act(sign_in("Operator"), alice, "leave")
    assert state(alice) == "unsubscribed"
    assert alice.consents.get().page == "operator"


def test_a_confirmation_is_sent_again_within_the_limits(bob: Subscriber) -> None:
    client = sign_in("Operator")
    act(client, bob, "resend")
    assert bob.letters.get().kind == "confirmation"
    page = client.post(reverse("desk_act", args=[bob.pk]), {"deed": "resend", "why": "again"}, secure=True, follow=True)
    assert "one is on its way already" in page.content.decode()
    assert bob.letters.count() == LogEntry.objects.count() == 1


def test_erasing_asks_for_the_typed_address(alice: Subscriber) -> None:
    client = sign_in("Operator")
    assert act(client, alice, "erase") == 422
    assert act(client, alice, "erase", typed="bob@example.org") == 422
    assert state(alice) == "active"
    assert act(client, alice, "erase", typed="Alice@example.org") == 302
    assert state(alice) == "erased"


def test_the_erased_can_be_looked_at_and_are_left_alone(alice: Subscriber) -> None:
    client = sign_in("Operator")
    act(client, alice, "erase", typed="alice@example.org")
    assert "alice@" not in client.get(of(alice), secure=True).content.decode()
    assert act(client, alice, "erase", typed="") == 302
    assert LogEntry.objects.count() == 1


def test_each_deed_is_on_record_with_its_reason_and_without_an_address(alice: Subscriber) -> None:
    act(sign_in("Operator"), alice, "pause", why="Bob wrote for her")
    entry = LogEntry.objects.get()
    assert '"status": ["active", "paused"]' in entry.change_message
    assert "wrote for her" in entry.change_message
    assert "@" not in entry.object_repr + entry.change_message


def test_the_audit_log_says_what_was_done_and_why(alice: Subscriber) -> None:
    client = sign_in("Operator")
    act(client, alice, "pause")
    assert (
        "Pause: asked us by phone"
        in client.get(reverse("admin:admin_logentry_changelist"), secure=True).content.decode()
    )


def test_of_the_erased_the_record_keeps_no_former_values(alice: Subscriber) -> None:
    act(sign_in("Operator"), alice, "erase", typed="alice@example.org")
    assert "Europe/Berlin" not in LogEntry.objects.get().change_message


@pytest.mark.parametrize("form", [{"why": " "}, {"why": "x" * 301}, {"deed": "promote"}, {"deed": ""}])
def test_a_deed_without_a_reason_or_a_name_changes_nothing(alice: Subscriber, form: dict[str, str]) -> None:
    assert act(sign_in("Operator"), alice, **{"deed": "leave"} | form) == 422
    assert state(alice) == "active"


def test_a_deed_that_does_not_fit_the_state_changes_nothing(bob: Subscriber) -> None:
    act(sign_in("Operator"), bob, "resume")
    assert state(bob) == "pending"
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("role", "reads", "acts"),
    [("Owner", 200, 302), ("Operator", 200, 302), ("Auditor", 200, 403), ("Editor", 403, 403), ("", 403, 403)],
)
def test_each_role_may_do_its_own(role: str, reads: int, acts: int, alice: Subscriber) -> None:
    client = sign_in(role)
    assert client.get(of(alice), secure=True).status_code == reads
    assert client.get(FIND, secure=True).status_code == reads
    assert client.post(FIND, {"sought": alice.email}, secure=True).status_code == (302 if reads == 200 else 403)
    assert act(client, alice, "pause") == acts
    assert act(client, alice, "erase", typed=str(alice.email)) == acts
    assert (state(alice) == "erased") == (acts == 302)


def test_an_auditor_is_offered_nothing_to_do(alice: Subscriber) -> None:
    assert "What can be done" not in sign_in("Auditor").get(of(alice), secure=True).content.decode()


@pytest.mark.parametrize("name", ["desk_reader", "desk_act"])
def test_a_stranger_is_sent_to_the_password(name: str, alice: Subscriber, client: Client) -> None:
    for ask in (client.get, client.post):
        assert ask(reverse(name, args=[alice.pk]), secure=True).headers["Location"].startswith("/admin/login/")


def test_nothing_is_done_by_asking(alice: Subscriber) -> None:
    client = sign_in("Operator")
    address = reverse("desk_act", args=[alice.pk])
    page = client.get(address, {"deed": "leave", "why": "x"}, secure=True)
    assert page.url == reverse("desk_reader", args=[alice.pk])  # type: ignore[attr-defined]
    assert state(alice) == "active"


def test_what_was_decided_for_a_reader_stands_on_their_page(alice: Subscriber) -> None:
    client = sign_in("Operator")
    act(client, alice, "pause")
    [one] = client.get(of(alice), secure=True).context["decisions"]
    assert (one.who, one.words) == ("ada", "Pause: asked us by phone")


def test_all_about_a_reader_is_exported_without_their_key_and_on_record(alice: Subscriber, sent: Digest) -> None:
    answer = sign_in("Operator").post(reverse("desk_export", args=[alice.pk]), secure=True)
    known = answer.json()
    assert (known["address"], known["digests"][0]["subject"]) == ("alice@example.org", "One paper")
    assert alice.leave_key not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert "exported all about them" in LogEntry.objects.get().change_message


@pytest.mark.parametrize(("role", "status"), [("Auditor", 403), ("Editor", 403), ("", 403)])
def test_who_may_not_act_for_readers_exports_none(role: str, status: int, alice: Subscriber) -> None:
    assert sign_in(role).post(reverse("desk_export", args=[alice.pk]), secure=True).status_code == status


def test_the_next_digest_is_explained_from_its_own_edition_and_not_from_one_opened_ahead(
    alice: Subscriber, edition: Edition
) -> None:
    ahead = Edition.objects.create(kind=edition.kind, date=NOW.date() + timedelta(days=10))
    Subscriber.objects.filter(pk=alice.pk).update(next_digest_at=NOW + timedelta(days=1))
    page = sign_in("Operator").get(of(alice), secure=True)
    assert page.context["edition"] == edition
    assert str(ahead) not in page.content.decode()


def test_what_was_decided_is_told_without_the_machines_own_counters(alice: Subscriber) -> None:
    operator = sign_in("Operator")
    act(operator, alice, "pause")
    values = operator.get(of(alice), secure=True).context["decisions"][0].values
    assert "status" in {name for name, _, _ in values}
    assert not {name for name, _, _ in values} & {"version", "status changed"}
    assert not any("+00:00" in before + after for _, before, after in values)


@pytest.mark.parametrize(
    ("deed", "typed", "what"),
    [
        ("pause", "", "changed preferences"),
        ("resume", "", "changed preferences"),
        ("leave", "", "left"),
        ("erase", "alice@example.org", "left"),
    ],
)
def test_nobody_is_said_to_have_seen_words_where_an_operator_acted(
    alice: Subscriber, deed: str, typed: str, what: str
) -> None:
    if deed == "resume":
        Subscriber.objects.update(status="paused", next_digest_at=None)
    operator = sign_in("Operator")
    act(operator, alice, deed, typed=typed)
    assert alice.consents.get().words == ""
    page = operator.get(of(alice), secure=True).content.decode()
    assert f"<td>{what}, by an operator</td><td>–</td><td>–</td>" in page


def test_the_suppression_of_who_was_erased_says_which_operator_did_it(alice: Subscriber) -> None:
    act(sign_in("Operator"), alice, "erase", typed="alice@example.org")
    assert list(Suppression.objects.values_list("reason", "by")) == [("erased", "ada")]


def test_a_reason_with_an_address_is_refused_before_anything_is_done(alice: Subscriber) -> None:
    form = {"deed": "pause", "why": "bob@example.org asked"}
    page = sign_in("Operator").post(reverse("desk_act", args=[alice.pk]), form, secure=True)
    assert "the reason has an address in it" in page.content.decode()
    assert state(alice) == "active"


def test_why_a_reader_gets_what_begins_with_what_became_of_their_copy(alice: Subscriber, edition: Edition) -> None:
    client, address = sign_in("Operator"), reverse("admin:newsletter_edition_explain", args=[edition.pk])

    def explained() -> str:
        return client.post(address, {"address": alice.email}, secure=True).content.decode()

    assert "No copy of this edition was planned for this reader." in explained()
    copy = planned(edition, alice)
    Digest.objects.filter(pk=copy.pk).update(status="skipped", reason="nothing new that fits")
    page = explained()
    assert ">skipped</a>, nothing new that fits." in page
    assert reverse("admin:newsletter_digest_change", args=[copy.pk]) in page
    edition.pool.all().delete()
    assert "This edition has no papers" in explained()
