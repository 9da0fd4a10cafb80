"""The house rules, read from the code: who may import whom, and how big a thing may grow."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models.fields.related import RelatedField

ROOT = Path(__file__).resolve().parents[1]
OURS = ("newsletter", "subscribers", "papers")
MAY_IMPORT = {"newsletter": {"subscribers", "papers"}, "subscribers": {"papers"}, "papers": set()}
# Subscribers choose topics; what else was published is none of their business.
ONLY_NAMES = {("subscribers", "papers"): {"papers.models.Topic"}}
LONGEST_FILE, LONGEST_FUNCTION = 350, 50

FILES = sorted(
    path
    for folder in (*OURS, "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
)
Function = ast.FunctionDef | ast.AsyncFunctionDef
Import = ast.Import | ast.ImportFrom


@pytest.fixture(scope="module")
def nodes() -> dict[str, list[ast.AST]]:
    """All that every file of ours is made of, by its path from the root."""
    return {str(path.relative_to(ROOT)): [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))] for path in FILES}


def imported(nodes: list[ast.AST]) -> Iterator[str]:
    """The full name of everything that a module imports."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def may_import(home: str, name: str) -> bool:
    there = name.partition(".")[0]
    if home not in OURS or there == home:
        return True
    if there in OURS:
        return there in MAY_IMPORT[home] and name in ONLY_NAMES.get((home, there), {name})
    return there != "tests"


def test_imports_point_one_way(nodes: dict[str, list[ast.AST]]) -> None:
    assert [
        f"{path} must not import {name}"
        for path, parts in nodes.items()
        for name in imported(parts)
        if not may_import(Path(path).parts[0], name)
    ] == []


def test_who_carries_the_mail_knows_no_ledger(nodes: dict[str, list[ast.AST]]) -> None:
    beneath = ("newsletter.delivery.wire.", "newsletter.digest.")
    assert [
        f"{path} must not import {name}"
        for path, parts in nodes.items()
        if path.startswith("newsletter/delivery/wire/")
        for name in imported(parts)
        if name.startswith("newsletter.") and not name.startswith(beneath)
    ] == []


def test_functions_are_short_and_hide_no_import(nodes: dict[str, list[ast.AST]]) -> None:
    """A hidden import is a cycle that somebody gave up on."""
    functions = [
        (f"{path}: {node.name}", node) for path, parts in nodes.items() for node in parts if isinstance(node, Function)
    ]
    lengths = {name: (node.end_lineno or node.lineno) - node.lineno + 1 for name, node in functions}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}
    assert [name for name, node in functions if any(isinstance(part, Import) for part in ast.walk(node))] == []


def test_files_can_be_read_in_one_sitting() -> None:
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_the_lower_app_cannot_see_the_upper_one_through_the_orm() -> None:
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, RelatedField) and model._meta.app_label in OURS:
                there = field.related_model._meta.app_label
                crosses = there in OURS and there != model._meta.app_label
                assert not crosses or field.remote_field.hidden, f"{field} needs related_name='+'"
