"""One look for all our mails: one style sheet, put onto the elements themselves.

Several mail programs drop <style> (https://www.caniemail.com/features/html-style/); what stays in it, in
templates/emails/base.html, are extras: the dark mode, and room for a thumb around links that stand side by side.
"""

from functools import lru_cache

import css_inline
from django.template.loader import render_to_string


def inlined(html: str) -> str:
    """A whole mail with its styles on its elements."""
    return _inliner().inline(html)


def inlined_fragment(html: str) -> str:
    """The same for a part of a mail."""
    return _inliner().inline_fragment(html, _stylesheet())


def inlined_rows(html: str) -> str:
    """The same for rows of a table, which are nothing outside of one."""
    table = inlined_fragment(f"<table>{html}</table>")
    return table.removeprefix("<table><tbody>").removesuffix("</tbody></table>")


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(extra_css=_stylesheet(), load_remote_stylesheets=False, minify_css=True)


@lru_cache(maxsize=1)
def _stylesheet() -> str:
    return render_to_string("emails/style.css")
