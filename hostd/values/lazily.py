"""Modules that are imported when something of them is first used: a start that needs nothing of them goes without."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """A module that is imported when something of it is first used; what was used once is an attribute from then on."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(importlib.import_module(self.__name__), name)
        setattr(self, name, value)
        return value


def lazily(name: str) -> Any:
    """Return a module that is imported on first use: for one that takes 2 ms and more, and that not every start needs.

    Type checkers are to see the import itself, under `if TYPE_CHECKING:`.
    """
    return LazyModule(name)
