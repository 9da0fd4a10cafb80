"""What papers were called that turned out to be others."""

from django.db import models


class Merged(models.Model):
    """A row that was another row's work (papers/merging.py): its number, ids and title still lead there."""

    number = models.BigIntegerField(primary_key=True, help_text="The row's own, which stands in addresses.")
    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="merged")
    arxiv_id = models.CharField("arXiv id", max_length=32, blank=True)
    doi = models.CharField("DOI", max_length=255, blank=True)
    title_key = models.CharField(max_length=64)
    first_author = models.CharField(max_length=100, blank=True)
    title = models.CharField(max_length=500)
    merged_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "merged papers"
        ordering = ["-merged_at"]
        indexes = [  # upsert, by each
            models.Index(fields=["arxiv_id"], condition=~models.Q(arxiv_id=""), name="merged_arxiv_id"),
            models.Index(fields=["doi"], condition=~models.Q(doi=""), name="merged_doi"),
            models.Index(fields=["title_key"], name="merged_title_key"),
        ]

    def __str__(self) -> str:
        return self.title
