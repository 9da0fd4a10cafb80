"""Signers for the links in our mails: short, and quick where many are made.

No piece of such a link has more than `SHORT` letters and digits on end: spam filters take 30 of them for an address for
coins (SpamAssassin's `__BITCOIN_ID`), as they did one confirmation in fifty while uids were written in hexadecimal.
"""

import hashlib
import hmac

from django.core.signing import Signer, TimestampSigner, b64_encode
from django.utils.encoding import force_bytes

SHORT = 22  # characters of base64: 132 bits. RFC 2104, 5, asks for half of the hash at least: 128


class ShortSigner(Signer):
    """Makes the beginning of Django's own signatures. Django derives its key anew each time, which is half the cost."""

    def __init__(self, *, salt: str, sep: str = ":") -> None:
        super().__init__(salt=salt, sep=sep)
        self._derived = hashlib.sha256(f"{salt}signer".encode() + force_bytes(self.key)).digest()

    def signature(self, value: str, key: str | None = None) -> str:  # type: ignore[override]
        if key not in {None, self.key}:
            return super().signature(value, key)[:SHORT]
        return b64_encode(hmac.digest(self._derived, value.encode(), "sha256")).decode()[:SHORT]


class ShortTimestampSigner(ShortSigner, TimestampSigner):
    """The same with the time of signing."""
