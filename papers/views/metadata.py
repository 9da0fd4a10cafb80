"""What search engines read of a paper: https://schema.org/ScholarlyArticle, as JSON-LD."""

import json

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString

from papers.models import Paper

# As django.utils.html.json_script does: a script element ends at `</script>` whatever stands around it.
_ESCAPED = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


def scholarly_article(paper: Paper, topics: list[str]) -> SafeString:
    """The inside of a script element of type application/ld+json."""
    known = {
        "@context": "https://schema.org",
        "@type": "ScholarlyArticle",
        "headline": paper.title,
        "name": paper.title,
        "abstract": paper.abstract,
        "author": [{"@type": "Person", "name": name} for name in paper.authors],
        "datePublished": paper.published_at and paper.published_at.date().isoformat(),
        "keywords": topics,
        "identifier": [f"arXiv:{paper.arxiv_id}"] * bool(paper.arxiv_id) + [f"doi:{paper.doi}"] * bool(paper.doi),
        "sameAs": paper.url if paper.url.startswith("https://") else None,
        "url": settings.SITE_URL + reverse("paper", args=[paper.pk, paper.slug]),
        "isAccessibleForFree": True,
    }
    text = json.dumps({name: value for name, value in known.items() if value}, ensure_ascii=False)
    return SafeString(text.translate(_ESCAPED))
