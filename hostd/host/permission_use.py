"""Permissions that a plugin's files use, as far as reading them tells; nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FILES_MAX = 1_000
FILE_BYTES_MAX = 1024 * 1024
_MODULES = {
    "net": {
        "socket",
        "ssl",
        "urllib",
        "http",
        "requests",
        "httpx",
        "aiohttp",
        "urllib3",
        "websockets",
        "smtplib",
        "ftplib",
    },
    "subprocess": {"subprocess", "multiprocessing", "pty"},
    "fs": {"shutil", "tempfile", "aiofiles"},
}
_SERVICES = {"secrets": "secrets", "kv": "kv", "blobs": "blobs", "events": "events", "http": "net"}
_CONTEXTS = {"ctx", "context"}
_SKIPPED = re.compile(r"(^|/)(test_[^/]*|conftest)\.py$|(^|/)tests?/")


class Use(NamedTuple):
    """One place. `asked`: the host refuses it without the permission; else it is only told to the operator."""

    permission: str
    what: str
    asked: bool
    file: str
    line: int
    column: int


def uses_in(folder: Path) -> list[Use]:
    """Return the first use of each permission in each file, by file. Blocks."""
    found: list[Use] = []
    for path in sorted(folder.rglob("*.py"))[:FILES_MAX]:
        if _SKIPPED.search(path.relative_to(folder).as_posix()) or path.stat().st_size > FILE_BYTES_MAX:
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError, OSError):
            continue  # importing it says so, with the place
        first: dict[str, Use] = {}
        for use in _uses(tree, str(path)):
            first.setdefault(use.permission, use)
        found += first.values()
    return found


def _uses(tree: ast.Module, file: str) -> Iterator[Use]:
    for node in ast.walk(tree):
        for permission, what, asked in _of(node):
            yield Use(permission, what, asked, file, getattr(node, "lineno", 0), getattr(node, "col_offset", 0) + 1)


def _of(node: ast.AST) -> Iterator[tuple[str, str, bool]]:
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        names = [node.module]
    for name in names:
        for permission, modules in _MODULES.items():
            if name.partition(".")[0] in modules:
                yield permission, f"it imports {name}", False
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in _CONTEXTS:
        permission = _SERVICES.get(node.attr, "")
        if permission:
            yield permission, f"it uses {node.value.id}.{node.attr}", True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
        yield "fs", "it opens files", False
