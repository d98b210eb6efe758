"""Modules that wait for their first use."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hostd.values.lazily import lazily


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module that can be imported and is not."""
    (tmp_path / "a_late_module.py").write_text("VALUE = 7\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "a_late_module", raising=False)
    return "a_late_module"


def test_it_is_imported_when_something_of_it_is_used(late: str) -> None:
    """Naming a module does not import it, and what it holds is what the module holds."""
    module = lazily(late)
    assert late not in sys.modules
    assert module.VALUE == 7
    assert late in sys.modules


def test_what_it_does_not_have_is_an_attribute_error(late: str) -> None:
    """A name that is not in the module is missed like in any module."""
    with pytest.raises(AttributeError, match="NOTHING"):
        _ = lazily(late).NOTHING


def test_a_module_that_is_missing_is_told_on_use() -> None:
    """A module that is not installed is missed where it is used, by its name."""
    module = lazily("no_such_module_at_all")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        _ = module.anything
