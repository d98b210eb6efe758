"""Files and functions stay small enough to read in one sitting."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tree import parsed, relative, sources

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
# What may be larger, and why. Nothing is added here without a reason that a reader accepts.
LARGE_FILES = {
    "hostd/errors/reasons.py": "one table, a page for each reason",
    "hostd/client/errors.py": "generated from that table: a class for each reason",
}
LARGE_FUNCTIONS: dict[str, str] = {}


def functions(node: ast.AST, above: str = "") -> Iterator[tuple[str, int]]:
    """Yield (qualified name, lines without docstring) of every function below a node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            first = child.body[0]
            documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
            yield above + child.name, (child.end_lineno or 0) - child.lineno + 1 - docstring
        name = getattr(child, "name", "")
        yield from functions(child, f"{above}{name}." if name else above)


def ours() -> Iterator[Path]:
    """Yield what ships."""
    yield from sources("hostd", "plugins", "clients/python", "benchmarks")


def test_no_file_is_too_long() -> None:
    """A file past 500 lines wants to be two."""
    long = {relative(file): len(file.read_text().splitlines()) for file in ours()}
    long = {name: lines for name, lines in long.items() if lines > FILE_LINES_MAX}
    assert {name: lines for name, lines in long.items() if name not in LARGE_FILES} == {}


def test_no_function_is_too_long() -> None:
    """A function past 60 lines does more than one thing."""
    long = {
        f"{relative(file)}::{name}": lines
        for file in ours()
        for name, lines in functions(parsed(file))
        if lines > FUNCTION_LINES_MAX
    }
    assert {name: lines for name, lines in long.items() if name not in LARGE_FUNCTIONS} == {}


def test_exemptions_name_something() -> None:
    """An exemption whose file is gone goes too."""
    names = {relative(file) for file in ours()}
    assert {name for name in LARGE_FILES if name not in names} == set()
    assert {name for name in LARGE_FUNCTIONS if name.partition("::")[0] not in names} == set()
