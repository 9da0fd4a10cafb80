"""When two papers turn out to be one (papers/merging.py): what of the readers' and the editors' rows stays.

What can stay moves by itself. Here is decided about two that cannot both, so that nothing of a reader's is lost: the
last word on a paper stands, and a digest keeps each of its papers, with the links to them.
"""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from newsletter import audit
from newsletter.models import Digest, DigestPaper, EditionPaper, Feedback
from papers.models import Merged, Paper

Choice = EditionPaper.Choice
WATCHED = timedelta(days=2)  # after a merging: a run lasts for seconds, and may lie still while nothing sweeps up


def settle(keep: Paper, drop: Paper) -> None:
    """Within the transaction of the merging, before its rows move."""
    _last_words(keep, drop)
    _decisions(keep, drop)
    _sent(keep, drop)


def catch_up(at: datetime) -> int:
    """Move what workers wrote of a paper that had been merged since they chose it; returns how many rows."""
    moved = 0
    late = Merged.objects.filter(Exists(DigestPaper.objects.filter(paper=OuterRef("number"))))
    for former in late.filter(merged_at__gt=at - WATCHED).select_related("paper"):
        keep, drop = former.paper, Paper(pk=former.number)
        with transaction.atomic():
            if _are_free(rows := DigestPaper.objects.filter(paper=drop)):
                _sent(keep, drop)
                _going(keep, drop).delete()
                moved += rows.update(paper=keep)
    return moved


def _are_free(rows: QuerySet[DigestPaper]) -> bool:
    """Whether no worker has one of their digests in hand; then none takes it, before the transaction is over. A worker
    writes down a digest first and its papers then: who did it the other way round might end both waiting.
    """
    theirs = Digest.objects.filter(pk__in=rows.values("digest")).exclude(status__in=Digest.Status.held())
    free = set(theirs.select_for_update(skip_locked=True).values_list("pk", flat=True))
    return free >= set(rows.order_by().values_list("digest", flat=True))


def _last_words(keep: Paper, drop: Paper) -> None:
    later = Feedback.objects.filter(paper=drop, subscriber=OuterRef("subscriber"), at__gt=OuterRef("at"))
    Feedback.objects.filter(Exists(later), paper=keep).delete()


def _decisions(keep: Paper, drop: Paper) -> None:
    """A ban is for the work, in all editions; a pin is for its own edition."""
    both = EditionPaper.objects.filter(paper__in=[keep, drop])
    if EditionPaper.objects.banned_of([keep.pk, drop.pk]):
        both.update(choice=Choice.BANNED, place=0)
    for pin in both.filter(paper=drop, choice=Choice.PINNED):
        same = both.filter(paper=keep, edition=pin.edition_id, choice=Choice.POOL)
        same.update(choice=Choice.PINNED, place=pin.place)


def _sent(keep: Paper, drop: Paper) -> None:
    _sent_twice(keep, drop, "digest__lte")
    _sent_twice(drop, keep, "digest__lt")
    _sent_thrice(keep, drop)


def _sent_twice(first: Paper, second: Paper, earlier: str) -> None:
    """Who got `first`, and later `second`, got the work twice: the second is their one further mention of it.

    Whoever had that mention already cannot have another; then the row goes, and with it what was sent three times.
    """
    twice = _told(first, rising=False).filter(**{earlier: OuterRef("digest")})
    mentioned = _told(first, second, rising=True)
    rows = DigestPaper.objects.filter(Exists(twice), ~Exists(mentioned), paper=second, rising=False)
    rows.update(rising=True)


def _sent_thrice(keep: Paper, drop: Paper) -> None:
    """Of what goes because it was sent three times: a digest that has nothing else left says so."""
    going = _going(keep, drop)
    staying = DigestPaper.objects.filter(digest=OuterRef("pk")).exclude(pk__in=going.values("pk"))
    Digest.objects.filter(~Exists(staying), pk__in=going.values("digest")).update(merged_away=True)


def _going(keep: Paper, drop: Paper) -> QuerySet[DigestPaper]:
    """The rows that cannot stay beside one of the paper that does."""
    return DigestPaper.objects.filter(Exists(_told(keep, rising=OuterRef("rising"))), paper=drop)


def _told(*papers: Paper, rising: bool | OuterRef) -> QuerySet[DigestPaper]:
    return DigestPaper.objects.filter(subscriber=OuterRef("subscriber"), paper__in=papers, rising=rising)


def put_on_record(paper: Paper, former: Merged, values: dict[str, list[str]], by: User | str) -> None:
    """Who merged what into which paper, with the paper's values before and after; `by` is a user or a command."""
    deed = f"merged paper {former.number} into it: {former.title}"[: audit.LONGEST]
    if isinstance(by, str):
        audit.note(by, [paper], deed, values)
    else:
        audit.write(by.pk, [paper], [{"action": deed, "values": values}])
