"""What editors see and change. Each module registers its own models."""

from papers.admin import papers, reception, topics
from papers.sources import admin as sources

__all__ = ["papers", "reception", "sources", "topics"]
