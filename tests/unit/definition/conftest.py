"""A catalogue of made-up components for tests of the compiler."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest


class MadeUpComponent(msgspec.Struct):
    """A component whose options are told by type only."""

    types: dict[str, type]
    required: tuple[str, ...] = ()
    code_fields: frozenset[str] = frozenset()
    effects: str = "none"
    executors: tuple[str, ...] = ("inline",)

    @property
    def schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {name: {} for name in self.types},
            "required": list(self.required),
            "additionalProperties": False,
        }

    def check_literals(self, options: dict[str, Any], templated: frozenset[str]) -> list[tuple[str, str]]:
        heads = {path.partition(".")[0].partition("[")[0] for path in templated}
        found = []
        for name, value in options.items():
            if name in heads:
                continue
            if not isinstance(value, self.types[name]):
                found.append((name, f"Input should be a valid {self.types[name].__name__.replace('str', 'string')}"))
            elif isinstance(value, dict):
                found += [
                    (f"{name}.{key}", "Input should be a valid string")
                    for key, item in value.items()
                    if not isinstance(item, str)
                ]
        return found


class MadeUpCatalogue:
    """test.send and test.tick."""

    def __init__(self) -> None:
        self.actions = {
            "test.send": MadeUpComponent(
                {"url": str, "retries": int, "headers": dict, "script": str},
                required=("url",),
                code_fields=frozenset({"script"}),
                executors=("inline", "thread"),
            )
        }
        self.triggers = {"test.tick": MadeUpComponent({"every": str}, required=("every",), executors=())}

    def action(self, component_id: str) -> MadeUpComponent | None:
        return self.actions.get(component_id)

    def trigger(self, component_id: str) -> MadeUpComponent | None:
        return self.triggers.get(component_id)

    def action_ids(self) -> Iterable[str]:
        return self.actions

    def trigger_ids(self) -> Iterable[str]:
        return self.triggers

    def absence(self, component_id: str) -> str:
        return "plugin late, which may provide it, is starting" if component_id.startswith("late.") else ""


@pytest.fixture
def catalogue() -> MadeUpCatalogue:
    return MadeUpCatalogue()
