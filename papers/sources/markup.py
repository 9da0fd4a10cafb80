"""XML from strangers: no entities, no document types, and a letter that is wrong costs itself alone. Pure."""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from papers.sources.shapes import SourceError, plain

ATOM = "{http://www.w3.org/2005/Atom}"
ARXIV = "{http://arxiv.org/schemas/atom}"
# What XML 1.0 forbids (section 2.2), and feeds contain all the same.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def from_xml(content: bytes) -> tuple[Element, bool]:
    """The root, and whether letters had to be replaced to read it. Raises SourceError, and nothing else."""
    try:
        return _parse(content), False
    except SourceError:
        text = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", content.decode("utf-8-sig", errors="replace"))
        repaired = _DECLARATION.sub("", text).encode()
        return _parse(repaired), True


def _parse(content: bytes) -> Element:
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise SourceError("This XML defines a document type or entities, which no source of ours needs.") from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise SourceError(f"This is not XML: {plain(error)}.") from error
    return root


def child_text(element: Element, name: str) -> str:
    """The text of a child; "" where there is none."""
    return (element.findtext(name) or "").strip()


def local(name: object) -> str:
    """A tag without its namespace; comments and instructions have none."""
    return name.rpartition("}")[2] if isinstance(name, str) else ""


def children(element: Element, name: str) -> Iterator[Element]:
    """Children of that name in any namespace: RSS uses several."""
    return (child for child in element if local(child.tag) == name)
