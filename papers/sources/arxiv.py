"""What arXiv's three services have in common: their pace, their words, their authors. Pure.

https://info.arxiv.org/help/api/tou.html: one request every three seconds, over one connection, for all three
together and from all machines together.
"""

import re

from papers.records import CATEGORY, code_address
from papers.sources.pace import Pace
from papers.sources.shapes import SourceError, Wish

PACE = Pace("arxiv")
_BETWEEN_NAMES = re.compile(r",\s+(?:and\s+)?|\s+and\s+")
_AFFILIATION = re.compile(r"\s*\([^()]*\)")


def categories_of(wish: Wish) -> list[str]:
    """The categories wished for. Raises SourceError where there is none, or one that is none."""
    if not wish.categories:
        raise SourceError("Name at least one arXiv category, such as cs.LG.")
    if wrong := next((one for one in wish.categories if not CATEGORY.fullmatch(one)), None):
        raise SourceError(f"“{wrong}” is no arXiv category.")
    return list(dict.fromkeys(wish.categories))


def names_of(text: str) -> list[str]:
    """The authors of a line such as `Andr\\'e Weil (1), Emmy Noether`, without their affiliations' numbers."""
    return [name for name in _BETWEEN_NAMES.split(_AFFILIATION.sub("", text[:100_000])) if name.strip()]


def code_in(comment: str) -> str:
    """Authors name their code in the comment more often than in the abstract."""
    return code_address(comment[:2_000])
