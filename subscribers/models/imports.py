"""Lists of readers that an operator brings along: the file, how far it has been read, and what came of each row."""

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Self

from django.db import models

PART_BYTES = 256_000  # of the file, in one row: what is in memory at once
STALLED_AFTER = timedelta(minutes=1)  # a chunk takes a second or so


class ImportQuerySet(models.QuerySet["Import"]):
    def stalled(self, at: datetime) -> Self:
        """Somebody should be working on these, and nobody has for a minute."""
        return self.filter(status__in=Import.Status.working(), moved_at__lt=at - STALLED_AFTER)

    def unseen(self) -> Self:
        """Refused, and nobody has set them aside yet."""
        return self.filter(status=Import.Status.REFUSED, decided_at=None)

    def undecided(self) -> Self:
        """A person has to say what becomes of these: checked, or refused and not set aside.

        No index: whole lists are brought along a few times a year.
        """
        return self.filter(status=Import.Status.CHECKED) | self.unseen()

    def of_file(self, sha256: str) -> Self:
        """Confirmed imports of the very same file that have not ended."""
        return self.filter(sha256=sha256, status=Import.Status.RUNNING)


class Import(models.Model):
    """One file of readers on its way in: uploaded, checked (the dry run), confirmed by a person, run.

    The row stays, as the record of who brought what in; the file goes when it has been read, the report after
    KEEP_IMPORTS. `position` is the only progress: a chunk of rows is stored in one transaction with it.
    """

    class Status(models.TextChoices):
        UPLOADING = "uploading", "being stored"
        CHECKING = "checking", "being checked"
        CHECKED = "checked", "checked, waits for a decision"
        RUNNING = "running"
        DONE = "done"
        REFUSED = "refused", "refused as a whole"
        CANCELLED = "cancelled"

        @classmethod
        def working(cls) -> list[str]:
            """There is something to do, and nobody to wait for."""
            return [cls.CHECKING, cls.RUNNING]

        @classmethod
        def ended(cls) -> list[str]:
            return [cls.DONE, cls.REFUSED, cls.CANCELLED]

    file_name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes of the file.")
    sha256 = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.UPLOADING)
    fault = models.CharField(max_length=300, blank=True, help_text="Why the whole file was refused.")
    note = models.CharField(max_length=300, blank=True, help_text="What of the file is not read.")
    position = models.PositiveBigIntegerField(default=0, help_text="Bytes that are done.")
    line = models.PositiveBigIntegerField(default=0, help_text="Lines that are done.")
    checked = models.JSONField(default=dict, help_text="Rows by what would come of them, as the check found.")
    counts = models.JSONField(default=dict, help_text="Rows by what came of them.")
    uploaded_by = models.CharField(max_length=150, blank=True)
    decided_by = models.CharField(max_length=150, blank=True, help_text="Who confirmed or cancelled it.")
    uploaded_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(help_text="The last step.")

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            # The sweep of every minute: ImportQuerySet.stalled
            models.Index(
                fields=["moved_at"], condition=models.Q(status__in=["checking", "running"]), name="import_working"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name}, {self.uploaded_at:%Y-%m-%d %H:%M}"

    @property
    def percent(self) -> int:
        """How much of the file the check, or the run, has behind it."""
        return 100 * self.position // self.size if self.size else 100

    @property
    def accounts(self) -> list[str]:
        """The latest counts in words, the largest first: "1,200 imported"."""
        counts = self.counts or self.checked
        return [f"{count:,} {outcome}" for outcome, count in sorted(counts.items(), key=lambda one: -one[1])]

    def read(self, position: int = 0) -> Iterator[bytes]:
        """The file from a byte on, piece by piece."""
        number, skipped = divmod(position, PART_BYTES)
        while part := self.parts.filter(number=number).first():
            yield zlib.decompress(part.content)[skipped:]
            number, skipped = number + 1, 0


class ImportPart(models.Model):
    """PART_BYTES of an import's file, compressed. In the database, because the worker may be another machine."""

    import_of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["import_of", "number"], name="one_part_of_an_import")]


class ImportReport(models.Model):
    """The refused rows of one chunk, as lines of the report."""

    import_of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="reports")
    position = models.PositiveBigIntegerField(help_text="Where in the file the chunk begins.")
    content = models.TextField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["import_of", "position"], name="one_report_of_a_chunk")]
