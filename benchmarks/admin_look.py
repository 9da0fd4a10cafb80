"""Looks at every page of the admin, in the database that benchmarks/admin_fill.py filled.

What takes longer than a second is written to standard error with its statement.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "newsletter.settings"
django.setup()

from django.contrib import admin  # noqa: E402 - the settings read the environment
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Model  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from newsletter.models import Digest  # noqa: E402
from papers.models import Paper, Topic  # noqa: E402
from subscribers.models import Suppression  # noqa: E402

LOOKS = 5  # at a page; the first, which fills the caches, does not count
SLOW = 1_000  # milliseconds
ADDRESS = "person4242@"  # by whose beginning readers are looked for


@dataclass
class Cost:
    """Of one page, in milliseconds."""

    name: str
    queries: int = 0
    whole: float = 0
    slowest: float = 0
    statement: str = field(default="", repr=False)


def measured(name: str, look: Callable[[], Any]) -> Cost:
    """The median of some looks; one that takes very long is not repeated."""
    costs: list[Cost] = []
    while len(costs) < LOOKS and (not costs or costs[-1].whole < 5 * SLOW):
        costs.append(looked(name, look))
    later = sorted(costs[1:] or costs, key=lambda one: one.whole)
    median = later[len(later) // 2]
    if median.whole > SLOW:
        print(f"{median}\n    {median.statement[:1500]}", file=sys.stderr, flush=True)
    return median


def looked(name: str, look: Callable[[], Any]) -> Cost:
    cost = Cost(name)

    def timed(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, values, many, context)
        finally:
            spent = 1e3 * (time.perf_counter() - begun)
            cost.queries += 1
            if spent > cost.slowest:
                cost.slowest, cost.statement = spent, f"{sql} {values}"

    started = time.perf_counter()
    with connection.execute_wrapper(timed):
        answer = look()
    cost.whole = 1e3 * (time.perf_counter() - started)
    assert answer.status_code < 400, f"{name}: {answer.status_code}"
    return cost


class Looks:
    """An owner, who may see everything, at the pages."""

    def __init__(self) -> None:
        self.client = Client()
        self.client.force_login(User.objects.get_or_create(username="owner", is_superuser=True, is_staff=True)[0])

    def get(self, address: str) -> Callable[[], Any]:
        return lambda: self.client.get(address)

    def post(self, to: str, **values: object) -> Callable[[], Any]:
        return lambda: self.client.post(to, values, follow=True)

    def lists(self) -> Iterator[tuple[Cost, Cost | None, Cost | None, Cost | None]]:
        """Each list: as it opens, the slowest of its filters, the slowest of its searches, the form of its last row."""
        for model, model_admin in admin.site._registry.items():
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            opened = measured(str(model._meta.verbose_name_plural), self.get(address))
            filters = [measured(name, self.get(address + query)) for name, query in self.filters(address).items()]
            searches = [measured(sought, self.post(address, q=sought)) for sought in sought_in(model, model_admin)]
            yield opened, slowest(filters), slowest(searches), self.form(model)

    def filters(self, address: str) -> dict[str, str]:
        """Every choice of every filter, and the latest year, in words and as a query."""
        changes = self.client.get(address).context_data["cl"]
        queries = {
            f"{spec.title}: {choice['display']}": choice["query_string"]
            for spec in changes.filter_specs
            for choice in spec.choices(changes)
        }
        if changes.date_hierarchy and (year := changes.queryset.dates(changes.date_hierarchy, "year").last()):
            queries[f"in {year.year}"] = f"?{changes.date_hierarchy}__year={year.year}"
        return {name: query for name, query in queries.items() if query not in {"", "?"}}

    def form(self, model: type[Model]) -> Cost | None:
        row = model._default_manager.order_by("pk").last()
        if row is None:
            return None
        return measured(
            "form", self.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk]))
        )

    def pages(self) -> Iterator[Cost]:
        """Our own, of what has the most."""
        edition = Digest.objects.latest("pk").edition
        digest = Digest.objects.filter(edition=edition).order_by("pk")[1000]
        reader, paper = digest.subscriber, Paper.objects.latest("pk")
        ledger = reverse("admin:newsletter_digest_changelist")
        yield measured("Today", self.get(reverse("admin:index")))
        yield measured("the calendar", self.get(reverse("desk_calendar")))
        yield measured("an edition", self.get(reverse("desk_edition", args=[edition.pk])))
        yield measured("its preview and checks", self.get(reverse("desk_preview", args=[edition.pk])))
        for status in Digest.Status.values:
            query = f"{ledger}?edition__id__exact={edition.pk}&status__exact={status}"
            yield measured(f"its digests that are {status}", self.get(query))
        yield measured("its digests", self.get(f"{ledger}?edition__id__exact={edition.pk}"))
        explain = reverse("admin:newsletter_edition_explain", args=[edition.pk])
        yield measured("explained for a reader", self.post(explain, address=reader.email))
        yield measured("a reader", self.get(reverse("desk_reader", args=[reader.pk])))
        find = reverse("desk_find")
        suppressed = Suppression.objects.latest("pk").address_hash[:12]
        for name, sought in {"address": reader.email, "digest": digest.uid, "hash": suppressed}.items():
            yield measured(f"a reader found by {name}", self.post(find, sought=sought))
        look_up = reverse("admin:subscribers_suppression_look_up")
        yield measured("an address looked up", self.post(look_up, address=reader.email))
        yield measured("a topic", self.get(reverse("desk_topic", args=[Topic.objects.earliest("pk").pk])))
        yield measured("possible duplicates", self.get(reverse("admin:papers_paper_duplicates")))
        yield measured("the same work", self.get(reverse("admin:papers_paper_merge", args=[paper.pk])))
        merge = reverse("admin:papers_paper_merge", args=[paper.pk])
        yield measured("a merge", self.get(f"{merge}?with={paper.pk - 1}"))
        for name, model in {"paper": "editionpaper", "topic": "papertopic"}.items():
            app = "newsletter" if name == "paper" else "papers"
            query = f"?term=robots&app_label={app}&model_name={model}&field_name={name}"
            yield measured(f"a {name} as it is typed", self.get(reverse("admin:autocomplete") + query))


def sought_in(model: type[Model], model_admin: Any) -> Iterator[str]:
    """What somebody types into a list's search box: an address, and of each column something that is there, or not."""
    if model_admin.address_field:
        yield ADDRESS
    for path in getattr(model_admin, "uid_fields", model_admin.search_fields):
        value = model._default_manager.order_by("pk").values_list(path, flat=True).last()
        yield str(value).split()[0] if value else "nowhere"
        yield "no such thing"


def slowest(costs: list[Cost]) -> Cost | None:
    return max(costs, key=lambda one: one.whole, default=None)


def told(cost: Cost | None, *, named: bool = True) -> str:
    if cost is None:
        return ""
    return f"{cost.whole:,.0f}" + (f" ({cost.name})" if named else "")


def main() -> None:
    looks = Looks()
    print("| list | queries | ms | its slowest statement | slowest filter | slowest search | a row's page |")
    print("|---|---|---|---|---|---|---|")
    for opened, filtered, searched, form in looks.lists():
        cells = [opened.name, str(opened.queries), told(opened, named=False), f"{opened.slowest:,.0f}"]
        print(f"| {' | '.join([*cells, told(filtered), told(searched), told(form, named=False)])} |", flush=True)
    print("\n| page | queries | ms | slowest statement |\n|---|---|---|---|")
    for page in looks.pages():
        print(f"| {page.name} | {page.queries} | {page.whole:,.0f} | {page.slowest:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
