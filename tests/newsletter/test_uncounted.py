"""The ledger while PostgreSQL has counted nothing in it: whatever it guesses, nobody goes through all that is due."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from newsletter.delivery.sending import deliver_batch
from newsletter.models import DigestPaper
from papers.models import Paper, Topic
from tests.newsletter.conftest import planned_readers

LEDGER = ("newsletter_digest", "newsletter_digestpaper")
# They find a row by itself, in the order of the claim, or by its reader or digest.
NARROW = {"newsletter_digest_pkey", "digest_claimable", "never_the_same_paper_twice", "one_paper_per_place"}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def ways(plan: dict[str, Any]) -> Iterator[str]:
    """How a plan comes to rows of the ledger: an index by its name, or the kind of scan."""
    for node in nodes(plan):
        is_read = node["Node Type"].endswith("Scan") and node["Node Type"] not in {"Bitmap Heap Scan", "CTE Scan"}
        if is_read and (node.get("Relation Name") in LEDGER or "Relation Name" not in node):
            yield node.get("Index Name", node["Node Type"])
        elif node["Node Type"] == "Sort" and any("not_before" in key for key in node["Sort Key"]):
            yield "Sort"


def test_a_worker_comes_to_its_digests_by_narrow_ways(papers: list[Paper], graphs: Topic) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's planner goes by its rules, not by what it counted")
    planned_readers(4_000, graphs)
    deliver_batch(200)
    found = dict[str, str]()

    def explain(execute: Callable[..., Any], sql: str, values: Any, many: bool, context: dict[str, Any]) -> Any:
        if LEDGER[0] in sql:
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
                [[told]] = cursor.fetchall()
            plan = (told if isinstance(told, list) else json.loads(told))[0]["Plan"]
            found.update(dict.fromkeys(ways(plan), sql))
        return execute(sql, values, many, context)

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a long ledger is not read from end to end
    with connection.execute_wrapper(explain):
        assert deliver_batch(20) == 20
    assert DigestPaper.objects.count() > 200
    assert {"newsletter_digest_pkey", "digest_claimable", "never_the_same_paper_twice"} <= found.keys()
    assert {way: sql for way, sql in found.items() if way not in NARROW | {"Function Scan"}} == {}
