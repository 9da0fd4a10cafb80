"""The page of an edition, its preview, the test mail and the export."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from newsletter import census
from newsletter.desk import preflight
from newsletter.digest.rendering import SOME_KEY, SOMEBODY
from newsletter.models import Brake, Digest, Edition
from papers.models import Topic
from subscribers.links import written
from subscribers.models import Subscriber, Suppression
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned
from tests.newsletter.test_cockpit import EDITIONS, sign_in
from tests.stubs import Relay

DIGESTS = "/admin/newsletter/digest/"


def at(name: str, edition: Edition) -> str:
    return reverse(name, args=[edition.pk])


@pytest.fixture
def half_gone(edition: Edition) -> Edition:
    """Six digests: two accepted, one skipped, one failed, two to go."""
    ends = [("accepted", ""), ("accepted", ""), ("skipped", "nothing new that fits"), ("failed", "=550 no")]
    for reader in add_readers(6):
        planned(edition, reader)
    for digest, (status, reason) in zip(edition.digests.order_by("pk"), ends, strict=False):
        Digest.objects.filter(pk=digest.pk).update(status=status, reason=reason, submitted_at=NOW)
    census.follow(NOW)
    return edition


def test_the_page_accounts_for_every_digest(half_gone: Edition) -> None:
    page = sign_in("Operator").get(at("desk_edition", half_gone), secure=True)
    numbers = {words: number for words, number, _ in page.context["terms"]}
    assert numbers == {
        "accepted": 2,
        "failed": 1,
        "skipped": 1,
        "expired": 0,
        "cancelled": 0,
        "in doubt": 0,
        "still to go": 2,
    }
    assert sum(numbers.values()) == page.context["one"].planned == 6


def test_reasons_are_gathered(half_gone: Edition) -> None:
    page = sign_in("Editor").get(at("desk_edition", half_gone), secure=True)
    assert page.context["reasons"] == [
        ("skipped", "skipped", [("nothing new that fits", 1)]),
        ("failed", "failed", [("=550 no", 1)]),
    ]


def test_every_link_into_the_ledger_finds_as_many(half_gone: Edition) -> None:
    client = sign_in("Operator")
    page = client.get(at("desk_edition", half_gone), secure=True)
    for _, number, statuses in page.context["terms"]:
        query = {"edition__id__exact": half_gone.pk, "status__in": ",".join(statuses)}
        ledger = client.get(reverse("admin:newsletter_digest_changelist"), query, secure=True)
        assert ledger.context["cl"].result_count == number


def test_the_page_is_flat(half_gone: Edition, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client = sign_in("Operator")
    with django_assert_max_num_queries(13):
        client.get(at("desk_edition", half_gone), secure=True)


def test_what_was_counted_too_long_ago_is_counted_now(half_gone: Edition) -> None:
    half_gone.progress.all().delete()
    page = sign_in("Operator").get(at("desk_edition", half_gone), secure=True)
    assert page.context["one"].planned == 6
    assert "Counted just now" in page.content.decode()


def test_its_buttons_pause_and_ask_before_they_cancel(half_gone: Edition) -> None:
    client, list_ = sign_in("Operator"), reverse("admin:newsletter_edition_changelist")
    client.post(list_, {"action": "pause", "_selected_action": half_gone.pk}, secure=True)
    assert "Resume" in client.get(at("desk_edition", half_gone), secure=True).content.decode()
    asked = client.post(list_, {"action": "cancel", "_selected_action": half_gone.pk}, secure=True)
    assert f"Type “{half_gone}”" in asked.content.decode()


def test_the_export_has_no_formulas_and_no_addresses_and_is_on_record(half_gone: Edition) -> None:
    response = sign_in("Operator").post(at("desk_results", half_gone), secure=True)
    text = b"".join(response.streaming_content).decode()
    assert text.count("\r\n") == 7
    assert ",'=550 no," in text
    assert "@" not in text
    assert "exported its results" in LogEntry.objects.get().change_message


def test_the_export_is_posted_for(half_gone: Edition) -> None:
    assert sign_in("Operator").get(at("desk_results", half_gone), secure=True).status_code == 405


def test_a_preview_shows_both_parts_and_the_reasons(edition: Edition, graphs: Topic) -> None:
    page = sign_in("Editor").post(at("desk_preview", edition), {"topics": [graphs.slug]}, secure=True)
    preview = page.context["preview"]
    assert [title for title, _ in preview.choices][:3] == [f"{graphs.name} paper {n}" for n in (1, 3, 5)]
    assert preview.choices[0][1].reason in page.content.decode()
    assert preview.choices[0][0] in preview.mail.text


def test_a_preview_is_light_and_dark_whatever_the_operators_own_screen_is(edition: Edition, graphs: Topic) -> None:
    screens = sign_in("Editor").get(at("desk_preview", edition), secure=True).context["preview"].screens
    assert not any("prefers-color-scheme" in one["html"] for one in screens)
    shown = [("@media all" in one["html"], "@media not all" in one["html"]) for one in screens]
    assert shown == [(False, True), (True, False)] * 2


def test_a_preview_holds_no_key_of_the_reader(edition: Edition, graphs: Topic) -> None:
    [reader] = add_readers(1, graphs)
    page = sign_in("Operator").post(at("desk_preview", edition), {"address": reader.email}, secure=True)
    mail = page.context["preview"].mail
    for part in (mail.html, mail.text):
        assert "you@lab.org" in part
        keys = (reader.leave_key, written(reader.uid), written(SOMEBODY), f"/{SOME_KEY}")
        for secret in (*keys, str(reader.email), "/preferences/"):
            assert secret not in part


@pytest.mark.parametrize("address", ["nobody@example.org", "no address", "a\0b@example.org"])
def test_a_preview_for_nobody_says_so(edition: Edition, address: str) -> None:
    page = sign_in("Operator").post(at("desk_preview", edition), {"address": address}, secure=True)
    assert page.status_code == 422
    assert page.context["form"].errors["address"]


def test_a_topic_that_is_none_is_refused(edition: Edition) -> None:
    assert sign_in("Editor").post(at("desk_preview", edition), {"topics": ["x"]}, secure=True).status_code == 422


def test_an_editor_cannot_ask_for_a_reader(edition: Edition, alice: Subscriber) -> None:
    client = sign_in("Editor")
    page = client.post(at("desk_preview", edition), {"address": alice.email}, secure=True)
    assert "address" not in page.context["form"].fields
    missing = client.post(at("desk_preview", edition), {"address": "nobody@example.org"}, secure=True)
    assert missing.status_code == page.status_code


def test_a_preview_of_an_empty_pool_says_so(db: None) -> None:
    empty = Edition.objects.create(kind="daily", date=NOW.date())
    page = sign_in("Editor").get(at("desk_preview", empty), secure=True)
    assert "This reader would get nothing" in page.content.decode()


def sign_in_with(email: str) -> Client:
    client = sign_in("Editor")
    User.objects.update(email=email)
    return client


def test_a_test_mail_goes_to_who_is_signed_in_and_to_nobody_else(edition: Edition, graphs: Topic, relay: Relay) -> None:
    [reader] = add_readers(1, graphs)
    client = sign_in_with("ada@example.org")
    client.post(at("desk_test", edition), {"to": reader.email, "address": reader.email}, secure=True)
    assert relay.recipients == ["ada@example.org"]
    [mail] = relay.accepted
    assert mail["Subject"].startswith("[Test] ")
    assert mail["List-Unsubscribe"] is None
    assert not Digest.objects.exists()
    assert "sent a test mail" in LogEntry.objects.get().change_message


@pytest.mark.parametrize("email", ["", "ada@@example.org", "gone@example.org"])
def test_no_test_mail_goes_where_none_may(edition: Edition, relay: Relay, email: str) -> None:
    Suppression.objects.add("gone@example.org", "bounced")
    page = sign_in_with(email).post(at("desk_test", edition), secure=True, follow=True)
    assert "No test mail was accepted" in page.content.decode()
    assert relay.recipients == []


def test_no_test_mail_passes_a_brake(edition: Edition, relay: Relay) -> None:
    Brake.objects.pull("by hand")
    page = sign_in_with("ada@example.org").post(at("desk_test", edition), secure=True, follow=True)
    assert "all mail is stopped" in page.content.decode()
    assert relay.recipients == []


def test_a_refused_test_mail_says_why(edition: Edition, relay: Relay) -> None:
    relay.refuse["ada@example.org"] = "550 no such user"
    page = sign_in_with("ada@example.org").post(at("desk_test", edition), secure=True, follow=True)
    assert "550 no such user" in page.content.decode()


def faults(client: Client, edition: Edition) -> str:
    page = client.get(at("desk_preview", edition), secure=True)
    return " ".join(check.words for check in page.context["checks"] if not check.is_fine)


def test_checks_find_what_would_go_wrong(edition: Edition, graphs: Topic, settings: Settings) -> None:
    lonely = Topic.objects.create(slug="lonely", name="Lonely", description=".", field="ML")
    add_readers(1, graphs, lonely)
    census.take(NOW)
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    settings.MAIL_FROM = "papers@papers.example"
    found = faults(sign_in("Editor"), edition)
    assert "Topics with readers and no paper: Lonely." in found
    assert "Mail cannot come from papers.example" in found
    assert "sends nothing" in found
    assert "subject" not in found


def test_checks_are_content_where_all_is_well(edition: Edition, graphs: Topic, settings: Settings) -> None:
    add_readers(1, graphs)
    census.take(NOW)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.MAIL_FROM = "papers@trending-papers.net"
    assert faults(sign_in("Editor"), edition) == ""


def test_a_provider_without_its_key_is_found_out(db: None, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {}
    assert "not complete" in preflight.provider().words


def test_a_brake_is_found_out(db: None) -> None:
    Brake.objects.pull("by hand")
    assert not preflight.provider().is_fine


def turn(edition: Edition, name: str, role: str = "Operator", **more: str) -> HttpResponse:
    client = sign_in(role, name=f"who-{User.objects.count()}")
    page = client.post(at("desk_turn", edition), {"turn": name, **more}, secure=True, follow=True)
    edition.refresh_from_db()
    return page  # type: ignore[return-value]


def test_after_a_turn_one_is_on_the_editions_page_which_says_what_was_done_by_whom_and_why(edition: Edition) -> None:
    page = turn(edition, "pause", why="the first paper is withdrawn").content.decode()
    assert edition.status == "paused"
    assert f"{edition} is paused." in page
    assert "Pause: the first paper is withdrawn; status: open → paused" in " ".join(page.split())


def test_what_suits_no_more_is_not_done_and_said_so(edition: Edition) -> None:
    page = turn(edition, "approve").content.decode()
    assert "does not wait for approval (open): nothing was changed." in page
    assert not LogEntry.objects.exists()


def test_only_what_suits_its_state_and_the_person_is_offered(edition: Edition) -> None:
    def offered(role: str) -> set[str]:
        page = sign_in(role, name=f"who-{User.objects.count()}").get(at("desk_edition", edition), secure=True)
        return {name for name, _ in page.context["turns"]}

    assert offered("Operator") == {"hold", "pause", "canary", "cancel"}
    edition.canary = Edition.Canary.AHEAD
    edition.status = Edition.Status.HELD
    edition.save()
    assert offered("Operator") == {"approve", "follow", "cancel"}
    assert offered("Editor") == {"follow", "cancel"}
    assert offered("Auditor") == set()


@pytest.mark.parametrize(("name", "role"), [("approve", "Editor"), ("pause", "Auditor"), ("x", "Auditor")])
def test_nobody_takes_a_turn_that_is_not_theirs(edition: Edition, name: str, role: str) -> None:
    assert turn(edition, name, role).status_code == 403


def test_cancelling_needs_the_name(edition: Edition) -> None:
    page = turn(edition, "cancel", typed="Daily", why="a bad day")
    assert (page.status_code, edition.status) == (422, "open")
    assert 'value="a bad day"' in page.content.decode()
    turn(edition, "cancel", typed=str(edition))
    assert edition.status == "cancelled"


@pytest.mark.parametrize("size", ["0", "x", "-1", "1" * 40, "1.5", "100001", "²", "\0"])
def test_a_number_of_first_copies_that_is_none_changes_nothing(edition: Edition, size: str) -> None:
    assert turn(edition, "canary", size=size).status_code == 422
    assert edition.canary == ""


def test_the_page_tells_how_the_first_copies_stand_and_lets_all_follow(half_gone: Edition) -> None:
    turn(half_gone, "canary", size="40", why="a new template")
    half_gone.digests.filter(status="accepted").update(canary=True)
    assert (half_gone.canary, half_gone.canary_size) == ("ahead", 40)
    page = sign_in("Editor").get(at("desk_edition", half_gone), secure=True).content.decode()
    assert "first 40 copies go ahead: the provider has taken 2" in page
    assert "should more than 2 bounce or be called spam" in page
    turn(half_gone, "follow")
    assert half_gone.canary == "well"


@pytest.mark.parametrize("chosen", ["abc", "9" * 40, "\0", ""])
def test_an_action_on_a_row_that_cannot_be_changes_nothing_and_says_so(edition: Edition, chosen: str) -> None:
    asked = {"action": "pause", "_selected_action": [chosen, str(edition.pk)]}
    page = sign_in("Operator").post(EDITIONS, asked, secure=True, follow=True)
    assert "There is no such row: nothing was changed." in page.content.decode()
    assert Edition.objects.get().status == "open"


def test_an_action_on_what_is_gone_says_so(edition: Edition) -> None:
    asked = {"action": "cancel", "_selected_action": [99]}
    page = sign_in("Operator").post(EDITIONS, asked, secure=True, follow=True)
    assert "None of these is there any more" in page.content.decode()


def test_an_action_that_is_not_offered_is_said_to_be_none(edition: Edition) -> None:
    asked = {"action": "erase_all", "_selected_action": [edition.pk]}
    page = sign_in("Operator").post(EDITIONS, asked, secure=True, follow=True)
    assert "That cannot be done here, or not by you." in page.content.decode()


@pytest.mark.parametrize("query", [f"id__in={'9' * 40}", f"edition__id__exact={'9' * 40}", "status__exact=%00"])
def test_a_number_that_no_column_holds_finds_the_whole_list_with_a_word(edition: Edition, query: str) -> None:
    page = sign_in("Operator").get(f"{DIGESTS}?{query}", secure=True)
    assert page.status_code in {200, 302}


@pytest.mark.parametrize("topics", ["9" * 40, "\0", "x"])
def test_a_preview_of_a_topic_that_cannot_be_is_refused(edition: Edition, topics: str) -> None:
    assert sign_in("Editor").post(at("desk_preview", edition), {"topics": [topics]}, secure=True).status_code == 422


def test_what_failed_and_what_is_in_doubt_is_decided_from_the_page_and_stands_on_it(half_gone: Edition) -> None:
    half_gone.digests.filter(status="skipped").update(status="in_doubt")
    census.follow(NOW + timedelta(minutes=1))
    client = sign_in("Operator")
    offered = client.get(at("desk_edition", half_gone), secure=True).context["answers"]
    assert [name for name, _ in offered] == ["retry_failed", "was_accepted", "was_not_sent"]
    for action in ("retry_failed", "was_accepted"):
        asked = {"action": action, "_selected_action": half_gone.pk, "typed": str(half_gone)}
        page = client.post(EDITIONS, asked, secure=True, follow=True)
    assert page.request["PATH_INFO"] == at("desk_edition", half_gone)  # type: ignore[attr-defined]
    assert [one.words.partition(".")[0] for one in page.context["decisions"]] == [
        "1 in doubt settled: the provider has it",
        "1 planned again",
    ]
    assert half_gone.digests.filter(status="accepted").count() == 3


def test_who_may_not_decide_about_digests_is_not_asked(half_gone: Edition) -> None:
    assert sign_in("Editor").get(at("desk_edition", half_gone), secure=True).context["answers"] == []
