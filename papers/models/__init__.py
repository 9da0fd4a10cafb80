"""What was published: papers, what they are about, where and when they were shown, how they are received."""

from papers.models.authors import Authorship
from papers.models.back_fills import BackFill
from papers.models.merged import Merged
from papers.models.papers import Paper, PaperQuerySet
from papers.models.popularity import Listing, Reading
from papers.models.topics import PaperTopic, Topic, TopicModel
from papers.models.words import Keyword, Vocabulary
from papers.sources.models import Source

__all__ = [
    "Authorship",
    "BackFill",
    "Keyword",
    "Listing",
    "Merged",
    "Paper",
    "PaperQuerySet",
    "PaperTopic",
    "Reading",
    "Source",
    "Topic",
    "TopicModel",
    "Vocabulary",
]
