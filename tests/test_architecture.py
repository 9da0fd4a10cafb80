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
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))


def imported(tree: ast.AST) -> Iterator[str]:
    """The full name of everything that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@each_file
def test_imports_point_one_way(path: Path) -> None:
    home = path.relative_to(ROOT).parts[0]
    for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
        there = name.split(".")[0]
        if home in OURS and there in OURS and there != home:
            assert there in MAY_IMPORT[home], f"{home} must not import {name}"
            assert name in ONLY_NAMES.get((home, there), {name}), f"{home} must not import {name}"
        assert there != "tests" or home not in OURS, f"{home} must not import {name}"


@each_file
def test_functions_are_short_and_hide_no_import(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, Function)):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        assert length <= LONGEST_FUNCTION, f"{function.name} has {length} lines"
        hidden = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not hidden, f"{function.name} hides an import: a cycle that somebody gave up on"


@each_file
def test_files_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def test_the_lower_app_cannot_see_the_upper_one_through_the_orm() -> None:
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, RelatedField) and model._meta.app_label in OURS:
                there = field.related_model._meta.app_label
                crosses = there in OURS and there != model._meta.app_label
                assert not crosses or field.remote_field.hidden, f"{field} needs related_name='+'"
