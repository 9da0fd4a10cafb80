"""Quoted-printable in pieces that can be joined, so that what all copies share is encoded once."""

import binascii
import re

LONGEST = 76  # octets of a line, its soft break among them: RFC 2045, 6.7, rule 5
# Where to break a line that is longer: not within what stands for an octet.
_TOO_LONG = re.compile(rb"^(?=.{%d})(.{70,72})(?<!=)(?<!=.)" % (LONGEST + 1), re.MULTILINE)


def quoted(text: str) -> bytes:
    """Quoted-printable (RFC 2045, 6.7) with its dots stuffed, from the start of a line to a line break, hard or soft:
    so encoded pieces can be joined.
    """
    if not text:
        return b""
    lines = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    whole = b"\n" + binascii.b2a_qp(lines.encode(), istext=True)
    if not lines.endswith("\n"):
        whole += b"=\n"
    if len(whole) > LONGEST:  # the library keeps no room for this break, nor for a space at the end of a full line
        whole = _TOO_LONG.sub(rb"\1=\n", whole)
    return whole.replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")[2:]
