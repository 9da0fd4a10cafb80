"""Papers, one row per work."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import islice
from typing import Any, Self

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone
from django.utils.text import slugify

from papers.identity import first_author_key, title_key
from papers.matching import MERGED_FIELDS, Shelf, UpsertResult, absorb
from papers.models.authors import Authorship
from papers.models.merged import Merged
from papers.models.popularity import Listing, Reading
from papers.models.topics import BELONGS, PaperTopic, Topic
from papers.records import ListingRecord, PaperRecord, ReadingRecord

UPSERT_CHUNK = 500  # records a transaction
SLUG_LENGTH = 60  # characters


class PaperQuerySet(models.QuerySet["Paper"]):
    def listed(self, since: date, until: date) -> Self:
        """Listed after `since` and no later than `until`. Windows go by listing, never by publication."""
        return self.filter(listed_on__gt=since, listed_on__lte=until)

    def shown(self, since: date | None, until: date | None) -> Self:
        """On any list from `since` to `until`, both included, whenever it was listed again since; None is open."""
        days = Q(day__gte=since) if since else Q()
        days &= Q(day__lte=until) if until else Q()
        return self.filter(pk__in=Listing.objects.filter(days).values("paper"))

    def about(self, topic: Topic) -> Self:
        """Of one topic and listed at least once, hottest first, by the index of PaperTopic."""
        mine = self.filter(paper_topics__topic=topic, paper_topics__strength__gte=BELONGS, listed_on__isnull=False)
        return mine.order_by("-paper_topics__hot", "paper_topics__paper")

    def by_author(self, key: str) -> Self:
        """By anybody of that name (papers/identity.py), hottest first."""
        return self.filter(authorships__key=key).trending()

    def trending(self) -> Self:
        """Hottest first; ties by row, so that the order never wavers."""
        return self.order_by("-hot", "pk")

    def noticed(self) -> Self:
        """Most noticed first, whatever the day: the order of an archive page."""
        return self.order_by("-notice", "pk")

    def upsert(self, records: Iterable[PaperRecord], at: datetime | None = None) -> UpsertResult:
        """Store records, each with its listing and reading, in chunks of one transaction each.

        A work that is known is updated, whatever source or version it comes from; the same records twice
        change nothing.
        """
        result = UpsertResult()
        remaining = iter(records)
        while chunk := list(islice(remaining, UPSERT_CHUNK)):
            try:
                result.add(self._upsert_chunk(chunk, at or timezone.now()))
            except IntegrityError:
                # Another importer stored one of these works a moment earlier: now its row is seen.
                result.add(self._upsert_chunk(chunk, at or timezone.now()))
        return result

    @transaction.atomic
    def _upsert_chunk(self, records: list[PaperRecord], at: datetime) -> UpsertResult:
        called = (
            Q(arxiv_id__in={record.arxiv_id for record in records if record.arxiv_id})
            | Q(doi__in={record.doi for record in records if record.doi})
            | Q(title_key__in={record.title_key for record in records})
        )
        merged = list(Merged.objects.filter(called).order_by("merged_at"))
        shelf = Shelf(self.filter(called | Q(pk__in={one.paper_id for one in merged})).order_by("pk"), merged)
        papers, new, updated, known = [], [], [], []
        for record in records:
            paper = shelf.find(record)
            if paper is None and record.only_known:
                continue
            known.append(record)
            if paper is None:
                new.append(paper := Paper())
            changed = absorb(paper, record, take_doi=shelf.is_free(record, paper))
            if changed and paper.pk and paper not in updated:
                updated.append(paper)
            shelf.add(paper)
            papers.append(paper)
        for paper in updated:
            paper.updated_at = at
        self.bulk_create(new)
        self.bulk_update(updated, [*MERGED_FIELDS, "updated_at"])
        Authorship.objects.store({paper.pk: paper for paper in [*new, *updated]}.values())
        pairs = list(zip(papers, known, strict=True))
        return UpsertResult(
            found=len(known),
            listed=_store_listings([(paper, r.listing) for paper, r in pairs if r.listing]),
            read=_store_readings([(paper, r.reading) for paper, r in pairs if r.reading]),
            paper_ids=list(dict.fromkeys(paper.pk for paper in papers)),
            new_ids={paper.pk for paper in new},
            updated_ids={paper.pk for paper in updated},
        )

    def youngest_first(self) -> Self:
        """By `dated`: the day of the first version, else of the latest listing, else of our first sight."""
        dated = Coalesce(TruncDate("published_at"), "listed_on", TruncDate("created_at"))
        return self.annotate(dated=dated).order_by("-dated", "-pk")

    def numbers_by_arxiv_id(self, ids: Iterable[str]) -> dict[str, int]:
        """Their rows, also of those that were merged into another."""
        wanted = list(ids)
        former = Merged.objects.filter(arxiv_id__in=wanted).values_list("arxiv_id", "paper_id")
        return dict(former) | {
            one.arxiv_id: one.pk for one in self.filter(arxiv_id__in=wanted).only("arxiv_id") if one.arxiv_id
        }

    def labelled(self) -> Self:
        """Whose topics somebody knows: the authors by their categories, or an editor."""
        decided = PaperTopic.objects.filter(paper=models.OuterRef("pk"), source=PaperTopic.Source.EDITOR)
        return self.filter(~Q(categories=[]) | models.Exists(decided))


class Paper(models.Model):
    """A research paper as the world published it: one row per work, whatever version or source."""

    arxiv_id = models.CharField(
        "arXiv id", max_length=32, unique=True, null=True, blank=True, help_text="Without a version: 2603.01234."
    )
    doi = models.CharField(
        "DOI", max_length=255, unique=True, null=True, blank=True, help_text="From its 10. on: 10.1000/182."
    )
    title_key = models.CharField(
        max_length=64,
        editable=False,
        help_text="With the first author, identity where a source gives no id: see papers/identity.py.",
    )
    first_author = models.CharField(max_length=100, blank=True, editable=False)
    title = models.CharField(max_length=500)
    abstract = models.TextField(blank=True)
    authors = models.JSONField(default=list, blank=True, help_text="One name on a line, in their order.")
    categories = models.JSONField(
        default=list, blank=True, help_text="One arXiv category on a line, such as cs.LG; the primary one first."
    )
    published_at = models.DateTimeField(null=True, blank=True, help_text="When its first version came out, in UTC.")
    url = models.URLField(max_length=500, blank=True, help_text="The abstract page.")
    pdf_url = models.URLField("PDF", max_length=500, blank=True, help_text="The address of its PDF.")
    code_url = models.URLField("code", max_length=500, blank=True, help_text="The repository of its code.")
    edited_fields = models.JSONField(
        default=list, blank=True, editable=False, help_text="What a person has set: no source writes over it."
    )
    topics = models.ManyToManyField(Topic, through="PaperTopic", related_name="papers")
    # Derived from listings and readings, and kept here to be sorted by: papers/trends.py.
    listed_on = models.DateField(null=True, blank=True, editable=False)
    hot = models.FloatField(default=0, editable=False, help_text="The trend score of papers/trends.py.")
    notice = models.FloatField(default=0, editable=False, help_text="The trend score without its date.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    dated: date  # where youngest_first() was asked for

    objects = PaperQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["title_key", "first_author"],
                condition=Q(arxiv_id=None, doi=None),
                name="paper_without_ids_is_unique_by_title",
            ),
        ]
        indexes = [
            models.Index(fields=["title_key"], name="paper_title_key"),  # upsert
            models.Index(fields=["-listed_on", "-hot"], name="paper_listed_hot"),  # home, pools
            models.Index(fields=["-hot", "id"], name="paper_hot"),  # the best of everything: feeds, the API
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep identity in step with the text, also when an editor corrects a title.

        An id left empty in a form is none: two works without a DOI do not share one.
        """
        self.arxiv_id, self.doi = self.arxiv_id or None, self.doi or None
        self.set_keys()
        super().save(*args, **kwargs)
        Authorship.objects.store([self])

    def set_keys(self) -> None:
        """Derive what papers/identity.py compares from title and authors."""
        self.title_key, self.first_author = title_key(self.title), first_author_key(self.authors)

    @property
    def slug(self) -> str:
        """A readable end for the paper's address; it carries no identity."""
        whole = slugify(self.title)
        shortened = whole[:SLUG_LENGTH].rpartition("-")[0] if len(whole) > SLUG_LENGTH else whole
        return shortened.strip("-") or whole[:SLUG_LENGTH] or "paper"


