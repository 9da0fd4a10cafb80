"""Which papers may be one work. Proposed to an editor, who merges them (papers/merging.py) or does not.

What a source names by an id that we know never becomes a second row (papers/identity.py). What remains are two
spellings of a title, a row whose id stands only in its links, and rows from before a source knew the id.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from django.db.models import Q
from rapidfuzz.fuzz import ratio
from rapidfuzz.process import cdist

from papers.identity import arxiv_ids, doi
from papers.models import Paper
from papers.similar import similar

ALIKE = 90.0  # of 100: two titles that differ in a word or a sign
LOOKED_AT = 20  # papers of the same words, whose titles are compared
LATEST = 1_000  # papers that are compared with each other
MOST = 50  # pairs shown


@dataclass(frozen=True)
class Pair:
    """Two papers, and why they may be one. The one to keep is the one with the better id, else the older row."""

    keep: Paper
    drop: Paper
    why: str

    @classmethod
    def of(cls, one: Paper, other: Paper, why: str) -> "Pair":
        first, second = sorted((one, other), key=lambda paper: (not paper.arxiv_id, not paper.doi, paper.pk))
        return cls(first, second, why)


def of(paper: Paper) -> list[Pair]:
    """The papers that may be this one, surest first. Five queries, each by an index."""
    named = Q(arxiv_id__in=_ids_in_links(paper)) | Q(doi__in=_dois_in_links(paper)) | Q(title_key=paper.title_key)
    others = {one.pk: one for one in Paper.objects.filter(named).exclude(pk=paper.pk).order_by("pk")[:LOOKED_AT]}
    others |= {one.pk: one for one in similar(paper, LOOKED_AT)}
    return [Pair.of(paper, other, why) for other in others.values() if (why := reason(paper, other))]


def latest() -> list[Pair]:
    """Pairs among the LATEST papers, in one query. Titles are compared in memory: a million pairs take a second."""
    known = ("title", "title_key", "arxiv_id", "doi", "url", "pdf_url", "listed_on")
    papers = list(Paper.objects.only(*known).order_by("-pk")[:LATEST])
    found: dict[tuple[int, int], Pair] = {}
    for one, other in (*_linked(papers), *_alike(papers)):
        if why := reason(one, other):
            found.setdefault((one.pk, other.pk), Pair.of(one, other, why))
    return list(found.values())[:MOST]


def reason(one: Paper, other: Paper) -> str:
    """Why they may be one work, in words; "" where nothing says so."""
    if links := (_ids_in_links(one) & _ids_in_links(other)) | (_dois_in_links(one) & _dois_in_links(other)):
        return f"both name {min(links)}"
    if one.arxiv_id and other.arxiv_id:
        return ""  # arXiv itself tells them apart
    if one.title_key == other.title_key:
        return "the same title"
    likeness = ratio(one.title.casefold(), other.title.casefold())
    return f"titles {likeness:.0f} % alike" if likeness >= ALIKE else ""


def _linked(papers: Iterable[Paper]) -> Iterator[tuple[Paper, Paper]]:
    by_id: dict[str, list[Paper]] = {}
    for paper in papers:
        for name in _ids_in_links(paper) | _dois_in_links(paper):
            by_id.setdefault(name, []).append(paper)
    for those in by_id.values():
        yield from combinations(those, 2)


def _alike(papers: list[Paper]) -> Iterator[tuple[Paper, Paper]]:
    titles = [paper.title.casefold() for paper in papers]
    table = cdist(titles, titles, scorer=ratio, score_cutoff=ALIKE)
    for row, column in zip(*table.nonzero(), strict=True):
        if row < column:
            yield papers[row], papers[column]


def _ids_in_links(paper: Paper) -> set[str]:
    links = f"{paper.url} {paper.pdf_url} {paper.doi or ''}".casefold()
    return set(filter(None, [paper.arxiv_id])) | set(arxiv_ids(links) if "arxiv" in links else ())


def _dois_in_links(paper: Paper) -> set[str]:
    return {name for name in (paper.doi, doi(paper.url), doi(paper.pdf_url)) if name}
