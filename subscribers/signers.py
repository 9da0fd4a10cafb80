"""Signers for many signatures. Django's derive their key anew each time: it is half of what a signature costs."""

import hashlib
import hmac

from django.core.signing import Signer, TimestampSigner, b64_encode
from django.utils.encoding import force_bytes

SHORT = 22  # characters of base64: 132 bits. RFC 2104, 5, asks for half of the hash at least: 128


class QuickSigner(Signer):
    """Makes Django's own signatures, octet by octet."""

    def __init__(self, *, salt: str, sep: str = ":") -> None:
        super().__init__(salt=salt, sep=sep)
        self._derived = hashlib.sha256(f"{salt}signer".encode() + force_bytes(self.key)).digest()

    def signature(self, value: str, key: str | None = None) -> str:  # type: ignore[override]
        if key not in {None, self.key}:
            return super().signature(value, key)
        return b64_encode(hmac.digest(self._derived, value.encode(), "sha256")).decode()


class QuickTimestampSigner(QuickSigner, TimestampSigner):
    """The same with the time of signing."""


class ShortSigner(QuickSigner):
    """Signatures for links that stand in a mail many times."""

    def signature(self, value: str, key: str | None = None) -> str:  # type: ignore[override]
        return super().signature(value, key)[:SHORT]
