"""Each module is under a test: one imports it, or imports what in the same room is built on it."""

import ast
import re
from pathlib import Path

from tree import parsed, relative, sources

# Modules that only run in whole daemons, and where that happens.
INDIRECT = {
    "hostd.__main__": "three lines",
    "hostd.daemon": "tests/e2e runs it as a process",
    "hostd.serving": "tests/e2e runs it as a process",
    "hostd.values.version": "one line, in both wheels",
}


def modules() -> dict[str, Path]:
    """Return dotted name to file of every module with code."""
    found = {}
    for file in sources("hostd"):
        if parsed(file).body:
            name = relative(file).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            found[name] = file
    return found


def imports(file: Path) -> set[str]:
    """Return what a file imports, by module and by module.name."""
    names: set[str] = set()
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def is_root(name: str) -> bool:
    """Say whether a module builds rooms: what these import is run by tests that build a whole host."""
    return name in {"hostd.core", "hostd.daemon"} or room(name) == "hostd.wiring"


def lazily_named(file: Path) -> set[str]:
    """Return the modules that a table of lazy entries names, such as `hostd.cli.runs:show`."""
    return {match.partition(":")[0] for match in re.findall(r'"(hostd\.[a-z_.]+:[a-z_]+)"', file.read_text())}


def room(name: str) -> str:
    """Return the room of a module: its first two words."""
    return ".".join(name.split(".")[:2])


def test_each_module_has_a_test() -> None:
    """A module that no test reaches inside its own room is listed with a reason, or untested."""
    known = modules()
    reached = {name for file in sources("tests", "plugins") for name in imports(file) & known.keys()}
    waiting = list(reached)
    while waiting:
        name = waiting.pop()
        named = (imports(known[name]) | lazily_named(known[name])) & known.keys()
        below = {each for each in named if room(each) == room(name) or is_root(name)} - reached
        reached |= below
        waiting.extend(below)
    assert known.keys() - reached - INDIRECT.keys() == set()


def test_exemptions_name_something() -> None:
    """An exemption whose module is gone goes too."""
    assert INDIRECT.keys() - modules().keys() == set()
