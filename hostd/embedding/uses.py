"""What steps and triggers use, written as calls: `http.request(url=...)` says the action and its options.

    from hostd.embedding.uses import flow, http, log

Any domain can be imported by its name; whether a plugin has it is found out when the workflow is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hostd.plugin.function import Use, caller

OURS = (str(Path(__file__).parent),)


def use(component: str, options: Mapping[str, Any] | None = None, /, **more: Any) -> Use:
    """Return an action or trigger with options, by its id: `use("http.request", url=...)`.

    Args:
        options: for names that Python cannot write as a keyword; a keyword may end in `_`: `from_="a"` is `from`.
    """
    return Use(component, {**(options or {}), **named(more)}, caller(OURS))


def named(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return keywords as a document writes them: `if_` is `if`."""
    return {name.removesuffix("_"): value for name, value in keywords.items()}


class Component:
    """An action or trigger by its id; called with options it says what a step uses."""

    def __init__(self, component: str) -> None:
        self._id = component

    def __call__(self, options: Mapping[str, Any] | None = None, /, **more: Any) -> Use:
        """Return it with options, see `use`."""
        return use(self._id, options, **more)

    def __getattr__(self, name: str) -> Component:
        if name.startswith("_"):
            raise AttributeError(name)
        return Component(f"{self._id}.{name.removesuffix('_')}")


class Domain:
    """What a domain has, as attributes: `http.request`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Component:
        if name.startswith("_"):
            raise AttributeError(name)
        return Component(f"{self._name}.{name.removesuffix('_')}")


def __getattr__(name: str) -> Domain:
    if name.startswith("_"):
        raise AttributeError(name)
    return Domain(name)
