"""Requests of programs that may come twice."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    def outdated(self, at: datetime) -> Self:
        """Older than we promise to remember."""
        return self.filter(at__lt=at - settings.KEEP_IDEMPOTENCY_KEYS)


class IdempotencyKey(models.Model):
    """A key that came with a request, and the request's own hash; both keyed, for the request names an address.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
    """

    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    body_hash = models.CharField(max_length=64, editable=False)
    at = models.DateTimeField(db_index=True, editable=False)

    objects = IdempotencyKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.key_hash[:12]}… {self.at:%Y-%m-%d %H:%M}"
