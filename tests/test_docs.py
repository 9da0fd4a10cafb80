"""What the documents name is there: commands with their options, and pictures."""

import argparse
import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from tests.pictures import PICTURES

ROOT = Path(__file__).resolve().parents[1]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = re.compile(r"`([^`]+)`|^ {4}((?:make|manage\.py|python|\.venv/bin/python|docker) .*)$", re.MULTILINE)
OPTION = re.compile(r"(?<!\S)\[?(--[a-z][a-z-]*)")
APPS = {"newsletter", "papers", "subscribers"}
OURS = {name: app for name, app in get_commands().items() if app in APPS}


def code_of(document: Path) -> Iterator[str]:
    """What stands in a document as something to type, without the comment behind it."""
    for inline, line in CODE.findall(document.read_text(encoding="utf-8")):
        yield " ".join((inline or line.partition(" #")[0]).split())


@cache
def parser_of(command: str) -> argparse.ArgumentParser:
    return load_command_class(get_commands()[command], command).create_parser("manage.py", command)


def parts_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of a command that has several in one."""
    return {
        name: part
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, part in action.choices.items()
    }


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    own = {option for action in parser._actions for option in action.option_strings}
    return own.union(*map(options_of, parts_of(parser).values()))


def options_in(module: str) -> set[str]:
    """Every option that stands in the code of a module of ours."""
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in strings if isinstance(text, str) and text.startswith("--")}


def known_to(code: str) -> set[str] | None:
    """The options that something to type may have: a command, or a part of one whose name stands elsewhere; None where
    it is none of ours. Raises KeyError or OSError for a command that there is not.
    """
    if found := re.search(r"python -m ((?:benchmarks|tests)\.[\w.]+)", code):
        return options_in(found[1])
    name, *rest = code.rpartition("manage.py ")[2].split()
    if name in OURS or "manage.py" in code:
        parser = parser_of(name)
        parts = parts_of(parser)
        return options_of(parts[rest[0]] if parts and rest and rest[0].islower() else parser)
    parsers = [parser_of(command) for command in OURS]
    is_part = name.startswith("--") or any(name in parts_of(parser) for parser in parsers)
    return set().union(*map(options_of, parsers)) if is_part else None


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
def test_commands_that_are_named_exist_with_their_options(document: Path) -> None:
    for code in code_of(document):
        known = known_to(code)
        assert known is None or set(OPTION.findall(code)) <= known, code


def test_targets_of_make_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {found[1] for path in DOCS for code in code_of(path) if (found := re.match(r"make ([a-z-]+)", code))}
    assert len(named) > 4
    assert named <= targets


def test_every_picture_is_shown_and_can_be_taken_anew() -> None:
    shown = {Path(name).stem for path in DOCS for name in re.findall(r"\(([\w/-]+\.png)\)", path.read_text("utf-8"))}
    assert shown == {path.stem for path in (ROOT / "docs").glob("*.png")} == set(PICTURES)
