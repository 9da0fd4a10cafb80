"""What is looked at before an edition goes out: the provider's rate, and what DNS says of the sender."""

from collections.abc import Iterator

import pytest
import time_machine
from pytest_django import Settings

from newsletter import census
from newsletter.desk import preflight, sender
from newsletter.desk.checks import Check
from newsletter.models import Edition
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned
from tests.stubs import Names, dns_server

SPF, DMARC, KEY = 'TXT "v=spf1 include:mail.example -all"', 'TXT "v=DMARC1; p=reject"', 'TXT "v=DKIM1; p=MIGf"'


class TestTheProvidersRate:
    @pytest.fixture
    def half_planned(self, edition: Edition, settings: Settings) -> Edition:
        """Of ten daily readers two are planned already; an eleventh is due for a weekly edition of that day."""
        settings.SEND_PER_SECOND = 1.0
        for reader in add_readers(10)[:2]:
            planned(edition, reader)
        Subscriber.objects.create(
            email="w@example.org", status="active", cadence="weekly", weekday=5, next_digest_at=NOW
        )
        census.take(NOW)
        census.follow(NOW)
        return edition

    def test_what_goes_out_in_time_is_fine(self, half_planned: Edition) -> None:
        check = preflight.capacity(half_planned, NOW)
        assert check == Check(
            True, "Mails to go that day: 11; 1 minute at 0.8 a second, besides letters. They expire after 12 hours."
        )

    def test_what_would_expire_first_is_not(self, half_planned: Edition, settings: Settings) -> None:
        settings.SEND_PER_SECOND = 11 / (13 * 3600)
        check = preflight.capacity(half_planned, NOW)
        assert not check.is_fine
        assert "16 hours" in check.words

    def test_of_a_day_that_is_over_only_what_is_planned_is_to_go(self, half_planned: Edition) -> None:
        later = NOW.replace(day=22)
        assert preflight.capacity(half_planned, later).words.startswith("Mails to go that day: 2;")

    def test_a_limit_that_nobody_knows_is_said(self, half_planned: Edition, settings: Settings) -> None:
        settings.SEND_PER_SECOND = 0
        assert "is not known" in preflight.capacity(half_planned, NOW).words


class TestTheSendersDomain:
    @pytest.fixture
    def names(self, settings: Settings) -> Iterator[Names]:
        # Time must pass, or a time-out never comes.
        with dns_server() as names, time_machine.travel(NOW, tick=True):
            settings.LOOK_UP_DOMAINS, settings.DNS_SERVER = True, f"127.0.0.1:{names.port}"
            settings.MAIL_FROM, settings.DKIM_SELECTORS = "papers@news.lab.org", ["s1"]
            yield names

    def faults(self) -> list[str]:
        return [check.words.partition(":")[0] for check in sender.checks() if not check.is_fine]

    def test_a_domain_with_all_three_is_fine(self, names: Names) -> None:
        names.records = {
            "news.lab.org.": [SPF],
            "_dmarc.news.lab.org.": [DMARC],
            "s1._domainkey.news.lab.org.": [KEY],
        }
        assert self.faults() == []

    def test_the_policy_of_the_domain_above_counts(self, names: Names) -> None:
        names.records = {"news.lab.org.": [SPF], "_dmarc.lab.org.": [DMARC], "s1._domainkey.news.lab.org.": [KEY]}
        assert self.faults() == []

    @pytest.mark.parametrize(
        ("records", "fault"),
        [
            ({"news.lab.org.": ['TXT "v=spf10 -all"']}, "SPF"),
            ({"s1._domainkey.news.lab.org.": ['TXT "v=DKIM1; p="']}, "DKIM"),
            ({"_dmarc.news.lab.org.": ['TXT "hello"'], "_dmarc.org.": [DMARC]}, "DMARC"),
        ],
    )
    def test_each_is_missed(self, names: Names, records: dict[str, list[str]], fault: str) -> None:
        whole = {"news.lab.org.": [SPF], "_dmarc.news.lab.org.": [DMARC], "s1._domainkey.news.lab.org.": [KEY]}
        names.records = whole | records
        assert self.faults() == [fault]

    def test_a_key_whose_name_is_not_known_is_asked_for(self, names: Names, settings: Settings) -> None:
        settings.DKIM_SELECTORS = []
        assert self.faults() == ["SPF", "DKIM", "DMARC"]

    def test_silence_is_said_and_soon(self, names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
        names.silent = True
        monkeypatch.setattr(sender, "PATIENCE", 0.1)
        assert self.faults() == ["DNS does not answer"]
        assert names.asked > 0

    def test_nobody_is_asked_unless_the_settings_say_so(self, names: Names, settings: Settings) -> None:
        settings.LOOK_UP_DOMAINS = False
        assert self.faults() == []
        assert names.asked == 0
