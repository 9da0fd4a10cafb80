"""A digest the plain way: Django's templates rendered whole for each reader, as the fast way must come out too."""

import json
import quopri
from collections.abc import Callable, Mapping, Sequence

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.safestring import mark_safe

from newsletter.delivery.wire.payloads import in_json
from newsletter.digest.cards import card_context
from newsletter.digest.choice import Choice
from newsletter.digest.quoting import quoted
from newsletter.digest.rendering import Renderer
from newsletter.digest.sheets import shell_context
from newsletter.models import Digest
from papers.models import Paper
from subscribers import links
from subscribers.styling import inlined

Contexts = Mapping[int, Mapping[str, object]]


def contexts_of(choices: Sequence[Choice]) -> Contexts:
    """What each paper's card says."""
    return {pk: card_context(paper) for pk, paper in Paper.objects.in_bulk([one.paper for one in choices]).items()}


def plain_html(renderer: Renderer, digest: Digest, choices: Sequence[Choice], papers: Contexts) -> str:
    return plain(renderer, digest, choices, papers, "html")


def plain_text(renderer: Renderer, digest: Digest, choices: Sequence[Choice], papers: Contexts) -> str:
    return plain(renderer, digest, choices, papers, "txt")


def plain(renderer: Renderer, digest: Digest, choices: Sequence[Choice], papers: Contexts, kind: str) -> str:
    """One part of the mail, its styles not yet inline; words come from the renderer, addresses do not."""
    ready: Callable[[str], str] = mark_safe if kind == "html" else str
    reader, copy = digest.subscriber, renderer._copy(digest, choices)
    web = settings.SITE_URL + reverse("web_copy", args=[digest.key])
    items = []
    with translation.override(reader.language):
        for place, (choice, reason) in enumerate(zip(choices, copy.reasons, strict=True), start=1):
            slot = {"reason": reason, "web": web, "place": place}
            name = "label" if choice.is_labelled else "why"
            slot[name] = ready(render_to_string(f"emails/digest/{name}.{kind}", {"slot": slot}))
            items.append(render_to_string(f"emails/digest/card.{kind}", {**papers[choice.paper], "slot": slot}))
        own = {"preferences": links.preferences_url(reader), "web": web, "items": ready("".join(items))}
        urls = {
            "leave": links.leave_url(reader),
            "less_often": links.absolute("less_often", reader.leave_key),
            "pause": links.absolute("pause", reader.leave_key),
        }
        context = {**shell_context(renderer.edition), **urls, "slot": {**copy.values, **own}}
        return render_to_string(f"emails/digest/body.{kind}", context)


def same(renderer: Renderer, digest: Digest, choices: Sequence[Choice]) -> bool:
    """Whether the fast way, as texts, by calls of many and by SMTP, and the plain way come to the same bytes."""
    papers, fast = contexts_of(choices), renderer.render(digest, choices)
    html = inlined(plain_html(renderer, digest, choices, papers))
    text = plain_text(renderer, digest, choices, papers)
    return {(text, html), (fast.text, fast.html), *encoded(renderer, digest, choices)} == {(text, html)}


def encoded(renderer: Renderer, digest: Digest, choices: Sequence[Choice]) -> list[tuple[str, str]]:
    """Both parts as whoever gets the mail reads them, by each of the ways that want them encoded."""
    copy = renderer._copy(digest, choices)
    found = []
    for encode, read in ((in_json, of_json), (quoted, unquoted)):
        text, html = (read(b"".join(pieces)) for pieces in copy.encoded(copy.fits(), encode))
        found.append((text, html))
    return found


def of_json(part: bytes) -> str:
    return str(json.loads(b'"%s"' % part))


def unquoted(part: bytes) -> str:
    """What dots were stuffed into, and quoted-printable."""
    lines = (b"\n" + part.replace(b"\r\n", b"\n")).replace(b"\n.", b"\n")
    return quopri.decodestring(lines[1:]).decode()
