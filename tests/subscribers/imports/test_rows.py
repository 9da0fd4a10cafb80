"""Each reason why a row is refused, and what a good one asks for."""

from datetime import UTC, datetime, timedelta

import pytest

from papers.models import Topic
from subscribers.imports.rows import Asked, Newcomer, Outcome, Refusal, read
from subscribers.imports.table import HAS_NUL, NOT_UTF8, Row
from tests.conftest import NOW

GOOD = {"email": "carol@example.org", "consent_at": "2025-03-20", "consent_source": "https://old.example/subscribe"}


@pytest.fixture
def asked() -> Asked:
    return Asked([Topic(pk=1, slug="graphs", name="Graph neural networks"), Topic(pk=2, slug="vision", name="Vision")])


def of(asked: Asked, **cells: str) -> Newcomer | Refusal:
    return read(Row(2, GOOD | cells), asked, NOW)


def test_a_row_may_say_no_more_than_who_and_when_and_where(asked: Asked) -> None:
    found = of(asked)
    assert isinstance(found, Newcomer)
    assert (found.email, found.status, found.consent_source) == ("carol@example.org", "active", GOOD["consent_source"])
    assert found.consent_at == datetime(2025, 3, 20, tzinfo=UTC)


def test_a_row_may_say_everything(asked: Asked) -> None:
    found = of(
        asked,
        email=" Carol@XN--Mller-kva.Example. ",
        topics="graphs; VISION;;graph neural networks",
        cadence="Daily",
        weekday="Sun",
        weekdays="Mon; thursday,5",
        local_hour="07:00",
        zone="Europe/Berlin",
        digest_size="12",
        language="DE",
    )
    assert isinstance(found, Newcomer)
    assert found.email == "carol@müller.example"
    assert [topic.slug for topic in found.wishes.topics] == ["graphs", "vision"]
    assert found.wishes.columns() == {
        "cadence": "daily",
        "weekday": 7,
        "weekdays": 0b0011001,
        "local_hour": 7,
        "zone": "Europe/Berlin",
        "digest_size": 12,
        "language": "de",
    }


@pytest.mark.parametrize(
    ("written", "hour"), [("2025-03-20T23:30:00+02:00", 21), ("2025-03-20 23:30", 23), ("20250320T2330Z", 23)]
)
def test_a_moment_of_consent_may_be_written_in_several_ways(asked: Asked, written: str, hour: int) -> None:
    found = of(asked, consent_at=written)
    assert isinstance(found, Newcomer)
    assert found.consent_at == datetime(2025, 3, 20, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cells", "outcome", "words"),
    [
        ({"email": ""}, Outcome.ADDRESS, "there is no address"),
        ({"email": "carol"}, Outcome.ADDRESS, "does not look like an email address"),
        ({"email": "a@x.org, b@x.org"}, Outcome.ADDRESS, "does not look like an email address"),
        ({"email": "x" * 131_000}, Outcome.ADDRESS, "does not look like an email address"),
        ({"consent_at": ""}, Outcome.CONSENT, "when did they agree?"),
        ({"consent_at": "20/03/2025"}, Outcome.CONSENT, "consent_at is no date such as 2025-03-20: “20/03/2025”"),
        ({"consent_at": "0001-01-01T00:00+14:00"}, Outcome.CONSENT, "is no date"),
        ({"consent_at": "1970-01-01"}, Outcome.CONSENT, "too long ago to be true"),
        ({"consent_at": (NOW + timedelta(seconds=1)).isoformat()}, Outcome.CONSENT, "lies in the future"),
        ({"consent_source": " "}, Outcome.CONSENT, "to which words, did they agree?"),
        ({"consent_source": "x" * 1_001}, Outcome.CONSENT, "longer than 1,000 characters"),
        ({"topics": "graphs;cooking"}, Outcome.MALFORMED, "there is no topic “cooking”"),
        ({"cadence": "hourly"}, Outcome.MALFORMED, "cadence must be daily or weekly or monthly, not “hourly”"),
        ({"weekday": "8"}, Outcome.MALFORMED, "“8” is no weekday"),
        ({"weekdays": "Mon;Xyz"}, Outcome.MALFORMED, "“Xyz” is no weekday"),
        ({"local_hour": "24"}, Outcome.MALFORMED, "a number from 0 to 23, not “24”"),
        ({"local_hour": "²"}, Outcome.MALFORMED, "a number from 0 to 23, not “²”"),
        ({"zone": "Mars/Utopia"}, Outcome.MALFORMED, "“Mars/Utopia” is no IANA time zone"),
        ({"zone": "localtime"}, Outcome.MALFORMED, "“localtime” is no IANA time zone"),
        ({"digest_size": "0"}, Outcome.MALFORMED, "a number from 1 to 20, not “0”"),
        ({"language": "tlh"}, Outcome.MALFORMED, "language must be en or de or fr, not “tlh”"),
        ({"status": "paused"}, Outcome.MALFORMED, "status must be active or unsubscribed, not “paused”"),
        ({"status": "erased"}, Outcome.MALFORMED, "status must be active or unsubscribed, not “erased”"),
    ],
)
def test_what_is_wrong_is_said(asked: Asked, cells: dict[str, str], outcome: Outcome, words: str) -> None:
    found = of(asked, **cells)
    assert isinstance(found, Refusal)
    assert (found.line, found.outcome) == (2, outcome)
    assert words in found.reason
    assert len(found.reason) < 400
    assert len(found.address) <= 101


@pytest.mark.parametrize("row", [Row(2, GOOD, extra=1), Row(2, GOOD, fault="is not UTF-8"), Row(2, {})])
def test_a_row_that_does_not_fit_its_columns_is_refused(asked: Asked, row: Row) -> None:
    assert isinstance(read(row, asked, NOW), Refusal)


@pytest.mark.parametrize("fault", [NOT_UTF8, HAS_NUL])
def test_a_row_that_is_no_text_says_why(asked: Asked, fault: str) -> None:
    found = read(Row(2, GOOD, fault=fault), asked, NOW)
    assert isinstance(found, Refusal)
    assert found.reason == f"it {fault}"


def test_who_is_not_to_be_mailed_need_not_have_agreed(asked: Asked) -> None:
    found = of(asked, status="Unsubscribed", consent_at="", consent_source="")
    assert isinstance(found, Newcomer)
    assert (found.status, found.consent_at) == ("unsubscribed", None)
    assert isinstance(of(asked, status="unsubscribed", consent_at="soon"), Refusal)
