"""Editions, and the pools of papers they draw from."""

from collections.abc import Iterable
from copy import copy
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Count, Exists, Max, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from papers.archive import Period
from papers.models import Paper
from subscribers.models.subscribers import EARLIEST_CLOCK
from subscribers.schedule import Cadence


class EditionQuerySet(models.QuerySet["Edition"]):
    def public(self, at: datetime) -> Self:
        """Mailed to everybody of a cadence, of a day that has begun somewhere, and not stopped: what the archive shows,
        the latest first."""
        begun = self.filter(status=Edition.Status.OPEN, date__lte=(at + EARLIEST_CLOCK).date())
        return begun.exclude(kind=Edition.Kind.SAMPLE).order_by("-date", "kind")

    def with_state(self) -> Self:
        """Each with what its `state` is read from: two lookups in the index of its accounts."""
        ledger: Any = Edition.digests.rel.related_model
        digests = ledger.objects.filter(edition=OuterRef("pk"))
        unsettled = digests.filter(status__in=ledger.Status.unsettled())
        return self.annotate(is_planned=Exists(digests), is_going_out=Exists(unsettled))

    def undrawn(self) -> Self:
        """Those that were opened when there was no paper to draw. What an editor pins does not make a pool."""
        return self.filter(drawn_at=None)

    def pause(self, reason: str = "") -> int:
        """Hold back what has not gone; `reason` says why, where no person does it."""
        return self.filter(status=Edition.Status.OPEN).update(status=Edition.Status.PAUSED, reason=reason)

    def resume(self) -> int:
        """Let them go on. A person has looked: what was counted against them is forgotten."""
        stopped = self.filter(status=Edition.Status.PAUSED)
        stopped.exclude(reason="").let_all_follow()
        return stopped.update(status=Edition.Status.OPEN, reason="", bounced=0, complained=0)

    def hold(self) -> int:
        """Let nothing out until a person approves it."""
        return self.filter(status=Edition.Status.OPEN).update(status=Edition.Status.HELD, reason="")

    def approve(self) -> int:
        """A person has looked at what waits: it goes as it would have gone by itself."""
        return self.filter(status=Edition.Status.HELD).update(status=Edition.Status.OPEN, reason="")

    def send_some_first(self, size: int) -> int:
        """Let so many copies of each go ahead of the others, in editions that are open or wait for approval and have
        sent none ahead before.
        """
        under_way = self.filter(status__in=[Edition.Status.OPEN, Edition.Status.HELD], canary=Edition.Canary.NONE)
        return under_way.update(canary=Edition.Canary.AHEAD, canary_size=size)

    def let_all_follow(self) -> int:
        """Let the others go too, whatever became of the first copies."""
        return self.filter(canary=Edition.Canary.AHEAD).update(canary=Edition.Canary.WELL)

    def cancel(self) -> int:
        """For good: the next sweep ends what has not gone."""
        return self.exclude(status=Edition.Status.CANCELLED).update(status=Edition.Status.CANCELLED)


