"""A digest once more, by what the ledger keeps of it."""

from collections.abc import Sequence

from newsletter.digest.choice import Choice
from newsletter.digest.rendering import Renderer
from newsletter.models import Digest


def as_submitted(digest: Digest) -> tuple[Renderer, Sequence[Choice]]:
    """The renderer of its edition as it was when the digest was planned, and its papers; none where they are gone."""
    edition = digest.edition.as_of(digest.revision)
    pins = set(edition.pins())
    choices = [
        Choice(row.paper_id, row.reason, row.outside, row.rising, row.paper_id in pins) for row in digest.papers.all()
    ]
    return Renderer(edition, edition.drawn_from().count()), choices
