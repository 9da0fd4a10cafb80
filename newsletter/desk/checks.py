"""One thing that was looked at before an edition goes out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """Whether it is as it should be, and in words that tell what to do where it is not."""

    is_fine: bool
    words: str