class Edition(models.Model):
    """One issue of one cadence for one date; its pool of papers is frozen when it opens."""

    class Kind(models.TextChoices):
        """The cadences, and what a reader asks for in between."""

        DAILY = Cadence.DAILY.value, _("Daily")
        WEEKLY = Cadence.WEEKLY.value, _("Weekly")
        MONTHLY = Cadence.MONTHLY.value, _("Monthly")
        SAMPLE = "sample", _("On request")

    class Status(models.TextChoices):
        OPEN = "open", "open"
        HELD = "held", "waits for approval"
        PAUSED = "paused", "paused"
        CANCELLED = "cancelled", "cancelled"

    class Canary(models.TextChoices):
        """Whether the first few copies go ahead, and the rest waits for what becomes of them."""

        NONE = "", "none"
        AHEAD = "ahead", "the first copies go ahead"
        WELL = "well", "the first copies went well"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    date = models.DateField(help_text="The reader's local date.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    reason = models.CharField(
        max_length=300, blank=True, help_text="Why it is paused or waits, where no person decided that."
    )
    canary = models.CharField(max_length=5, choices=Canary.choices, default=Canary.NONE, blank=True, editable=False)
    canary_size = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="How many go ahead; 0 is as the settings say."
    )
    # Counted as providers tell, so that nobody counts a ledger: since it opened, or was last resumed.
    bounced = models.PositiveIntegerField(default=0, editable=False, help_text="Hard bounces.")
    complained = models.PositiveIntegerField(default=0, editable=False)
    note = models.TextField(blank=True, help_text="The editor's note, shown above the papers.")
    revision = models.PositiveSmallIntegerField(
        default=0, db_default=0, editable=False, help_text="How often an editor changed it for digests not yet planned."
    )
    papers = models.ManyToManyField(Paper, through="EditionPaper", related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True)
    # By the database, where a program of before opens one: it draws at once, or never.
    drawn_at = models.DateTimeField(null=True, editable=False, db_default=Now(), help_text="When its pool was drawn.")

    objects = EditionQuerySet.as_manager()

    class Meta:
        ordering = ["-date", "kind"]
        permissions = [("approve_edition", "Can approve an edition that waits for it")]
        constraints = [
            models.UniqueConstraint(fields=["kind", "date"], name="one_edition_per_kind_and_date"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.date}"

    @property
    def state(self) -> str:
        """How it stands, in a word or two: the same ones on every page and in every command."""
        if self.status != Edition.Status.OPEN:
            return self.get_status_display()
        if self.is_going_out:
            return "going out"
        return "gone out" if self.is_planned else "open"

    @cached_property
    def is_planned(self) -> bool:
        """Whether it has digests."""
        return self.digests.exists()

    @cached_property
    def is_going_out(self) -> bool:
        """Whether something is still to happen to any of them."""
        return self.digests.filter(status__in=self.digests.model.Status.unsettled()).exists()

    @property
    def period(self) -> Period:
        """Its day, as the archive names days."""
        return Period.day(self.date)

    @property
    def welcome_for(self) -> timedelta:
        """How long after its hour a copy is still a service; then it expires. A rare edition is welcome for longer."""
        times = {Edition.Kind.WEEKLY.value: 4, Edition.Kind.MONTHLY.value: 10}.get(self.kind, 1)
        return settings.DIGEST_EXPIRES_AFTER * times

    def revise(self) -> None:
        """Before an editor changes it: keep it as it is for digests planned already. Call it in a transaction.

        What waits for papers goes as it is when they come: nothing was chosen yet. What waits for approval goes as it
        is when it is approved, unless some of it had gone before.
        """
        now = Edition.objects.select_for_update().get(pk=self.pk)
        planned = now.digests.filter(revision=now.revision)
        statuses = self.digests.model.Status
        begun = planned.filter(status__in=[statuses.CLAIMED, *statuses.possibly_sent()])
        waits = now.drawn_at is None or (now.status == Edition.Status.HELD and not begun.exists())
        if not waits and planned.exists():
            now.revisions.create(number=now.revision, note=now.note, pins=now.pins())
            Edition.objects.filter(pk=self.pk).update(revision=now.revision + 1)
        self.refresh_from_db(fields=["revision"])

    def as_of(self, revision: int) -> "Edition":
        """The edition as it was for the digests that were planned with this revision."""
        if revision == self.revision:
            return self
        then = copy(self)
        then.revision = revision
        then.note = self.revisions.get(number=revision).note
        return then

    def drawn_from(self) -> QuerySet["EditionPaper"]:
        """Its pool as this revision knew it; with the banned, so that "from so many" stays what it was."""
        return self.pool.filter(since__lte=self.revision)

    def pins(self) -> list[int]:
        """The papers that an editor pinned, in their order."""
        if past := self.revisions.filter(number=self.revision).first():
            return list(past.pins)
        pinned = self.pool.filter(choice=EditionPaper.Choice.PINNED).order_by("place", "pk")
        return list(pinned.values_list("paper_id", flat=True))

    def accounts(self) -> dict[str, int]:
        """How many digests stand in each state. Their sum is what was planned."""
        counts = self.digests.order_by().values_list("status").annotate(number=Count("*"))  # along the index alone
        statuses = self.digests.model.Status.values
        return dict.fromkeys(statuses, 0) | dict(counts)


class Revision(models.Model):
    """What an editor had decided of an edition until a change, for the digests that were planned before it."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveSmallIntegerField()
    note = models.TextField(blank=True)
    pins = models.JSONField(help_text="Papers, in their order.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["edition", "number"], name="a_revision_once"),
        ]

    def __str__(self) -> str:
        return f"{self.edition}, until change {self.number + 1}"


class EditionPaperQuerySet(models.QuerySet["EditionPaper"]):
    def decide(self, edition: Edition, paper: Paper, choice: str, place: int | None = None) -> int:
        """Pin or ban a paper, or leave it to its fit. One that is not in the pool comes into it. Returns its place
        among the pins: behind the others, where none is given.

        A pin is for its own edition, and for digests that are not planned yet; a ban, and taking it back, is for all
        that have the paper, and holds at once. So no pin lifts a ban: it raises ValidationError.
        """
        everywhere = self.filter(paper=paper)
        with transaction.atomic():
            if choice == EditionPaper.Choice.PINNED:
                self.check_pin(paper)
            edition.revise()
            if choice == EditionPaper.Choice.PINNED and place is None:
                others = self.filter(edition=edition, choice=choice).exclude(paper=paper)
                place = (others.aggregate(last=Max("place"))["last"] or 0) + 1
            decision = {"choice": choice, "place": place or 0}
            trend = {"hot": paper.hot, "notice": paper.notice, "since": edition.revision}
            if choice == EditionPaper.Choice.BANNED:
                everywhere.update(choice=choice, place=0)
            else:
                everywhere.filter(choice=EditionPaper.Choice.BANNED).update(choice=EditionPaper.Choice.POOL)
            self.update_or_create(edition=edition, paper=paper, defaults=decision, create_defaults=decision | trend)
        return place or 0

    def check_pin(self, paper: Paper) -> None:
        """Raises ValidationError, in an operator's words, where it is banned."""
        banned = self.filter(paper=paper, choice=EditionPaper.Choice.BANNED).select_related("edition")
        if row := banned.order_by("-edition__date").first():
            words = f"“{paper}” is banned from all editions: free it first, in {row.edition} for one."
            raise ValidationError(f"{words} Nothing was changed.")

    def banned_of(self, papers: Iterable[int]) -> set[int]:
        """Which of these papers an editor banned from any edition."""
        banned = self.filter(paper__in=list(papers), choice=EditionPaper.Choice.BANNED)
        return set(banned.values_list("paper_id", flat=True))


class EditionPaper(models.Model):
    """A paper in an edition's pool, with its trend score as it was when the edition opened."""

    class Choice(models.TextChoices):
        POOL = "pool", "chosen by fit"
        PINNED = "pinned", "pinned"
        BANNED = "banned", "banned from all editions"

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="pool")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="+")
    hot = models.FloatField()
    notice = models.FloatField(default=0, help_text="The same without the date: what trends are compared by.")
    choice = models.CharField(
        max_length=6,
        choices=Choice.choices,
        default=Choice.POOL,
        help_text="What is pinned stands first in every digest of this edition; what is banned goes out with none.",
    )
    place = models.PositiveSmallIntegerField(default=0, help_text="The order of pins, lowest first.")
    since = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False, help_text="A revision.")

    objects = EditionPaperQuerySet.as_manager()

    class Meta:
        verbose_name = "paper of an edition"
        verbose_name_plural = "papers of editions"
        ordering = ["-hot", "paper_id"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "paper"], name="a_paper_once_in_a_pool"),
        ]

    def __str__(self) -> str:
        return f"{self.paper} in {self.edition}"
