"""A trigger's expressions see the event and nothing else."""

from __future__ import annotations

import pytest

from hostd.runtime.triggers.event_scope import EventScope


def test_only_the_event_has_a_value() -> None:
    """Everything of a run is a LookupError that says what a trigger sees."""
    scope = EventScope({"data": 1}, now_ms=5, trigger="w/t", event_id="e")

    assert scope.root("event") == {"data": 1}
    for call in (lambda: scope.root("input"), lambda: scope.step("a", "output"), lambda: scope.status("failed")):
        with pytest.raises(LookupError, match="trigger"):
            call()


def test_random_functions_are_seeded_by_the_event() -> None:
    """The same event gives the same numbers, another one, or another field, others."""

    def seed(event: str, path: str) -> bytes:
        return EventScope({}, now_ms=0, trigger="w/t", event_id=event).seed(path)

    assert seed("e", "input") == seed("e", "input")
    assert len({seed("e", "input"), seed("f", "input"), seed("e", "key")}) == 3
