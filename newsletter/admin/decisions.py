"""What only a person can decide about digests, as actions of the admin: newsletter/delivery/decisions.py does it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from newsletter import audit, census
from newsletter.delivery import decisions
from newsletter.delivery.decisions import Verdict
from newsletter.models import Digest


class Decides(admin.ModelAdmin):
    """Mixed into the admins of digests and editions: acts upon the digests of the chosen rows."""

    def digests_of(self, rows: QuerySet[Any]) -> QuerySet[Digest]:
        raise NotImplementedError

    def record(self, request: HttpRequest, words: str) -> decisions.Record:
        """What the log would not hold otherwise: it sees the chosen rows only."""
        raise NotImplementedError

    def done(self, request: HttpRequest, rows: QuerySet[Any], words: str) -> HttpResponse | None:  # noqa: ARG002
        """Say what was done, and where to look at it."""
        self.message_user(request, words)
        return None

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("newsletter.change_digest")

    @admin.action(description="Try what failed again", permissions=["decide"])
    def retry_failed(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        digests, now = self.digests_of(rows), timezone.now()
        again = decisions.retry_failed(digests, now, record=self.record(request, "tried what failed again"))
        left = decisions.left_alone(decisions.failed(digests), now)
        return self.done(request, rows, f"{again:,} planned again.{left.words()}")

    @admin.action(description="In doubt: the provider has them", permissions=["decide"])
    def was_accepted(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self._resolve(request, rows, Verdict.ACCEPTED)

    @admin.action(description="In doubt: they were not sent, plan them again", permissions=["decide"])
    def was_not_sent(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self._resolve(request, rows, Verdict.NOT_SENT)

    def doubts(self, rows: QuerySet[Any]) -> str:
        """What it means to say that they were not sent, before it is said."""
        digests = self.digests_of(rows)
        left = decisions.left_in_doubt(digests, Verdict.NOT_SENT, timezone.now())
        return f"In doubt: {decisions.in_doubt(digests).count():,}.{left.words()}"

    for _action in (was_accepted, was_not_sent):
        _action.typed = True  # type: ignore[attr-defined]
    was_not_sent.means = doubts  # type: ignore[attr-defined]

    def _resolve(self, request: HttpRequest, rows: QuerySet[Any], verdict: Verdict) -> HttpResponse | None:
        record, now = self.record(request, f"was in doubt, and {verdict.label}"), timezone.now()
        digests = self.digests_of(rows)
        settled = decisions.resolve(digests, verdict, now, record=record)
        left = decisions.left_in_doubt(digests, verdict, now)
        return self.done(request, rows, f"{settled:,} in doubt settled: {verdict.label}.{left.words()}")


class DecidesOnDigests(Decides):
    def digests_of(self, rows: QuerySet[Digest]) -> QuerySet[Digest]:
        return Digest.objects.filter(pk__in=rows.values("pk"))

    def record(self, request: HttpRequest, words: str) -> decisions.Record:  # noqa: ARG002 - the admin records what was chosen
        return decisions.no_record


class DecidesOnEditions(Decides):
    def digests_of(self, rows: QuerySet[Any]) -> QuerySet[Digest]:
        return Digest.objects.filter(edition__in=rows.values("pk"))

    def record(self, request: HttpRequest, words: str) -> decisions.Record:
        def write(digests: list[Digest], before: str, after: str) -> None:
            audit.write(request.user.pk or 0, digests, [{"action": words, "values": {"status": [before, after]}}])

        return write

    def done(self, request: HttpRequest, rows: QuerySet[Any], words: str) -> HttpResponse | None:
        """On the record of each edition too; of one, its page is shown."""
        editions = list(rows)
        if len(editions) > 1:
            words = f"{words} In {len(editions)} editions at once."
        for edition in editions:
            audit.record(request.user, edition, words)
            census.recount(edition, timezone.now())
        super().done(request, rows, words)
        return redirect("desk_edition", editions[0].pk) if len(editions) == 1 else None
