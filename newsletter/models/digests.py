"""The ledger of delivery: one row for each copy of each edition."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from newsletter.models.editions import Edition
from papers.models import Paper
from subscribers.links import DigestKeys
from subscribers.models import Subscriber


class DigestQuerySet(models.QuerySet["Digest"]):
    def claimable(self, at: datetime) -> Self:
        """Planned, due, of an open edition, and not waiting for the edition's first copies."""
        return (
            self.filter(
                status=Digest.Status.PLANNED,
                not_before__lte=at,
                expires_at__gt=at,
                edition__status=Edition.Status.OPEN,
            )
            .exclude(edition__canary=Edition.Canary.AHEAD, canary=False)
            .order_by("not_before", "pk")
        )

    def overdue(self, at: datetime) -> Self:
        """Planned digests that would now be a surprise rather than a service."""
        return self.filter(status=Digest.Status.PLANNED, expires_at__lte=at)

    def abandoned(self, at: datetime) -> Self:
        """Held by a worker whose lease has run out."""
        return self.filter(status__in=Digest.Status.held(), lease_until__lte=at)

    def repeatable(self, at: datetime, since: datetime) -> Self:
        """In doubt, and submitted since then, under a key that its provider therefore still remembers. Those that were
        asked about longest ago come first.
        """
        doubts = self.filter(status=Digest.Status.IN_DOUBT, submitted_at__gt=since, expires_at__gt=at)
        return doubts.exclude(idempotency_key="").filter(edition__status=Edition.Status.OPEN).order_by("settled_at")


