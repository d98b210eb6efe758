"""Every key of the configuration has its effect shown by a test that says so (tests/support/effects.py)."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from effects import KEYS
from tree import ROOT


def modules() -> Iterator[ModuleType]:
    """Yield the test modules in which something is shown."""
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        if "\n@shows(" in file.read_text(encoding="utf-8"):
            yield loaded(file)


def loaded(file: Path) -> ModuleType:
    """Return a test module, under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"shows_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_key_has_a_test_that_shows_its_effect() -> None:
    """A new key needs one; marks of tests that are no tests count for nothing."""
    shown: set[str] = set()
    for module in modules():
        for name, test in vars(module).items():
            if name.startswith("test_"):
                shown.update(getattr(test, "shown_keys", ()))
    assert sorted(KEYS - shown) == []
