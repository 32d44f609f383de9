"""Sentences for the operator name commands that exist, with options that they have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ops_console.cli import main

ROOT = Path(__file__).parents[2]
PACKAGES = ("ops_console", "qbwc_service", "queue_store", "qbxml", "woo_bridge")


def _texts(tree: ast.AST) -> Iterator[str]:
    """Every string of a module, f-strings with X for what is filled in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _named() -> list[tuple[str, str]]:
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for text in _texts(ast.parse(path.read_text())):
                for said in re.findall(r"\bqbwoo ((?:[a-z]+)(?: (?:[a-z]+|--?[a-z-]*|[^\s;]+))*)", text):
                    found.add((str(path.relative_to(ROOT)), said))
    return sorted(found)


@pytest.mark.parametrize(("where", "said"), _named())
def test_a_sentence_names_a_command_that_there_is(where: str, said: str) -> None:
    words = said.split()
    context = click.Context(main)
    command: click.Command = main
    for word in words:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(context, word.strip("`.,):'"))
        if found is None:
            break
        command = found
    if command is main:
        return  # The name of the product, in a sentence of its own.
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    named = {word.strip("`.,):'") for word in words if word.startswith("--") and word != "--"}
    assert named <= options | {"--help"}, f"{where}: {said}"
