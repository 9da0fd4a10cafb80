"""The signature of Amazon's notifications.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

import requests
from anymail.exceptions import AnymailWebhookValidationFailure
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

HOST = re.compile(r"sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?")
OWNER = re.compile(r"sns(\.[a-z0-9-]{3,})?\.amazonaws\.com(\.cn)?")
LONGEST = 20_000  # bytes of a certificate
DIGESTS = {"1": hashes.SHA1, "2": hashes.SHA256}
NOTIFICATION = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
SUBSCRIPTION = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]


def verify(message: Mapping[str, str], at: datetime) -> None:
    """Raises AnymailWebhookValidationFailure where Amazon did not sign this message."""
    try:
        signature = b64decode(message["Signature"], validate=True)
        digest = DIGESTS[message["SignatureVersion"]]()
        key = public_key(certificate(allowed(message["SigningCertURL"])), at)
        key.verify(signature, canonical(message), padding.PKCS1v15(), digest)
    except (InvalidSignature, LookupError, TypeError, ValueError, requests.RequestException) as error:
        raise AnymailWebhookValidationFailure(f"Amazon's signature does not hold: {type(error).__name__}") from error


def canonical(message: Mapping[str, str]) -> bytes:
    """What is signed: names and values, a line each, in the order of the names."""
    names = NOTIFICATION if message["Type"] == "Notification" else SUBSCRIPTION
    return "".join(f"{name}\n{message[name]}\n" for name in names if name in message).encode()


def allowed(url: str) -> str:
    """The address of a certificate, where it is one of Amazon's own; ValueError otherwise."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not HOST.fullmatch(parts.netloc) or not parts.path.endswith(".pem"):
        raise ValueError("not an address of Amazon's")
    return url


@lru_cache(maxsize=8)
def certificate(url: str) -> bytes:
    """The certificate at an allowed address, over TLS; it is kept, for it changes once a year."""
    with requests.get(url, timeout=(3, 5), allow_redirects=False, stream=True) as response:
        response.raise_for_status()
        return read(response)


def read(response: requests.Response) -> bytes:
    found: bytes = response.raw.read(LONGEST + 1, decode_content=True)
    if response.status_code != 200 or len(found) > LONGEST:
        raise ValueError("not a certificate")
    return found


def public_key(pem: bytes, at: datetime) -> rsa.RSAPublicKey:
    """The key of a certificate that is Amazon's and valid now; ValueError otherwise."""
    found = x509.load_pem_x509_certificate(pem)
    [owner] = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not OWNER.fullmatch(str(owner.value)) or not found.not_valid_before_utc <= at <= found.not_valid_after_utc:
        raise ValueError("not Amazon's, or not valid now")
    key = found.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("not an RSA key")
    return key
