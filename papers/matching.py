"""Which row a record belongs to, and what a row learns from it. Pure: it queries nothing.

The rule of identity stands in papers/identity.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from papers.models import Merged, Paper
    from papers.records import PaperRecord

TEXT_FIELDS = ("title", "abstract", "authors", "categories", "url", "pdf_url", "code_url")
MERGED_FIELDS = (*TEXT_FIELDS, "arxiv_id", "doi", "title_key", "first_author", "published_at")


@dataclass
class UpsertResult:
    """What an upsert did.

    `found` counts records, `listed` the listings that are new or have moved, `read` the new readings; the
    rest is about papers, each counted once, however often the records speak of it.
    """

    found: int = 0
    listed: int = 0
    read: int = 0
    paper_ids: list[int] = field(default_factory=list)
    new_ids: set[int] = field(default_factory=set)
    updated_ids: set[int] = field(default_factory=set)

    @property
    def new(self) -> int:
        return len(self.new_ids)

    @property
    def updated(self) -> int:
        return len(self.updated_ids - self.new_ids)

    @property
    def unchanged(self) -> int:
        return len(self.paper_ids) - self.new - self.updated

    @property
    def changed_anything(self) -> bool:
        return bool(self.new_ids or self.updated_ids or self.listed or self.read)

    def add(self, other: UpsertResult) -> None:
        """Take in what a further chunk did."""
        self.found += other.found
        self.listed += other.listed
        self.read += other.read
        self.paper_ids = list(dict.fromkeys([*self.paper_ids, *other.paper_ids]))
        self.new_ids |= other.new_ids
        self.updated_ids |= other.updated_ids


class Shelf:
    """Rows, found by arXiv id, DOI or title, also by those of rows that were merged into them."""

    def __init__(self, papers: Iterable[Paper], merged: Iterable[Merged] = ()) -> None:
        self._by_arxiv: dict[str, Paper] = {}
        self._by_doi: dict[str, Paper] = {}
        self._by_title: defaultdict[str, list[Paper]] = defaultdict(list)
        self._by_former_id: dict[str, Paper] = {}
        self._by_former_title: dict[tuple[str, str], Paper] = {}
        rows = {paper.pk: paper for paper in papers}
        for paper in rows.values():
            self.add(paper)
        for one in merged:
            self._by_former_id |= dict.fromkeys(filter(None, [one.arxiv_id, one.doi]), rows[one.paper_id])
            self._by_former_title[one.title_key, one.first_author] = rows[one.paper_id]

    def add(self, paper: Paper) -> None:
        """Put a row where its present ids and title are looked for; again is harmless."""
        if paper.arxiv_id:
            self._by_arxiv[paper.arxiv_id] = paper
        if paper.doi:
            self._by_doi[paper.doi] = paper
        if paper not in (same_title := self._by_title[paper.title_key]):
            same_title.append(paper)

    def find(self, record: PaperRecord) -> Paper | None:
        """The row of the record's work, or None."""
        by_id = self._by_arxiv.get(record.arxiv_id or "") or self._by_doi.get(record.doi or "")
        if by_id and not _contradict(by_id.arxiv_id, record.arxiv_id):
            return by_id
        if former := self._by_former_id.get(record.arxiv_id or "") or self._by_former_id.get(record.doi or ""):
            return former
        mine = [paper for paper in self._by_title[record.title_key] if _may_be(paper, record)]
        # The same author before nobody's name.
        mine.sort(key=lambda paper: paper.first_author != record.first_author_key)
        return mine[0] if mine else self._formerly(record)

    def _formerly(self, record: PaperRecord) -> Paper | None:
        """The row that one of this very title and author was merged into."""
        paper = self._by_former_title.get((record.title_key, record.first_author_key))
        return paper if paper and not _contradict(paper.arxiv_id, record.arxiv_id) else None

    def is_free(self, record: PaperRecord, paper: Paper) -> bool:
        """Whether no other row has the record's DOI: two rows of one work are never merged silently."""
        return self._by_doi.get(record.doi or "", paper) is paper


def absorb(paper: Paper, record: PaperRecord, *, take_doi: bool) -> bool:
    """Let the row learn from the record; True if it changed.

    A source that knows the work by an id as good as ours brings the newer text. A poorer one (a page
    without ids, which has lost half the formulae) only fills what is empty, and so does one that calls it by the name
    of a row that was merged into this. What a person has edited stays.
    """
    before = {name: getattr(paper, name) for name in MERGED_FIELDS}
    newer = standing(record) >= standing(paper) and _is_own_name(paper, record)
    kept = {name: before[name] for name in paper.edited_fields if name in before}
    for name in TEXT_FIELDS:
        value = getattr(record, name)
        value = list(value) if isinstance(value, tuple) else value
        if value and (newer or not getattr(paper, name)):
            setattr(paper, name, value)
    paper.arxiv_id = paper.arxiv_id or record.arxiv_id
    paper.doi = paper.doi or (record.doi if take_doi else None)
    # The first version's date: later versions do not make a paper younger.
    paper.published_at = min(filter(None, [paper.published_at, record.published_at]), default=None)
    for name, value in kept.items():
        setattr(paper, name, value)
    paper.set_keys()
    return before != {name: getattr(paper, name) for name in MERGED_FIELDS}


def standing(work: Paper | PaperRecord) -> int:
    """How well somebody knows a work: by its arXiv id, by its DOI, or by its title alone."""
    return 2 if work.arxiv_id else 1 if work.doi else 0


def _is_own_name(paper: Paper, record: PaperRecord) -> bool:
    """Whether the record calls the row by its own id or title."""
    if _contradict(paper.arxiv_id, record.arxiv_id):
        return False
    pairs = ((paper.arxiv_id, record.arxiv_id), (paper.doi, record.doi), (paper.title_key, record.title_key))
    return any(ours and ours == theirs for ours, theirs in pairs)


def _may_be(paper: Paper, record: PaperRecord) -> bool:
    same_author = paper.first_author == record.first_author_key
    return (
        (same_author or not paper.first_author or not record.first_author_key)
        and not _contradict(paper.arxiv_id, record.arxiv_id)
        and not (_contradict(paper.doi, record.doi) and not (paper.arxiv_id and record.arxiv_id))
    )


def _contradict(ours: str | None, theirs: str | None) -> bool:
    return bool(ours and theirs and ours != theirs)
