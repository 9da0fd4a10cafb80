"""Who wrote what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import models

from papers.identity import author_key

if TYPE_CHECKING:
    from papers.models.papers import Paper

NAME_LENGTH = 100  # characters of a name that are kept, and of its key


class AuthorshipQuerySet(models.QuerySet["Authorship"]):
    def store(self, papers: Iterable[Paper]) -> None:
        """Bring the rows of these papers in step with their `authors`; two queries where nothing changed."""
        wanted = {(paper.pk, key): name for paper in papers for key, name in names_by_key(paper.authors).items()}
        gone = []
        for pk, paper_id, key, name in self.filter(paper__in={paper.pk for paper in papers}).values_list(
            "pk", "paper_id", "key", "name"
        ):
            if wanted.get((paper_id, key)) == name:
                del wanted[paper_id, key]
            else:
                gone.append(pk)
        if gone:
            self.filter(pk__in=gone).delete()
        rows = (Authorship(paper_id=paper_id, key=key, name=name) for (paper_id, key), name in wanted.items())
        # Another worker may be storing the same paper.
        self.bulk_create(rows, ignore_conflicts=True)


class Authorship(models.Model):
    """That somebody of this name wrote the paper. A name is no person: whoever shares it shares the page.

    Derived from Paper.authors, to be found by name.
    """

    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="authorships")
    key = models.CharField(max_length=NAME_LENGTH, help_text="See papers/identity.py.")
    name = models.CharField(max_length=NAME_LENGTH, help_text="As the paper spells it.")

    objects = AuthorshipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["paper", "key"], name="an_author_once_in_a_paper"),
        ]
        indexes = [
            models.Index(fields=["key", "paper"], name="authorship_of_name"),  # an author's page
        ]

    def __str__(self) -> str:
        return self.name


def names_by_key(authors: Iterable[str]) -> dict[str, str]:
    """The names under which they are found; one that has no letter cannot be."""
    keys = {author_key(name)[:NAME_LENGTH]: name[:NAME_LENGTH] for name in reversed(list(authors))}
    keys.pop("", None)
    return dict(reversed(keys.items()))