def _store_listings(pairs: list[tuple[Paper, ListingRecord]]) -> int:
    """Store new and moved listings, and the day of the latest; how many there were."""
    days = {listed.day for _, listed in pairs}
    known = {
        (row.paper_id, row.source, row.day): row
        for row in Listing.objects.filter(paper__in={paper.pk for paper, _ in pairs}, day__in=days)
    }
    changed: list[Listing] = []
    seen: set[tuple[int, str, date]] = set()
    for paper, listed in pairs:
        key = (paper.pk, listed.source, listed.day)
        if key in seen:  # shown twice in one page: the first place counts
            continue
        seen.add(key)
        row = known.get(key) or Listing(paper=paper, source=listed.source, day=listed.day)
        if row.pk is None or row.place != listed.place:
            row.place = listed.place
            changed.append(row)
    Listing.objects.bulk_update([row for row in changed if row.pk], ["place"])
    Listing.objects.bulk_create([row for row in changed if row.pk is None])
    later: dict[int, Paper] = {}
    for paper, listed in pairs:
        if paper.listed_on is None or paper.listed_on < listed.day:
            paper.listed_on = listed.day
            later[paper.pk] = paper
    Paper.objects.bulk_update(later.values(), ["listed_on"])
    return len(changed)


def _store_readings(pairs: list[tuple[Paper, ReadingRecord]]) -> int:
    """Append readings; one of an instant that is known stays as it was. How many were new."""
    instants = {taken.taken_at for _, taken in pairs}
    known = set(
        Reading.objects.filter(paper__in={paper.pk for paper, _ in pairs}, taken_at__in=instants).values_list(
            "paper_id", "taken_at"
        )
    )
    rows = {
        (paper.pk, taken.taken_at): Reading(paper=paper, **vars(taken))
        for paper, taken in pairs
        if (paper.pk, taken.taken_at) not in known
    }
    Reading.objects.bulk_create(rows.values())
    return len(rows)
