"""Which plugin may bring a component that is not loaded."""

from __future__ import annotations

import pytest

from hostd.host.absent import absence, may_come
from hostd.host.found import PluginReport, PluginState, Source


def plugin(name: str, state: PluginState, *expected: str, message: str = "") -> PluginReport:
    """Return what became of a plugin."""
    return PluginReport(name, "1", Source.FOLDER, "", state, message=message, expected=frozenset(expected))


LOADED, STARTING, FAILED = PluginState.LOADED, PluginState.STARTING, PluginState.FAILED


@pytest.mark.parametrize(
    ("plugins", "expected"),
    [
        ([plugin("slow", STARTING)], True),
        ([plugin("slow", FAILED), plugin("other", STARTING)], False),
        ([plugin("slow", FAILED), plugin("other", STARTING, "slow.say")], True),
        ([plugin("other", STARTING)], True),
        ([plugin("slow", LOADED), plugin("other", STARTING)], True),
        ([plugin("other", FAILED, "slow.say"), plugin("third", STARTING)], False),
        ([plugin("slow", LOADED), plugin("other", FAILED)], False),
        ([], False),
    ],
)
def test_a_plugin_that_is_named_for_it_counts_before_all_others(plugins: list[PluginReport], expected: bool) -> None:
    """Its id, or what it is expected to serve, names it; what none names, any may bring that is starting."""
    assert may_come("slow.say", plugins) is expected


def test_what_is_said_names_the_plugin_and_why_it_does_not_serve() -> None:
    """The one that is named for it; where none is, those that do not serve, three at most."""
    sick = [plugin(f"sick{number}", FAILED, message="no module named x") for number in range(5)]
    assert absence("slow.say", [*sick, plugin("slow", STARTING)]) == ("plugin slow, which may provide it, is starting")
    told = absence("slow.say", [*sick, plugin("fine", LOADED)])
    assert told.startswith("plugin sick0, which may provide it, is failed: no module named x; plugin sick1")
    assert "sick3" not in told
    assert absence("slow.say", [plugin("slow", LOADED)]) == ""
