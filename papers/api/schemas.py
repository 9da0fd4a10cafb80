"""The shapes that the API answers with; their descriptions are its documentation."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Self

from django.urls import reverse
from ninja import Field, Schema

from papers.identity import author_key
from papers.models import Paper, Reading
from papers.models import PaperTopic as PaperTopicRow
from papers.models import Topic as TopicRow
from papers.models.authors import NAME_LENGTH
from papers.summary import summary
from papers.trends import Trend as TrendScore
from papers.views.metadata import absolute
from papers.views.papers import links

READINGS_SHOWN = 100


class Problem(Schema):
    detail: str = Field(description="What went wrong, and where one can, what to do.")


class Topic(Schema):
    slug: str = Field(description="Names the topic in addresses and in `topic=`.")
    name: str
    description: str
    field: str = Field(description="The heading under which it stands.")
    url: str = Field(description="Its page.")

    @classmethod
    def of(cls, row: TopicRow) -> Self:
        return cls(
            slug=row.slug,
            name=row.name,
            description=row.description,
            field=row.field,
            url=absolute(reverse("topic", args=[row.slug])),
        )


class Topics(Schema):
    topics: list[Topic] = Field(description="All of them, in the editors' order.")


class Author(Schema):
    name: str = Field(description="As the paper spells it.")
    key: str = Field(description="For `author=`; shared by everybody of that name, empty where it has no letters.")


class PaperTopic(Schema):
    slug: str
    name: str
    strength: float = Field(description="How much the paper belongs to it: above 0, up to 1.")
    source: str = Field(description="Who says so: `categories` (arXiv's), `text` (title and abstract) or `editor`.")
    standing: float = Field(
        description="Of its notice, in standard deviations above what is usual there of late, -3 to 3"
    )

    @classmethod
    def of(cls, row: PaperTopicRow) -> Self:
        return cls(
            slug=row.topic.slug,
            name=row.topic.name,
            strength=row.strength,
            source=row.source,
            standing=round(row.standing, 2),
        )


class Links(Schema):
    abstract: str | None = Field(description="The abstract page, such as arXiv's.")
    pdf: str | None
    code: str | None


class Part(Schema):
    words: str
    value: float = Field(description="Its term within the logarithm.")


class Trend(Schema):
    score: float = Field(description="The whole trend score: higher is hotter.")
    notice: float = Field(description="The score without its date.")
    listed_at: datetime = Field(description="The listing that counts.")
    parts: list[Part] = Field(description="What the notice was made of.")

    @classmethod
    def of(cls, trend: TrendScore) -> Self:
        parts = [Part(words=words, value=value) for words, value in trend.parts]
        return cls(score=trend.hot, notice=trend.notice, listed_at=trend.listed_at, parts=parts)


class PaperLine(Schema):
    id: int
    url: str = Field(description="Its page here.")
    arxiv_id: str | None = Field(description="Without version.")
    doi: str | None
    title: str
    abstract: str
    summary: str = Field(description="The sentences of the abstract that say what is new.")
    authors: list[Author]
    categories: list[str] = Field(description="arXiv's, the primary one first.")
    topics: list[PaperTopic] = Field(description="The strongest first.")
    published: datetime | None = Field(description="The first version, where known.")
    listed_on: date | None = Field(description="The latest day on which a list showed it.")
    links: Links
    trend: Trend


class Counts(Schema):
    taken_at: datetime
    upvotes: int
    comments: int
    stars: int | None = Field(description="Of the code repository, in all.")


class SinglePaper(PaperLine):
    readings: list[Counts] = Field(description=f"Its popularity over time; the latest {READINGS_SHOWN}, oldest first.")


class Papers(Schema):
    papers: list[PaperLine]
    next: str | None = Field(description="The address of the next page; null on the last one.")


def fields_of(paper: Paper, trend: TrendScore) -> dict[str, Any]:
    """A PaperLine's values, of a paper with its `paper_topics` at hand."""
    known = {link.words: link.url for link in links(paper)}
    return {
        "id": paper.pk,
        "url": absolute(reverse("paper", args=[paper.pk, paper.slug])),
        "arxiv_id": paper.arxiv_id,
        "doi": paper.doi,
        "title": paper.title,
        "abstract": paper.abstract,
        "summary": summary(paper.abstract, title=paper.title),
        "authors": [Author(name=name, key=author_key(name)[:NAME_LENGTH]) for name in paper.authors],
        "categories": paper.categories,
        "topics": [PaperTopic.of(one) for one in paper.paper_topics.all()],
        "published": paper.published_at,
        "listed_on": paper.listed_on,
        "links": Links(abstract=known.get("Abstract page"), pdf=known.get("PDF"), code=known.get("Code")),
        "trend": Trend.of(trend),
    }


def counts_of(readings: Sequence[Reading]) -> list[Counts]:
    return [
        Counts(taken_at=one.taken_at, upvotes=one.upvotes, comments=one.comments, stars=one.stars) for one in readings
    ]
