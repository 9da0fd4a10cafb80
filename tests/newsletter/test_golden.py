"""A small and a full digest, octet for octet: what changes in a mail is seen in review.

To renew the files after a change that was meant, and then to look at them:

    RENEW_GOLDEN=1 .venv/bin/python -m pytest tests/newsletter/test_golden.py
"""

import os
import re
from pathlib import Path

import pytest

from tests.newsletter.mails import digests

GOLDEN = Path(__file__).parent / "golden"


def of(name: str) -> dict[str, str]:
    """The parts of a digest by the name of their file; what is random in the headers is named."""
    renderer, digest, choices = digests()[name]
    message = renderer.message(digest, choices)
    headers = message.message().as_bytes().partition(b"\n\n")[0].decode()
    headers = re.sub(r'boundary="=+\d+=="', 'boundary="…"', headers)
    html, _ = message.alternatives[0]
    return {f"{name}.html": str(html), f"{name}.txt": str(message.body), f"{name}.headers": headers + "\n"}


@pytest.mark.parametrize("name", ["small", "full"])
def test_a_digest_is_as_it_was_when_somebody_last_looked_at_it(name: str, db: None) -> None:
    for file, text in of(name).items():
        if os.environ.get("RENEW_GOLDEN"):
            (GOLDEN / file).write_text(text, encoding="utf-8", newline="")
        assert text == (GOLDEN / file).read_text(encoding="utf-8")
