"""What is said of an action before its plugin is loaded, and what has changed since."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hostd.runtime.attempts.executors import Executors
from hostd.runtime.ring.permits import ABSENT, UNKNOWN


class Registry:
    """What is loaded, and which domains may come."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.coming: set[str] = set()

    @property
    def starting(self) -> bool:
        return bool(self.coming)

    def action(self, component_id: str) -> Any:
        return self.entries.get(component_id)

    def may_come(self, component_id: str) -> bool:
        return component_id.partition(".")[0] in self.coming

    def absence(self, component_id: str) -> str:
        return ""


def test_an_action_is_awaited_while_its_plugin_starts_and_what_became_of_it_is_told_once() -> None:
    """Awaited, loaded, given up: each change is named at the next look, and only then."""
    registry = Registry()
    registry.coming = {"slow", "sick"}
    executors = Executors(lambda: registry)
    assert [executors.of(action) for action in ("slow.say", "sick.say", "typo.say")] == [ABSENT, ABSENT, UNKNOWN]
    assert executors.patience
    assert executors.changed() == set()

    registry.coming = set()
    registry.entries["slow.say"] = SimpleNamespace(executors=("process",), max_in_flight=3)
    assert executors.changed() == {"slow.say", "sick.say"}

    assert executors.changed() == set()
    assert (executors.of("slow.say"), executors.most_of("slow.say")) == ("process", 3)
    assert executors.of("sick.say") == UNKNOWN
    assert not executors.patience


def test_a_host_whose_program_brings_actions_waits_for_all_of_them() -> None:
    """It never says that nobody brings one."""
    executors = Executors(Registry, patient=True)
    assert executors.patience
    assert executors.of("shop.price") == ABSENT
