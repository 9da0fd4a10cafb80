"""What became of everybody, asked on both sides: what the ledger says, and what the provider wrote down.

Each reader has one digest. Of each digest the provider has exactly one acceptance, or none and a state that says why,
or it is in doubt.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from newsletter.delivery import invariants
from newsletter.models import Digest, Edition
from subscribers.models import Subscriber

Status = Digest.Status
HEAD = ("scenario", "moments", "planned", "accepted once", "zero, with reason", "in doubt", "twice", "recovery, s")


@dataclass(frozen=True)
class Verdict:
    """A row of the table. `moments`: how often harm was done; `recovery`: seconds from the last of it to the end."""

    scenario: str
    moments: int
    planned: int
    once: int
    zero: int
    in_doubt: int
    twice: int
    recovery: float


verdicts: list[Verdict] = []  # of this run


def judge(scenario: str, acceptances: Iterable[UUID], planned: int, moments: int, recovery: float) -> Verdict:
    """Compare the two, and put the result into the table. Raises AssertionError with digests that break the promise.

    `planned` is how many digests there must be, one for each reader: who has none was forgotten.
    """
    accepted = Counter(acceptances)
    states = {uid: (Status(status), reason) for uid, status, reason in rows()}
    doubts = [uid for uid, (status, _) in states.items() if status is Status.IN_DOUBT]
    once = [uid for uid, (status, _) in states.items() if status in Status.sent() and accepted[uid] == 1]
    zero = [uid for uid, (status, why) in states.items() if not (status in Status.sent() or accepted[uid]) and why]
    twice = [uid for uid, copies in accepted.items() if copies > 1]
    verdict = Verdict(
        scenario, moments, len(states), len(once), len(set(zero) - set(doubts)), len(doubts), len(twice), recovery
    )
    verdicts.append(verdict)
    unexplained = states.keys() - {*doubts, *once, *zero}
    assert not twice, f"mailed twice: {[(str(uid), states.get(uid)) for uid in twice[:5]]}"
    assert not accepted.keys() - states.keys(), "the provider has what the ledger does not know"
    assert not unexplained, f"what the ledger says is not so: {[(states[uid], accepted[uid]) for uid in unexplained]}"
    assert len(states) == planned, f"{planned} digests were to be planned"
    forgotten = Subscriber.objects.exclude(pk__in=Digest.objects.values("subscriber"))
    assert not forgotten.exists(), f"forgotten: {forgotten[:5]}"
    assert_the_ledger_holds()
    return verdict


def rows() -> Iterator[tuple[UUID, str, str]]:
    return Digest.objects.values_list("uid", "status", "reason").iterator()


def assert_the_ledger_holds() -> None:
    """The accounting equation, edition by edition, and everything that `manage.py ledger check` asks."""
    for edition in Edition.objects.annotate(planned=Count("digests")):
        accounts = edition.accounts()
        ends = sum(number for status, number in accounts.items() if status not in Status.unsettled())
        assert ends == edition.planned, f"{edition}: {accounts}"
    broken = [(rule.claim, names) for rule, names, _ in invariants.broken(invariants.rules(timezone.now()), most=5)]
    assert not broken, broken


def table(found: Iterable[Verdict]) -> list[str]:
    """The verdicts in lines."""
    cells = [HEAD, *((*astuple(one)[:-1], f"{one.recovery:.1f}") for one in found)]
    widths = [max(len(str(row[column])) for row in cells) for column in range(len(HEAD))]
    return [
        " | ".join(str(cell).ljust(width) if not place else str(cell).rjust(width) for place, (cell, width) in pairs)
        for pairs in (list(enumerate(zip(row, widths, strict=True))) for row in cells)
    ]
