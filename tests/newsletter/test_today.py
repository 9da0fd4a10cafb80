"""The admin's home: what needs a person, and how all of it does."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from newsletter import census, pulses
from newsletter.delivery import ledger
from newsletter.delivery.streak import Streak, account
from newsletter.delivery.wire.outcomes import Kind, Outcome
from newsletter.desk import needs
from newsletter.desk.standing import Health, Standing
from newsletter.models import Acceptance, Brake, Digest, Edition, Pulse
from papers.models import Source, Topic
from subscribers.models import Attack, Import, Letter, Subscriber, SubscriptionRequest
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned
from tests.newsletter.test_cockpit import person, sign_in

INDEX = reverse("admin:index")


def home(*roles: str) -> str:
    response = sign_in(*roles).get(INDEX, secure=True)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def beating(db: None) -> None:
    Pulse.objects.bulk_create(Pulse(part=part.words, at=NOW) for part in pulses.parts().values())


@pytest.fixture
def half_gone(edition: Edition) -> Edition:
    """Of ten digests four were accepted, and one is in doubt."""
    for number, reader in enumerate(add_readers(10)):
        digest = planned(edition, reader)
        if number < 5:
            status = "in_doubt" if number == 4 else "accepted"
            Digest.objects.filter(pk=digest.pk).update(status=status, submitted_at=NOW, reason="x" * (number == 4))
    census.follow(NOW)
    return edition


@pytest.mark.usefixtures("beating")
def test_a_quiet_day_needs_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nothing. All is well" in home("Operator")
    call_command("today")
    assert capsys.readouterr().out == "Nothing. All is well.\n"


@pytest.mark.usefixtures("beating")
@pytest.mark.parametrize(
    ("has_papers", "status", "words"),
    [
        (False, "planned", "Daily 2026-03-20 has no papers: 10 wait for some"),
        (False, "skipped", "Daily 2026-03-20 has no papers: nobody got one"),
        (True, "skipped", "Daily 2026-03-20: nobody got one, as nothing new fitted 10 readers"),
        (True, "accepted", "Nothing. All is well"),
    ],
)
def test_an_edition_that_reaches_nobody_needs_somebody(
    edition: Edition, has_papers: bool, status: str, words: str
) -> None:
    for reader in add_readers(10):
        planned(edition, reader)
    Digest.objects.update(status=status, reason="nothing new that fits", submitted_at=NOW)
    if not has_papers:
        Edition.objects.update(drawn_at=None)
    census.follow(NOW)
    assert words in home("Operator")


@pytest.mark.usefixtures("beating")
def test_readers_who_could_not_be_mailed_are_no_fault_of_the_papers(edition: Edition) -> None:
    for reader in add_readers(10):
        planned(edition, reader)
    Digest.objects.update(status="skipped", reason="nothing reaches example.org at present")
    census.follow(NOW)
    assert "nobody got one" not in home("Operator")


@pytest.mark.usefixtures("beating")
def test_letters_that_were_given_up_need_somebody() -> None:
    ways = [{"doubts": 3}, {"refusals": 8}, {"attempts": 30}, {}]  # the last was none of the provider's
    readers = add_readers(len(ways))
    for reader, way in zip(readers, ways, strict=True):
        lost = {"subscriber": reader, "kind": "welcome", "status": "failed", "reason": "no answer", "not_before": NOW}
        Letter.objects.create(**lost, **way, requested_at=NOW - timedelta(days=2))
    operator, words = sign_in("Operator"), "Letters to 3 people were given up today, after several tries"
    assert words in operator.get(INDEX, secure=True).content.decode()
    Letter.objects.filter(doubts=3).update(not_before=NOW - timedelta(days=1))  # yesterday's; two may be strangers'
    assert "were given up today" not in operator.get(INDEX, secure=True).content.decode()


@pytest.mark.usefixtures("beating")
def test_a_monitor_is_told_what_needs_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    Brake.objects.pull("535 bad password")
    with pytest.raises(SystemExit, match="1"):
        call_command("today")
    assert capsys.readouterr().out == "All mail is stopped: 535 bad password (since 2026-03-20 09:00:00 UTC)\n"


@pytest.mark.usefixtures("beating")
def test_whatever_needs_a_person_is_said_first_each_with_a_link(half_gone: Edition) -> None:
    Brake.objects.pull("535 bad password")
    Attack.objects.begin("many asked", NOW)
    source = Source.objects.create(name="mirror", kind="hugging-face", is_on=True, failures=3, last_error="timed out")
    SubscriptionRequest.objects.create(email="eve@example.org", status="held")
    for status, name in (("refused", "broken.csv"), ("checked", "list.csv")):
        Import.objects.create(file_name=name, status=status, uploaded_at=NOW, moved_at=NOW)
    Edition.objects.update(status="paused")
    page = home("Operator")
    first = page[page.index("What needs a person") : page.index("Going out")]
    for words in (
        "All mail is stopped: 535 bad password",
        "Sign-up is under attack: many asked",
        "mirror failed 3 times in a row: timed out",
        "Held at sign-up: 1",
        "An import was refused: broken.csv",
        "An import waits for a decision: list.csv",
        ": 1 in doubt",
        "is paused with 5 to go",
    ):
        assert words in first
    assert reverse("admin:papers_source_change", args=[source.pk]) in first
    assert f"edition__id__exact={half_gone.pk}&amp;status__exact=in_doubt" in first


@pytest.mark.usefixtures("beating")
@pytest.mark.parametrize(
    ("status", "decide"), [("checked", "confirm"), ("checked", "cancel"), ("refused", "set_aside")]
)
def test_an_import_needs_a_person_until_one_has_decided(status: str, decide: str) -> None:
    long_ago = NOW - timedelta(days=25)
    job = Import.objects.create(file_name="list.csv", status=status, uploaded_at=long_ago, moved_at=long_ago)
    client = sign_in("Operator")
    assert "An import " in client.get(INDEX, secure=True).content.decode()
    client.post(reverse(f"admin:subscribers_import_{decide}", args=[job.pk]), secure=True)
    assert "An import " not in client.get(INDEX, secure=True).content.decode()


@pytest.mark.usefixtures("beating")
def test_of_many_imports_the_latest_are_named() -> None:
    for number in range(needs.MOST_IMPORTS + 1):
        at = NOW - timedelta(days=number)
        Import.objects.create(file_name=f"list{number}.csv", status="checked", uploaded_at=at, moved_at=at)
    page = home("Operator")
    assert page.count("An import waits for a decision") == needs.MOST_IMPORTS
    assert f"list{needs.MOST_IMPORTS}.csv" not in page
    assert "More imports were refused, or wait for a decision" in page


def test_a_silent_part_is_told_of(db: None) -> None:
    Pulse.objects.create(part="Planning", at=NOW - timedelta(hours=1))
    page = home("Operator")
    assert "Silent: Planning. Look" in page
    assert "Not begun yet: Delivery, Letters, Sign-ups, Fetching, Counting." in page


def test_an_edition_shows_its_progress_and_when_it_will_end(half_gone: Edition) -> None:
    reader = half_gone.digests.filter(status="planned").first()
    Digest.objects.filter(pk=reader.pk).update(status="accepted", submitted_at=NOW)
    census.follow(NOW + timedelta(minutes=2))
    [one] = [Standing.now(half_gone)]
    assert (one.planned, one.accepted, one.in_doubt, one.open, one.percent) == (10, 5, 1, 4, 60)
    assert one.ends_at == NOW + timedelta(minutes=10)
    assert "60 %" in home("Editor")


def test_the_ends_and_what_is_to_go_add_up(half_gone: Edition) -> None:
    one = Standing.now(half_gone)
    parts = one.accepted + one.failed + one.skipped + one.expired + one.cancelled + one.in_doubt + one.open
    assert parts == one.planned == half_gone.digests.count()


@pytest.mark.parametrize(
    ("accepted", "complained", "verdict"),
    [(9_999, 1, ""), (10, 2, ""), (9_990, 10, "watch it"), (9_970, 30, "stop and find out why")],
)
def test_complaints_are_judged_by_the_shares_that_providers_name(accepted: int, complained: int, verdict: str) -> None:
    standing = Standing(Edition(), {"accepted": accepted, "complained": complained})
    assert Health.of([standing]).verdict == verdict


def test_readers_are_shown_as_counted(graphs: Topic) -> None:
    add_readers(7, graphs, zone="Europe/Berlin")
    assert "They have not been counted yet" in home("Operator")
    census.take(NOW - timedelta(hours=1))
    census.take(NOW)
    client = Client()
    client.force_login(person("grace", "Operator"))
    page = client.get(INDEX, secure=True).content.decode()
    assert "Active readers in the last 30 days" in page
    assert "Every day" in page


def test_an_editor_is_shown_no_part_that_is_not_theirs(half_gone: Edition) -> None:
    SubscriptionRequest.objects.create(email="eve@example.org", status="held")
    page = home("Editor")
    assert "Going out" in page
    for words in ("Sign-ups in the last hour", "Parts of the service", "eve@", "reader0@", "Held at"):
        assert words not in page


@pytest.mark.parametrize("role", ["Owner", "Operator", "Auditor", "Editor"])
def test_it_opens_with_few_queries_whatever_there_is(
    role: str, half_gone: Edition, django_assert_max_num_queries: DjangoAssertNumQueries, settings: Settings
) -> None:
    settings.SECOND_FACTOR = False
    for hour in range(50):
        census.take(NOW - timedelta(hours=hour))
    for number in range(20):
        day = NOW.date() - timedelta(days=number)
        Edition.objects.get_or_create(kind="weekly", date=day)
        Source.objects.create(name=f"mirror-{number}", kind="hugging-face", is_on=True, failures=1)
    client = sign_in(role)
    with django_assert_max_num_queries(15):
        client.get(INDEX, secure=True)


def test_without_permissions_there_is_a_page_and_nothing_on_it(db: None) -> None:
    assert "Going out" not in home()


@pytest.mark.usefixtures("beating")
def test_an_edition_that_fails_by_and_large_is_said(edition: Edition) -> None:
    for reader in add_readers(5 * needs.SOME_FAILED):
        planned(edition, reader)
    Digest.objects.update(status="accepted", submitted_at=NOW, settled_at=NOW)
    failed = Digest.objects.values_list("pk", flat=True)[: needs.SOME_FAILED]
    Digest.objects.filter(pk__in=list(failed)).update(status="failed", reason="554 5.7.1 Relay access denied")
    census.follow(NOW)
    operator = sign_in("Operator")
    words = f"{needs.SOME_FAILED} failed, 20 % of what was tried. It can be tried again"
    assert words in operator.get(INDEX, secure=True).content.decode()
    for over in (
        {"status": "cancelled"},
        {"status": "open", "date": NOW.date() - timedelta(days=3)},
    ):  # too late for that
        Edition.objects.update(**over)
        assert words not in operator.get(INDEX, secure=True).content.decode()


@pytest.mark.usefixtures("beating")
@pytest.mark.parametrize(("kind", "days"), [("daily", 1), ("weekly", 3), ("monthly", 6)])
def test_whoever_got_nothing_because_it_came_too_late_is_said(
    edition: Edition, alice: Subscriber, kind: str, days: int
) -> None:
    """For a day after it has expired: a rare edition is welcome for longer."""
    planned(edition, alice)
    Digest.objects.update(status="expired", reason="too late to be welcome", settled_at=NOW)
    Edition.objects.update(kind=kind, date=NOW.date() - timedelta(days=days))
    census.follow(NOW)
    operator, words = sign_in("Operator"), "1 came too late and were not sent"
    assert words in operator.get(INDEX, secure=True).content.decode()
    Edition.objects.update(date=NOW.date() - timedelta(days=days + 2))
    assert words not in operator.get(INDEX, secure=True).content.decode()


@pytest.mark.usefixtures("beating")
class TestAProviderThatAcceptsNothing:
    WORDS = "Nothing was accepted for 10 minutes, and 1 of Daily 2026-03-20 wait: ConnectionRefusedError"

    @pytest.fixture(autouse=True)
    def tried(self, edition: Edition, alice: Subscriber) -> None:
        planned(edition, alice)
        values = {"attempts": 2, "reason": "ConnectionRefusedError", "planned_at": NOW - timedelta(minutes=11)}
        Digest.objects.update(**values)
        census.follow(NOW)

    def test_is_said_with_its_reason(self) -> None:
        assert self.WORDS in home("Operator")

    def test_is_well_again_with_the_first_that_it_accepts(self) -> None:
        accepts = Streak()
        accepts.hear(Outcome(Kind.ACCEPTED), "example.org")
        accepts.tell(NOW)
        assert self.WORDS not in home("Operator")

    @pytest.mark.parametrize(
        ("reason", "more", "is_said"),
        [
            ("452 4.2.2 mailbox full", 0, False),
            ("452 4.2.2 mailbox full", needs.SOME_FAILED, True),
            ("ConnectionRefusedError", 0, True),
        ],
    )
    def test_is_not_what_puts_off_a_full_mailbox_or_some(
        self, edition: Edition, reason: str, more: int, is_said: bool
    ) -> None:
        """Where others' mail was accepted since."""
        Acceptance.objects.create(account=account(), domain="example.org", at=NOW - timedelta(minutes=10, seconds=30))
        for reader in add_readers(more):
            planned(edition, reader)
        Digest.objects.update(attempts=2, reason=reason, planned_at=NOW - timedelta(minutes=11))
        census.recount(edition, NOW)
        assert ("Nothing was accepted for 10 minutes" in home("Operator")) == is_said

    @pytest.mark.parametrize(("minutes", "is_said"), [(-180, False), (1, True)])
    def test_is_none_of_what_an_operator_has_put_back_until_it_is_tried(self, minutes: int, is_said: bool) -> None:
        Digest.objects.update(reason=ledger.RETRIED, not_before=NOW + timedelta(minutes=minutes))
        page = home("Operator")
        assert ("Nothing was accepted for 10 minutes" in page) == is_said
        assert ledger.RETRIED not in page

    def test_is_no_news_while_all_mail_is_stopped(self) -> None:
        Brake.objects.pull("535 no")
        assert self.WORDS not in home("Operator")

    def test_is_none_while_what_waits_has_only_come(self) -> None:
        Digest.objects.update(planned_at=NOW - timedelta(minutes=9))
        assert self.WORDS not in home("Operator")
