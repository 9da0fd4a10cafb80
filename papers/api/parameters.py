"""What can be asked, and within which bounds."""

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from ninja import Field, Schema
from pydantic import BeforeValidator, model_validator

from papers.archive import FIRST_YEAR, LAST_YEAR
from papers.models.authors import NAME_LENGTH
from papers.search import LONGEST_QUERY

PAGE_SIZE, LARGEST_PAGE = 20, 100


def written_day(value: Any) -> date:
    """Nothing but `2026-03-20`. Raises ValueError in words."""
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value), re.ASCII):
            raise ValueError
        day = date.fromisoformat(value)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValueError
    except ValueError as error:
        raise ValueError("Write a day of our time as 2026-03-20") from error
    return day


Day = Annotated[date, BeforeValidator(written_day)]


class Paging(Schema):
    limit: int = Field(PAGE_SIZE, ge=1, le=LARGEST_PAGE, description="Papers a page.")
    cursor: str = Field("", max_length=500, description="From the `next` address of the page before.")


class PapersWanted(Paging):
    sort: Literal["hottest", "newest"] = Field(
        "hottest", description="`hottest` by trend score, or `newest`: the latest list first, hottest first in it."
    )
    since: Day | None = Field(None, description="On a list of that day or later.")
    until: Day | None = Field(None, description="On a list of that day or earlier.")
    topic: str = Field("", pattern=r"^[-a-zA-Z0-9_]*$", max_length=50, description="A topic's slug.")
    author: str = Field("", pattern=r"^[-\w]*$", max_length=NAME_LENGTH, description="An author's key.")

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.since and self.until and self.since > self.until:
            raise ValueError("`since` must not be later than `until`")
        return self


class SearchWanted(Paging):
    q: str = Field(
        min_length=1,
        max_length=LONGEST_QUERY,
        description="Words, “phrases in quotation marks”, -words that must not be there, an arXiv id or a DOI.",
    )
