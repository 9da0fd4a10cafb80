"""Quoted-printable in pieces that can be joined, so that what all copies share is encoded once."""

import binascii


def quoted(text: str) -> bytes:
    """Quoted-printable (RFC 2045, 6.7) with its dots stuffed, from the start of a line to a line break, hard or soft:
    so encoded pieces can be joined.
    """
    if not text:
        return b""
    lines = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    whole = b"\n" + binascii.b2a_qp(lines.encode(), istext=True)
    whole = whole.replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")[2:]
    return whole if lines.endswith("\n") else whole + b"=\r\n"