class Digest(models.Model):
    """One reader's copy of one edition: the row that the whole of delivery turns on.

    planned -> claimed -> submitting -> accepted -> delivered | bounced | complained, with the side exits
    skipped, failed, in_doubt, expired and cancelled. Only newsletter/delivery/ledger.py changes a status, for
    the hot transitions by statements.py.
    """

    class Status(models.TextChoices):
        PLANNED = "planned"
        CLAIMED = "claimed"
        SUBMITTING = "submitting"
        ACCEPTED = "accepted", "accepted by the provider"
        DELIVERED = "delivered"
        BOUNCED = "bounced"
        COMPLAINED = "complained"
        SKIPPED = "skipped"
        FAILED = "failed"
        IN_DOUBT = "in_doubt", "in doubt"
        EXPIRED = "expired"
        CANCELLED = "cancelled"

        @classmethod
        def held(cls) -> list[str]:
            """A worker has it in hand, under a lease."""
            return [cls.CLAIMED, cls.SUBMITTING]

        @classmethod
        def unsettled(cls) -> list[str]:
            """Something is still to happen to it."""
            return [cls.PLANNED, *cls.held()]

        @classmethod
        def sent(cls) -> list[str]:
            """The provider has accepted it."""
            return [cls.ACCEPTED, cls.DELIVERED, cls.BOUNCED, cls.COMPLAINED]

        @classmethod
        def unsent(cls) -> list[str]:
            """It has touched no wire."""
            return [cls.PLANNED, cls.CLAIMED, cls.SKIPPED, cls.EXPIRED, cls.CANCELLED]

        @classmethod
        def possibly_sent(cls) -> list[str]:
            """The reader has it, or may have it."""
            return [cls.SUBMITTING, *cls.sent(), cls.IN_DOUBT]

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # No index of their own: each mail updates its row three times, and indexes below begin with these columns.
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="digests", db_index=False)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PLANNED)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it took a side exit, or waits.")
    not_before = models.DateTimeField(help_text="When it is due.")
    expires_at = models.DateTimeField(help_text="After this it is not sent any more.")
    # The lease says until when a worker holds the row; the token, raised at each claim, makes a worker
    # that lost its lease unable to write (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html).
    lease_until = models.DateTimeField(null=True, blank=True)
    fencing_token = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    revision = models.PositiveSmallIntegerField(
        default=0, db_default=0, editable=False, help_text="Of its edition, when it was planned."
    )
    subject = models.CharField(max_length=200, blank=True)
    provider_id = models.CharField(max_length=200, blank=True, help_text="The provider's id of the message.")
    idempotency_key = models.CharField(
        max_length=36,
        blank=True,
        db_default="",
        editable=False,
        help_text="Under which a provider was asked to send it.",
    )
    canary = models.BooleanField(default=False, db_default=False, editable=False, help_text="Goes ahead of the others.")
    # Not in the reason: that says what becomes of it, and changes with that; this may happen at any moment.
    merged_away = models.BooleanField(
        default=False, db_default=False, help_text="Its papers went into others that its reader had been told of twice."
    )
    planned_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = DigestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["edition", "subscriber"], name="one_digest_per_edition_and_reader"),
            models.CheckConstraint(
                condition=(Q(status__in=["claimed", "submitting"]) & Q(lease_until__isnull=False))
                | (~Q(status__in=["claimed", "submitting"]) & Q(lease_until=None)),
                name="held_digests_alone_have_a_lease",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["skipped", "failed", "in_doubt", "expired", "cancelled"]) | ~Q(reason=""),
                name="a_side_exit_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["submitting", "accepted", "delivered", "bounced", "complained", "in_doubt"])
                | Q(submitted_at__isnull=False),
                name="what_was_submitted_says_when",
            ),
        ]
        indexes = [
            # ledger.claim
            models.Index(fields=["not_before", "id"], condition=Q(status="planned"), name="digest_claimable"),
            # ledger.sweep: overdue
            models.Index(fields=["expires_at"], condition=Q(status="planned"), name="digest_overdue"),
            # ledger.sweep: abandoned
            models.Index(
                fields=["lease_until"],
                condition=Q(status__in=["claimed", "submitting"]),
                name="digest_abandoned",
            ),
            models.Index(fields=["edition", "status"], name="digest_accounts"),  # Edition.accounts
            # The admin's list, by what is rare: nothing is written here for a mail that goes well.
            models.Index(
                fields=["status", "-id"],
                condition=Q(
                    status__in=["bounced", "complained", "skipped", "failed", "in_doubt", "expired", "cancelled"]
                ),
                name="digest_by_end",
            ),
            # canaries.advance
            models.Index(fields=["edition", "status"], condition=Q(canary=True), name="digest_canaries"),
            # events.find_mail; mail that goes by SMTP is not indexed
            models.Index(
                fields=["provider_id"],
                condition=~Q(provider_id="") & ~Q(provider_id__startswith="<"),
                name="digest_provider_id",
            ),
            # repeats.repeat
            models.Index(
                fields=["submitted_at"],
                condition=Q(status="in_doubt") & ~Q(idempotency_key=""),
                name="digest_repeatable",
            ),
            models.Index(fields=["subscriber", "-planned_at"], name="digest_of_reader"),  # a reader's history
        ]

    def __str__(self) -> str:
        return f"{self.edition} to reader {self.subscriber_id}"

    @property
    def key(self) -> str:
        """What opens its copy on the web."""
        return DigestKeys().of(self.uid)

    @staticmethod
    def provider_ids() -> Q:
        """The rows whose provider has an id of its own for the message: over SMTP the id is ours, and tells the uid."""
        return ~Q(provider_id="") & ~Q(provider_id__startswith="<")


class DigestPaper(models.Model):
    """A paper in a digest. Unique per reader and paper: nobody gets the same paper twice, but for one more mention,
    labelled, of a paper that has taken off since.

    The rows are written with the state `submitting` and removed when it is certain that nothing was sent.
    """

    # Ten rows a mail are most of what delivery writes. So the first two have no index but those of the constraints
    # below, and the database checks no foreign key. The digest's would cost a third of writing the rows, for a digest
    # that the same statement has just changed; the reader is the digest's own; the paper's would lock its row for each
    # reader who gets it, and all workers of an edition write the same few. `ledger check` looks for what they forbid.
    digest = models.ForeignKey(
        Digest, on_delete=models.CASCADE, related_name="papers", db_index=False, db_constraint=False
    )
    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    paper = models.ForeignKey(Paper, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    place = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=200, help_text="Why this reader got it, in words.")
    outside = models.BooleanField(default=False, help_text="From outside the reader's topics.")
    rising = models.BooleanField(default=False, help_text="Was sent before, and mentioned once more.")

    class Meta:
        verbose_name = "paper of a digest"
        verbose_name_plural = "papers of digests"
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "paper", "rising"], name="never_the_same_paper_twice"),
            models.UniqueConstraint(fields=["digest", "place"], name="one_paper_per_place"),
        ]

    def __str__(self) -> str:
        return f"{self.place}. {self.paper}"
