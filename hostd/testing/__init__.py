"""What workflows and plugins are tested with: hosts in the test's own process.

async with TestHost() as host:                       # three days of waiting take milliseconds
    host.mock("http.request", returns={"status": 200, "headers": {}, "body": {}})
    await host.register(Path("order.yaml"))
    assert await host.execute("order", {"sku": "a-1"}) == {"paid": 7}

async def test_it_behaves_the_same_wherever_it_runs():
    cases = [Case("shop.charge", {"cents": 250}, output={"paid": True})]
    assert await check_plugin(FOLDER, cases) == []

async def test_in_a_workflow():
    async with on_stage(FOLDER) as stage:
        assert (await stage.attempt("shop.charge", {"cents": 250})).output == {"paid": True}
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hostd.testing.answers import Call as Call
    from hostd.testing.answers import Fails as Fails
    from hostd.testing.answers import Hangs as Hangs
    from hostd.testing.answers import Returns as Returns
    from hostd.testing.host import TestHost as TestHost
    from hostd.testing.mocks import Mock as Mock
    from hostd.testing.modes import Case as Case
    from hostd.testing.modes import check_plugin as check_plugin
    from hostd.testing.stage import MODES as MODES
    from hostd.testing.stage import Outcome as Outcome
    from hostd.testing.stage import Slots as Slots
    from hostd.testing.stage import Stage as Stage
    from hostd.testing.stage import on_stage as on_stage

__all__ = [
    "MODES",
    "Call",
    "Case",
    "Fails",
    "Hangs",
    "Mock",
    "Outcome",
    "Returns",
    "Slots",
    "Stage",
    "TestHost",
    "check_plugin",
    "on_stage",
]

_HOMES = {
    "answers": ("Call", "Fails", "Hangs", "Returns"),
    "host": ("TestHost",),
    "mocks": ("Mock",),
    "modes": ("Case", "check_plugin"),
    "stage": ("MODES", "Outcome", "Slots", "Stage", "on_stage"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what is asked for: pytest imports this room in every program it is installed beside."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_HOME_OF)
