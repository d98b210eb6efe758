"""The conformance kit finds what is wrong, and the built-in plugins pass it."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest

from hostd.plugin import Action, ActionContext, Options, ProvisionContext, Registry, hookimpl
from hostd.plugin.api import accepts
from hostd.plugin.testing import check_plugin

BUILT_IN = ("cron", "http", "log", "lua", "mock", "secrets")


@pytest.mark.parametrize("name", BUILT_IN)
async def test_built_in_plugins_conform(name: str) -> None:
    """Every built-in plugin keeps what the kit asks of strangers."""
    assert await check_plugin(importlib.import_module(f"hostd_builtin.{name}")) == []


class Sloppy(Options):
    model_config = {"extra": "ignore"}  # noqa: RUF012 the mistake under test
    count: int = 0


class SloppyAction(Action[Sloppy]):
    id = "sloppy.one"

    class Settings(Options):
        needed: int

    def __init__(self) -> None:
        self.open = False

    async def close(self) -> None:
        raise RuntimeError("cannot close")

    async def provision(self, ctx: ProvisionContext) -> None: ...

    async def run(self, ctx: ActionContext, options: Sloppy) -> None: ...


async def test_findings_name_the_component_and_the_mistake() -> None:
    """No docstring, no since, no descriptions, loose options, settings without defaults: each is one sentence."""
    module: Any = ModuleType("sloppy")

    @hookimpl
    def hostd_register(registry: Registry) -> None:
        registry.action(SloppyAction)

    module.hostd_register = hostd_register
    found = await check_plugin(module)
    for words in ("no docstring", "`since` is empty", "count has no description", "not refused", "settings need"):
        assert any(words in problem for problem in found), (words, found)
    assert all(problem.startswith("action sloppy.one: ") for problem in found)


async def test_a_forgotten_hookimpl_is_named() -> None:
    """The usual first mistake has its own sentence."""
    module: Any = ModuleType("forgetful")
    module.hostd_register = lambda registry: None
    (problem,) = await check_plugin(module)
    assert "did you forget @hookimpl?" in problem


@pytest.mark.parametrize(
    "wanted, served",
    [(">=1.0,<2", True), ("==1.0", True), (">=1.1", False), (">=2", False), ("<1", False), (">0.9, <=1.0", True)],
)
def test_api_ranges(wanted: str, served: bool) -> None:
    """A plugin's range is compared number by number."""
    assert accepts(wanted, "1.0") is served


def test_a_range_that_cannot_be_read_is_an_error() -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="not an API range"):
        accepts("^1.0")
