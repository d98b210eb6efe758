"""Imports go downward only: the contracts of pyproject.toml hold, and each of them catches what it is for."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tree import ROOT

PLANTED = [
    ("hostd/journal/planted.py", "import hostd.runtime.ring.intake", "Floors"),
    ("hostd/journal/planted.py", "import hostd.lua.pool", "Floors"),
    ("hostd/definition/planted.py", "import hostd.config.load", "Floors"),
    ("hostd/api/planted.py", "import hostd.http.server", "Floors"),
    ("hostd/errors/planted.py", "import hostd.model.ids", "Floors"),
    ("hostd/engine/planted.py", "import asyncio", "Engine"),
    ("hostd/engine/planted.py", "import time", "Engine"),
    ("hostd/engine/planted.py", "import random", "Engine"),
    ("hostd/engine/planted.py", "import logging", "Engine"),
    ("hostd/model/planted.py", "import sqlite3", "Engine"),
    ("hostd/model/planted.py", "import grpc", "Engine"),
    ("hostd/engine/planted.py", "import pydantic", "Engine"),
    ("hostd/engine/planted.py", "import socket", "Engine"),
    ("plugins/builtin/hostd_builtin/planted.py", "import hostd.model.ids", "Built-in"),
    ("plugins/builtin/hostd_builtin/planted.py", "import hostd.errors.base", "Built-in"),
    ("hostd/cli/planted.py", "import hostd.journal.port", "Commands"),
    ("hostd/cli/planted.py", "import hostd.config.load", "Commands"),
    ("hostd/plugin/planted.py", "import hostd.model.ids", "hostd-sdk"),
    ("hostd/client/planted.py", "import hostd.aio", "hostd-sdk"),
]


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a tree."""
    script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    paths = os.pathsep.join([str(root), str(root / "plugins/builtin")])
    return subprocess.run(
        [sys.executable, "-c", script, "--no-cache"],
        cwd=root, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def copy_of_tree(target: Path) -> Path:
    """Copy what the contracts look at."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "hostd", target / "hostd", ignore=ignore)
    shutil.copytree(ROOT / "plugins/builtin", target / "plugins/builtin", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", target)
    return target


def test_the_floors_hold() -> None:
    """No import goes up or sideways."""
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_each_contract_catches_its_violation(tmp_path: Path) -> None:
    """Planted imports are all reported, each under the contract that forbids it."""
    root = copy_of_tree(tmp_path)
    for index, (file, line, _) in enumerate(PLANTED):
        planted = root / file.replace("planted", f"planted_{index}")
        planted.parent.mkdir(parents=True, exist_ok=True)
        planted.write_text(line + "\n")

    report = lint_imports(root).stdout.partition("Broken contracts")[2]

    sections = {part.split("\n")[0]: part for part in report.split("\n\n\n")}
    assert sections
    for index, (_, line, contract) in enumerate(PLANTED):
        importer, imported = f"planted_{index} ->", line.removeprefix("import ")
        told = [text for text in report.split("\n") if importer in text and imported in text]
        assert told, f"{line} as planted_{index} was not caught ({contract})"


ALLOWED = {
    "cli-through-client": {"__main__", "aio", "cli", "client", "errors", "model", "plugin", "testing", "v1", "values"},
    "sdk-stands-alone": {"__main__", "client", "errors", "plugin", "v1", "values"},
}


@pytest.mark.parametrize("contract,allowed", ALLOWED.items())
def test_contracts_know_every_room(contract: str, allowed: set[str]) -> None:
    """A room that is added is named in each list that forbids rooms, or allowed here on purpose."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    forbidden = next(each["forbidden_modules"] for each in config["contracts"] if each["id"] == contract)
    rooms = {
        path.stem for path in (ROOT / "hostd").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - allowed == {name.removeprefix("hostd.") for name in forbidden} & rooms
