"""How far the texts of a mail stand out from their grounds, computed from its styles (WCAG 2.2, "contrast ratio")."""

import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element

import html5lib

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}")


class Contrast(NamedTuple):
    text: str
    colour: str
    ground: str
    ratio: float


def contrasts(html: str, is_dark: bool) -> list[Contrast]:
    """One for each text, with the colours that it has in a light or a dark program."""
    document = html5lib.parse(html, treebuilder="etree", namespaceHTMLElements=False)
    style = "".join(element.text or "" for element in document.iter("style"))
    dark = _DARK.search(style)
    assert dark
    rules = [
        (selector.strip(), properties(body))
        for selectors, body in _RULE.findall(dark[1])
        for selector in selectors.split(",")
    ]
    body = document.find("body")
    assert body is not None
    return list(seen(body, rules if is_dark else [], "#000000", "#ffffff"))


def seen(element: Element, rules: list[tuple[str, dict[str, str]]], colour: str, ground: str) -> Iterator[Contrast]:
    """Walks down as colours are inherited; a rule of a class goes before one of an element, as in CSS."""
    own = properties(element.get("style", ""))
    if own.get("display") == "none" or not isinstance(element.tag, str):
        return
    classes = {f".{name}" for name in element.get("class", "").split()}
    for of_class in (False, True):
        for selector, values in rules:
            if selector in (classes if of_class else {element.tag}):
                own |= values
    colour, ground = own.get("color", colour), own.get("background-color", ground)
    texts = [element.text, *(child.tail for child in element)]
    for text in texts:
        if text and text.strip():
            yield Contrast(text.strip(), colour, ground, ratio(colour, ground))
    for child in element:
        yield from seen(child, rules, colour, ground)


def properties(style: str) -> dict[str, str]:
    pairs = (one.partition(":") for one in style.split(";") if ":" in one)
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs}


def ratio(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
