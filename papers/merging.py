"""Two rows that turn out to be one work become one.

The row that stays gets everything that hangs on the other, of whatever app: the walk over the relations of Paper needs
to know none of them, and none can be forgotten. Where two rows of a table cannot both stay, that of the paper that
stays does, unless somebody who knows better has decided otherwise on `signals.merging`. The other's number, ids and
title are kept in Merged, so that addresses lead on and no source brings it back.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, ForeignKey, OuterRef, Q, UniqueConstraint

from papers import signals, similar, topics, trends
from papers.matching import TEXT_FIELDS, standing
from papers.models import Authorship, Keyword, Listing, Merged, Paper, PaperTopic

# Made of the paper's own text, and made anew.
DERIVED = (Authorship, Keyword)
FIELDS = (*TEXT_FIELDS, "arxiv_id", "doi", "published_at", "listed_on", "edited_fields")


class MergeError(Exception):
    """They cannot be merged; the message says why."""


@dataclass
class Report:
    """What was done: rows that moved, and rows that could not stay beside another, by kind; fields before and after."""

    moved: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    values: dict[str, list[str]] = field(default_factory=dict)

    def count(self, kind: str, moved: int, left: int) -> None:
        for counts, number in ((self.moved, moved), (self.left, left)):
            if number:
                counts[kind] = counts.get(kind, 0) + number


# Walks over what is to be moved, for whoever watches.
Follow = Callable[[list[ForeignKey[Any, Any]]], Iterable[ForeignKey[Any, Any]]]


def merge(  # noqa: PLR0913 - what an operator can say at the command line, and who watches
    keep: int, drop: int, at: datetime, by: Any, *, dry_run: bool = False, follow: Follow = list
) -> Report:
    """Make the paper of number `drop` part of that of number `keep`; a dry run only says what would be done.

    `by` is the user, or the name of the command, for the record; whoever wants to see how far it is looks on by
    `follow`. Raises MergeError.
    """
    with transaction.atomic():
        both = Paper.objects.select_for_update().order_by("pk").in_bulk([keep, drop])
        if len(both) < 2:
            raise MergeError("These are not two papers that we have.")
        report = _merge(both[keep], both[drop], at, by, follow)
        transaction.set_rollback(dry_run)
    return report


def _merge(keep: Paper, drop: Paper, at: datetime, by: Any, follow: Follow) -> Report:
    report, before = Report(), _values(keep)
    signals.merging.send(Paper, keep=keep, drop=drop)
    _prepare(keep, drop)
    for relation in follow(list(relations())):
        report.count(str(relation.model._meta.verbose_name_plural), *_move(relation, keep, drop))
    former = Merged.objects.create(
        number=drop.pk,
        paper=keep,
        arxiv_id=drop.arxiv_id or "",
        doi=drop.doi or "",
        title_key=drop.title_key,
        first_author=drop.first_author,
        title=drop.title,
        merged_at=at,
    )
    drop.delete()
    _take_over(keep, drop)
    keep.save()
    topics.assign([keep])
    trends.rank([keep])
    trends.normalise()
    similar.index([keep])
    after = _values(keep)
    report.values = {name: [old, after[name]] for name, old in before.items() if after[name] != old}
    signals.merged.send(Paper, paper=keep, former=former, values=report.values, by=by)
    return report


def relations() -> Iterator[ForeignKey[Any, Any]]:
    """Every foreign key to a paper, of every app."""
    for relation in Paper._meta.get_fields(include_hidden=True):
        if (relation.one_to_many or relation.one_to_one) and relation.auto_created:
            yield relation.field  # type: ignore[misc, union-attr]


def _prepare(keep: Paper, drop: Paper) -> None:
    """Of our own rows: which of two stays. An editor's word on a topic before the machine's, the better place."""
    for model in DERIVED:
        model.objects.filter(paper=drop).delete()
    PaperTopic.objects.filter(paper=drop).exclude(source=PaperTopic.Source.EDITOR).delete()
    decided = PaperTopic.objects.filter(paper=drop).values("topic")
    PaperTopic.objects.filter(paper=keep, topic__in=decided).exclude(source=PaperTopic.Source.EDITOR).delete()
    better = Listing.objects.filter(
        paper=drop, source=OuterRef("source"), day=OuterRef("day"), place__lt=OuterRef("place")
    )
    Listing.objects.filter(Exists(better), paper=keep).delete()


def _move(relation: ForeignKey[Any, Any], keep: Paper, drop: Paper) -> tuple[int, int]:
    """Move all rows of `drop` that may stand beside those of `keep`, and delete the others; how many of each."""
    rows = relation.model._base_manager.filter(**{relation.attname: drop.pk})
    left = 0
    for others, condition in _unique_with(relation):
        same = {relation.attname: keep.pk} | {name: OuterRef(name) for name in others}
        left += rows.filter(condition, Exists(relation.model._base_manager.filter(condition, **same))).delete()[0]
    return rows.update(**{relation.attname: keep.pk}), left


def _unique_with(relation: ForeignKey[Any, Any]) -> Iterator[tuple[list[str], Q]]:
    """Of each rule that allows a paper once: the other fields that it is about, and the rows that it holds for."""
    meta = relation.model._meta
    if relation.unique:
        yield [], Q()
    for names in meta.unique_together:
        if relation.name in names:
            yield [name for name in names if name != relation.name], Q()
    for rule in meta.constraints:
        if isinstance(rule, UniqueConstraint) and relation.name in rule.fields:
            yield [name for name in rule.fields if name != relation.name], rule.condition or Q()


def _take_over(keep: Paper, drop: Paper) -> None:
    """Let the row that stays learn from the other: what it lacks, better text, and what a person has set."""
    better = standing(drop) > standing(keep)
    mine, theirs = set(keep.edited_fields), set(drop.edited_fields)
    for name in TEXT_FIELDS:
        value = getattr(drop, name)
        if value and name not in mine and (better or name in theirs or not getattr(keep, name)):
            setattr(keep, name, value)
            mine |= {name} & theirs
    keep.edited_fields = sorted(mine)
    keep.arxiv_id, keep.doi = keep.arxiv_id or drop.arxiv_id, keep.doi or drop.doi
    keep.published_at = min(filter(None, [keep.published_at, drop.published_at]), default=None)
    keep.listed_on = max(filter(None, [keep.listed_on, drop.listed_on]), default=None)


def _values(paper: Paper) -> dict[str, str]:
    return {name: str(getattr(paper, name)) for name in FIELDS}
