"""Names and places: what a listing shows is what the repository is."""

import ast
import re
import subprocess

import pytest
from tree import ROOT, parsed, relative, sources

VAGUE = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc", "base_utils", "shared"}
FRONT_DOORS = {
    "hostd/plugin/__init__.py",
    "hostd/plugin/testing/__init__.py",
    "hostd/client/__init__.py",
    "hostd/embedding/__init__.py",
    "hostd/testing/__init__.py",
}
# Told apart so that this file does not contain what it forbids.
ELSEWHERE = [
    "/work" + "/",
    "shared" + "/design",
    "shared" + "/reference",
    "issues" + " show",
    r"\bissue" + r" #?\d+\b",
    r"\bCEO\b",
    r"pypi\.org/simple",
    r"registry\.npm",
    r"proxy\.golang",
]


def test_no_module_has_a_vague_name() -> None:
    """A name says what lives there: nothing is called utils, helpers, common or manager."""
    parts = {
        part
        for file in sources("hostd", "plugins", "tests", "clients", "benchmarks")
        for part in file.with_suffix("").parts
    }
    assert {part for part in parts if part.lower() in VAGUE or part.lower().endswith(("_utils", "_helpers"))} == set()


def test_every_folder_is_a_package() -> None:
    """Import contracts do not see a folder without __init__.py; hostd/ itself and generated v1 folders have none."""
    folders = {file.parent for file in sources("hostd", "plugins/builtin/hostd_builtin")} - {ROOT / "hostd"}
    lacking = {relative(folder) for folder in folders if not (folder / "__init__.py").exists()}
    assert {name for name in lacking if not re.fullmatch(r"hostd/(\w+/)?v1", name)} == set()
    assert not (ROOT / "hostd/__init__.py").exists()


def test_init_files_are_empty() -> None:
    """Only public front doors have something in __init__.py; built-in plugins begin there."""
    full = {
        relative(file)
        for file in sources("hostd")
        if file.name == "__init__.py" and any(not _is_docstring(node) for node in parsed(file).body)
    }
    assert full - FRONT_DOORS == set()


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_every_module_says_what_lives_in_it() -> None:
    """Each module with code begins with a docstring."""
    silent = {
        relative(file)
        for file in sources("hostd", "plugins")
        if parsed(file).body and not ast.get_docstring(parsed(file))
    }
    assert silent == set()


def test_typed_markers_lie_where_they_count() -> None:
    """At the top of a namespace package py.typed counts for nothing; each part that programs import has its own."""
    for room in ("errors", "values", "plugin", "client", "embedding", "model", "testing"):
        assert (ROOT / "hostd" / room / "py.typed").exists(), room
    if list((ROOT / "hostd/v1").glob("*_pb2.py")):
        assert (ROOT / "hostd/v1/py.typed").exists()


@pytest.mark.parametrize("pattern", ELSEWHERE)
def test_nothing_points_elsewhere(pattern: str) -> None:
    """The repository stands alone: no path, host or number of another place is in it."""
    found = subprocess.run(
        ["git", "grep", "-InP", pattern, "--", ".", ":!tests/tidy/test_names.py"],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert found.stdout == ""
