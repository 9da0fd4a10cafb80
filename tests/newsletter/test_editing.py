"""What editors decide about an edition, in the admin."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db.models.signals import post_save
from django.test import Client
from django.urls import reverse

from newsletter import editions
from newsletter.audit import decisions_on
from newsletter.delivery.sending import deliver_batch
from newsletter.digest import candidates
from newsletter.models import Digest, Edition, EditionPaper
from papers.models import Listing, Paper, Reading, Topic
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, make_paper
from tests.stubs import Relay


def decide(client: Client, edition: Edition, paper: Paper, choice: str, **more: object) -> None:
    form = {
        "status": "open",
        "note": "",
        "pool-TOTAL_FORMS": 1,
        "pool-INITIAL_FORMS": 1 if more else 0,
        "pool-0-paper": paper.pk,
        "pool-0-choice": choice,
        "pool-0-place": "",
    }
    answer = client.post(f"/admin/newsletter/edition/{edition.pk}/change/", form | more, secure=True)
    assert answer.status_code == 302, answer.context["errors"]


def test_a_paper_of_the_pool_can_be_pinned(admin_client: Client, edition: Edition, papers: list[Paper]) -> None:
    decide(admin_client, edition, papers[3], "pinned")
    assert edition.pool.get(choice="pinned").paper == papers[3]
    assert candidates.load(edition).pinned != []


def test_a_paper_from_elsewhere_can_be_pinned_too(admin_client: Client, edition: Edition, graphs: Topic) -> None:
    paper = make_paper(9, graphs, hot=5, notice=1.5)
    decide(admin_client, edition, paper, "pinned")
    row = edition.pool.get(paper=paper)
    assert (row.choice, row.hot, row.notice) == ("pinned", 5, 1.5)


def test_a_pin_that_is_removed_leaves_its_paper_in_the_pool(
    admin_client: Client, edition: Edition, papers: list[Paper]
) -> None:
    EditionPaper.objects.decide(edition, papers[0], "banned")
    row = edition.pool.get(paper=papers[0])
    decide(admin_client, edition, papers[0], "banned", **{"pool-0-id": row.pk, "pool-0-DELETE": "on"})
    assert edition.pool.get(paper=papers[0]).choice == "pool"


def test_pins_that_were_given_no_place_stand_in_the_order_in_which_they_came(
    admin_client: Client, edition: Edition, papers: list[Paper]
) -> None:
    both = {"pool-TOTAL_FORMS": 2, "pool-1-paper": papers[0].pk, "pool-1-choice": "pinned", "pool-1-place": ""}
    decide(admin_client, edition, papers[3], "pinned", **{"pool-INITIAL_FORMS": 0}, **both)
    EditionPaper.objects.decide(edition, papers[1], "pinned")
    assert edition.pins() == [papers[3].pk, papers[0].pk, papers[1].pk]


def test_a_pin_that_was_dragged_before_all_others_stays_there(
    admin_client: Client, edition: Edition, papers: list[Paper]
) -> None:
    EditionPaper.objects.decide(edition, papers[1], "pinned", 1)
    row = edition.pool.get(choice="pinned")
    first = {"pool-0-id": row.pk, "pool-0-place": 1, "pool-TOTAL_FORMS": 2, "pool-1-place": 0}
    decide(
        admin_client, edition, papers[1], "pinned", **first, **{"pool-1-paper": papers[3].pk, "pool-1-choice": "pinned"}
    )
    assert edition.pins() == [papers[3].pk, papers[1].pk]


def test_a_new_row_is_a_pin_and_can_be_a_ban_and_nothing_else(admin_client: Client, edition: Edition) -> None:
    page = admin_client.get(f"/admin/newsletter/edition/{edition.pk}/change/", secure=True).content.decode()
    [choice] = re.findall(r'<select name="pool-0-choice".*?</select>', page, re.DOTALL)
    assert re.findall(r'value="(\w+)"( selected)?', choice) == [("pinned", " selected"), ("banned", "")]


def test_each_decision_on_a_paper_is_on_record_as_what_it_is(
    admin_client: Client, edition: Edition, papers: list[Paper]
) -> None:
    both = {"pool-TOTAL_FORMS": 2, "pool-1-paper": papers[0].pk, "pool-1-choice": "banned", "pool-1-place": ""}
    decide(admin_client, edition, papers[3], "pinned", **{"pool-INITIAL_FORMS": 0}, **both)
    [one] = decisions_on(edition, 5)
    assert one.words == f"pinned “{papers[3]}”, no. 1; banned “{papers[0]}” from all editions"
    row = edition.pool.get(choice="banned")
    decide(admin_client, edition, papers[0], "banned", **{"pool-0-id": row.pk, "pool-0-DELETE": "on"})
    assert decisions_on(edition, 5)[0].words == f"left “{papers[0]}” to its fit"


def test_a_form_that_changed_nothing_is_not_on_record(admin_client: Client, edition: Edition) -> None:
    form = {"note": "", "pool-TOTAL_FORMS": 0, "pool-INITIAL_FORMS": 0}
    admin_client.post(f"/admin/newsletter/edition/{edition.pk}/change/", form, secure=True)
    assert decisions_on(edition, 5) == []


def test_a_row_that_was_only_numbered_by_dragging_decides_nothing(
    admin_client: Client, edition: Edition, papers: list[Paper]
) -> None:
    empty = {"pool-TOTAL_FORMS": 2, "pool-1-paper": "", "pool-1-choice": "pinned", "pool-1-place": 1}
    decide(admin_client, edition, papers[3], "pinned", **{"pool-INITIAL_FORMS": 0}, **empty)
    assert edition.pool.exclude(choice="pool").count() == 1


def test_pins_come_in_the_editors_order(edition: Edition, papers: list[Paper]) -> None:
    EditionPaper.objects.decide(edition, papers[0], "pinned", 2)
    EditionPaper.objects.decide(edition, papers[1], "pinned", 1)
    pool = candidates.load(edition)
    assert [pool.papers[row] for row in pool.pinned] == [papers[1].pk, papers[0].pk]


def test_a_banned_paper_is_nobodys_candidate(edition: Edition, papers: list[Paper]) -> None:
    EditionPaper.objects.decide(edition, papers[0], "banned")
    assert papers[0].pk not in candidates.load(edition).papers


def test_a_ban_holds_for_every_edition_now_and_later_and_in_the_example(
    client: Client, edition: Edition, papers: list[Paper]
) -> None:
    now = editions.open_edition("weekly", NOW.date())
    EditionPaper.objects.decide(now, papers[0], "pinned")
    EditionPaper.objects.decide(edition, papers[0], "banned")
    later = editions.open_edition("sample", NOW.date() + timedelta(days=1))
    assert all(papers[0].pk not in candidates.load(one).papers for one in (edition, now, later))
    assert papers[0].title not in unescape(client.get("/sample/", secure=True).context["mail"])


def test_a_ban_that_is_lifted_anywhere_is_lifted_everywhere(edition: Edition, papers: list[Paper]) -> None:
    EditionPaper.objects.decide(edition, papers[0], "banned")
    later = editions.open_edition("daily", NOW.date() + timedelta(days=1))
    EditionPaper.objects.decide(later, papers[0], "pool")
    assert all(papers[0].pk in candidates.load(one).papers for one in (edition, later))


def pool_form(paper: Paper, choice: str, **more: object) -> dict[str, object]:
    one = {"pool-0-paper": paper.pk, "pool-0-choice": choice, "pool-0-place": ""}
    return {"note": "", "pool-TOTAL_FORMS": 1, "pool-INITIAL_FORMS": 0} | one | more


class TestAPinOfWhatIsBanned:
    """It would lift the ban from all editions, without a word."""

    @pytest.fixture
    def later(self, edition: Edition, papers: list[Paper]) -> Edition:
        """Its pool has a paper that was banned from another."""
        EditionPaper.objects.decide(edition, papers[0], "banned")
        return editions.open_edition("daily", NOW.date() + timedelta(days=1))

    @pytest.fixture(autouse=True)
    def nothing_changes(self, edition: Edition, later: Edition, papers: list[Paper]) -> Iterator[None]:
        yield
        choices = EditionPaper.objects.filter(paper=papers[0]).values_list("choice", flat=True)
        assert list(choices) == ["banned", "banned"]
        assert not EditionPaper.objects.filter(choice="pinned").exists()
        assert not LogEntry.objects.exists()

    def test_is_refused(self, later: Edition, papers: list[Paper]) -> None:
        with pytest.raises(ValidationError, match="free it first"):
            EditionPaper.objects.decide(later, papers[0], "pinned")

    def test_is_refused_by_the_command_with_all_that_it_names(self, later: Edition, papers: list[Paper]) -> None:
        words = f"“{papers[0]}” is banned from all editions: free it first"
        with pytest.raises(CommandError, match=words):
            call_command("edition", "pin", f"daily:{later.date}", str(papers[1].pk), str(papers[0].pk))

    @pytest.mark.parametrize("is_own", [True, False])
    def test_is_refused_in_the_admin(
        self, admin_client: Client, edition: Edition, later: Edition, papers: list[Paper], is_own: bool
    ) -> None:
        """Also where the row of the ban itself is made a pin, as by a page from before it."""
        row = later.pool.get(paper=papers[0])
        own = {"pool-INITIAL_FORMS": 1, "pool-0-id": row.pk} if is_own else {}
        page = reverse("admin:newsletter_edition_change", args=[later.pk])
        answer = admin_client.post(page, pool_form(papers[0], "pinned", **own), secure=True)
        assert answer.status_code == 200
        assert "is banned from all editions: free it first" in answer.content.decode()

    def test_is_refused_in_another_pool_that_has_it_not(self, papers: list[Paper]) -> None:
        other = Edition.objects.create(kind="weekly", date=NOW.date())
        with pytest.raises(ValidationError, match="free it first"):
            EditionPaper.objects.decide(other, papers[0], "pinned")


def test_what_was_banned_while_the_form_of_its_pin_was_read_is_not_pinned(
    admin_client: Client, edition: Edition, papers: list[Paper]
) -> None:
    def ban(**_: object) -> None:
        EditionPaper.objects.filter(paper=papers[0]).update(choice="banned")

    post_save.connect(ban, sender=Edition)
    try:
        page = reverse("admin:newsletter_edition_change", args=[edition.pk])
        answer = admin_client.post(page, pool_form(papers[0], "pinned", note="Hello."), secure=True, follow=True)
    finally:
        post_save.disconnect(ban, sender=Edition)
    assert "is banned from all editions: free it first" in answer.content.decode()
    edition.refresh_from_db()
    assert (edition.note, edition.pins()) == ("", [])


def test_a_form_that_bans_and_pins_the_same_paper_is_refused(
    admin_client: Client, edition: Edition, papers: list[Paper]
) -> None:
    both = {"pool-TOTAL_FORMS": 2, "pool-1-paper": papers[0].pk, "pool-1-choice": "pinned", "pool-1-place": ""}
    page = reverse("admin:newsletter_edition_change", args=[edition.pk])
    assert admin_client.post(page, pool_form(papers[0], "banned", **both), secure=True).status_code == 200
    assert not edition.pool.exclude(choice="pool").exists()


def test_what_was_freed_can_be_pinned(edition: Edition, papers: list[Paper]) -> None:
    for choice in ("banned", "pool", "pinned"):
        EditionPaper.objects.decide(edition, papers[0], choice)
    assert edition.pins() == [papers[0].pk]


def test_what_is_harvested_later_changes_nothing_of_an_open_edition(
    edition: Edition, papers: list[Paper], graphs: Topic
) -> None:
    before = candidates.load(edition)
    make_paper(9, graphs, hot=500, notice=9)
    Paper.objects.filter(pk=papers[-1].pk).update(hot=400, notice=8)
    after = candidates.load(edition)
    assert (after.papers, after.notice) == (before.papers, before.notice)
    assert (after.standings == before.standings).all()


@pytest.mark.parametrize(
    ("address", "words"),
    [("reader0@example.org", "taken, no. 1"), ("a\0b", "does not look like"), ("a" * 100_000, "does not look like")],
)
def test_the_admin_explains_a_readers_papers(
    admin_client: Client, edition: Edition, graphs: Topic, address: str, words: str
) -> None:
    add_readers(1, graphs)
    page = f"/admin/newsletter/edition/{edition.pk}/explain/"
    assert words in admin_client.post(page, {"address": address}, secure=True).content.decode()
    assert admin_client.get(page, secure=True).status_code == 200


def test_only_who_may_see_readers_sees_their_papers(client: Client, edition: Edition, django_user_model: type) -> None:
    client.force_login(django_user_model.objects.create_user("editor", is_staff=True))  # type: ignore[attr-defined]
    assert client.get(f"/admin/newsletter/edition/{edition.pk}/explain/", secure=True).status_code == 403


@pytest.fixture
def half_planned(edition: Edition, graphs: Topic) -> Edition:
    """One reader is planned; an editor then changes what the next one is to get."""
    add_readers(1, graphs)
    editions.plan(NOW)
    return edition


def change(client: Client, edition: Edition, paper: Paper, note: str) -> None:
    decide(client, edition, paper, "pinned", note=note, **{"pool-INITIAL_FORMS": 0})


def plan_another(graphs: Topic) -> None:
    due = NOW - timedelta(minutes=1)
    Subscriber.objects.create(email="later@example.org", status="active", next_digest_at=due).topics.add(graphs)
    editions.plan(NOW)


def test_what_an_editor_changes_is_for_whoever_is_not_planned_yet(
    admin_client: Client, half_planned: Edition, papers: list[Paper], graphs: Topic, relay: Relay
) -> None:
    change(admin_client, half_planned, papers[-1], "Read this first.")
    plan_another(graphs)
    assert deliver_batch() == 2
    mails = {mail["To"]: mail.get_body(("plain",)).get_content() for mail in relay.accepted}
    assert "Read this first." not in mails["reader0@example.org"]
    assert papers[-1].title not in mails["reader0@example.org"]
    assert "Read this first." in mails["later@example.org"]
    assert papers[-1].title in mails["later@example.org"]


def test_several_changes_before_anybody_else_is_planned_are_one_revision(
    admin_client: Client, half_planned: Edition, papers: list[Paper]
) -> None:
    change(admin_client, half_planned, papers[0], "One.")
    change(admin_client, half_planned, papers[1], "Two.")
    assert list(half_planned.revisions.values_list("number", "note", "pins")) == [(0, "", [])]


def test_changes_before_anybody_is_planned_leave_no_revision(
    admin_client: Client, edition: Edition, papers: list[Paper]
) -> None:
    change(admin_client, edition, papers[0], "One.")
    assert not edition.revisions.exists()


def test_previews_change_at_once(admin_client: Client, half_planned: Edition, papers: list[Paper]) -> None:
    change(admin_client, half_planned, papers[-1], "Read this first.")
    page = admin_client.get(reverse("desk_preview", args=[half_planned.pk]), secure=True).content.decode()
    assert "Read this first." in page
    assert papers[-1].title in page


def test_a_ban_holds_for_whoever_is_planned_too(half_planned: Edition, papers: list[Paper], relay: Relay) -> None:
    EditionPaper.objects.decide(half_planned, papers[0], "banned")
    deliver_batch()
    assert papers[0].title not in relay.accepted[0].get_body(("plain",)).get_content()


def test_the_web_copy_stays_as_it_was_mailed(
    admin_client: Client, client: Client, half_planned: Edition, papers: list[Paper], relay: Relay
) -> None:
    deliver_batch()
    copy = reverse("web_copy", args=[Digest.objects.get().key])
    before = client.get(copy, secure=True).content.decode()
    change(admin_client, half_planned, papers[0], "Read this first.")
    EditionPaper.objects.decide(half_planned, papers[1], "banned")
    assert client.get(copy, secure=True).content.decode() == before


@pytest.mark.parametrize(("upvotes", "said"), [(1, ""), (4, ""), (5, "5 upvotes in a day")])
def test_a_few_upvotes_are_no_reason_to_read_anything(graphs: Topic, upvotes: int, said: str) -> None:
    paper = make_paper(1, graphs)
    Listing.objects.update(place=None)
    Reading.objects.create(paper=paper, upvotes=upvotes, taken_at=NOW)
    assert str(candidates.popularity([paper.pk])[0]) == said
