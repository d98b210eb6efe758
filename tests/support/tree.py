"""The repository as the tidy tests see it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def sources(*folders: str) -> Iterator[Path]:
    """Yield our own Python files below folders of the repository, without generated ones, in order."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            if "_pb2" not in file.name and "__pycache__" not in file.parts and "node_modules" not in file.parts:
                yield file


@cache
def parsed(file: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def relative(file: Path) -> str:
    """Return a file's path in the repository."""
    return file.relative_to(ROOT).as_posix()
