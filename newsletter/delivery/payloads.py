"""What anymail has built, written as JSON by orjson.

The standard library takes ten times as long for the texts of a digest: it was a fifteenth of what a call cost a worker.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson
from anymail.backends.base_requests import AnymailRequestsBackend, RequestsPayload
from anymail.utils import UNSET
from django.core.mail import EmailMessage
from requests.structures import CaseInsensitiveDict

# What has some backends write JSON within their JSON, as ASCII: they write all of it themselves.
MERGING = ("merge_data", "merge_global_data", "merge_metadata", "merge_headers")


def write_fast(backend: AnymailRequestsBackend) -> None:
    """Have the payloads of this backend written by orjson, in UTF-8, where nothing is to be merged: so are all ours."""
    build = backend.build_message_payload

    def build_message_payload(message: EmailMessage, defaults: Mapping[str, Any]) -> RequestsPayload:
        payload = build(message, defaults)
        if not any(name in defaults or getattr(message, name, UNSET) is not UNSET for name in MERGING):
            payload.__class__ = fast(payload.__class__)
        return payload

    backend.build_message_payload = build_message_payload


@cache
def fast(kind: Any) -> Any:
    """The same payload, written by orjson."""

    class Fast(kind):  # type: ignore[misc]  # of whatever provider
        def serialize_json(self, data: object) -> bytes | str:
            try:
                # Copied: orjson takes room for the worst and gives it back in pieces, of which 70 MB lay about.
                return bytes(memoryview(orjson.dumps(data, default=headers)))
            except TypeError:  # anymail knows how, or can say what it is of the message that cannot be written
                return str(super().serialize_json(data))

    return Fast


def headers(value: object) -> dict[str, str]:
    """What anymail keeps headers in, as JSON knows it. Raises TypeError for anything else."""
    if not isinstance(value, CaseInsensitiveDict):
        raise TypeError(type(value).__name__)
    return dict(value)
