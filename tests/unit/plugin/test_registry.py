"""What the registry takes, and what it refuses with a sentence that helps."""

from __future__ import annotations

from typing import Any

import pytest

from hostd.plugin import (
    Action,
    ActionContext,
    HostdError,
    Options,
    ProvisionContext,
    Registry,
    SecretsProvider,
    Trigger,
    TriggerContext,
)


class Empty(Options):
    """No options."""


class Good(Action[Empty]):
    """A good action."""

    id, since, stability, effects, executors = "good.one", "0.1", "stable", "none", ("inline", "process")

    class Settings(Options):
        """The operator's."""

        level: int = 1

    async def provision(self, ctx: ProvisionContext) -> None: ...

    async def run(self, ctx: ActionContext, options: Empty) -> None: ...


class Blocking(Action[Empty]):
    """A blocking action."""

    id, executors = "good.blocking", ("thread", "process")

    def run(self, ctx: ActionContext, options: Empty) -> None: ...


class Script(Action[Empty]):
    """Only options, for another executor."""

    id, executors = "good.script", ("lua",)


class Ticker(Trigger[Empty]):
    """A trigger."""

    id = "good.tick"

    async def run(self, ctx: TriggerContext) -> None: ...


def test_good_components_are_taken() -> None:
    """Async, blocking and run-less actions, triggers and their options and settings classes are found."""
    registry = Registry()
    for action in (Good, Blocking, Script):
        registry.action(action)
    registry.trigger(Ticker)
    assert [(entry.kind, entry.id) for entry in registry.registrations] == [
        ("action", "good.one"),
        ("action", "good.blocking"),
        ("action", "good.script"),
        ("trigger", "good.tick"),
    ]
    first = registry.registrations[0]
    assert (first.options, first.settings) == (Empty, Good.Settings)
    assert first.origin.endswith(":Good")


def made(**attributes: Any) -> Any:
    """Return an action class that is good but for the given attributes."""

    async def run(self: Any, ctx: Any, options: Any) -> None: ...

    return type("Made", (Action,), {"id": "made.one", "run": run} | attributes)


def blocking_run(self: Any, ctx: Any, options: Any) -> None:
    """A plain def."""


@pytest.mark.parametrize(
    "action, words",
    [
        (made(id="Made"), "an id is <domain>.<name>"),
        (made(id="flow.wait"), "belongs to the engine"),
        (made(id=None), "an id is <domain>.<name>"),
        (made(effects="many"), "effects is 'many'"),
        (made(executors=("cloud",)), "executors is"),
        (made(executors="inline"), "executors is"),
        (made(executors=()), "executors is"),
        (made(max_in_flight=0), "max_in_flight is 0"),
        (made(codes=["CARD"]), "codes: they are a mapping"),
        (made(codes={"card": "Declined."}), "'card' is no code"),
        (made(codes={"C" * 101: "Declined."}), "of at most 100 characters"),
        (made(codes={"CARD": " "}), "CARD needs to say what it means"),
        (made(codes={"CARD": "x" * 1_001}), "in at most 1000 characters"),
        (made(codes={f"CARD_{n}": "Declined." for n in range(201)}), "there are 201; at most 200"),
        (made(run=blocking_run), "would block the daemon"),
        (made(executors=("thread",)), "async, which cannot run in the executor `thread`"),
        (made(run=Action.run), "has no run method"),
        (made(Settings=dict), "Settings must be a subclass"),
        (made(Options=type("Options", (Options,), {})), "nothing reads Made.Options: move it out of the class"),
        (Ticker, "takes a subclass of hostd.plugin.Action"),
        (Good(), "takes a subclass of hostd.plugin.Action"),
        ("good.one", "takes a subclass of hostd.plugin.Action"),
    ],
)
def test_what_cannot_work_is_refused(action: Any, words: str) -> None:
    """Each mistake is named where it is registered."""
    with pytest.raises(HostdError, match=".*") as caught:
        Registry().action(action)
    assert words in caught.value.message


def test_options_must_be_options() -> None:
    """An options class that is not one of ours is refused by name."""

    class Loose(Action[dict]):  # type: ignore[type-var]
        id = "made.loose"

        async def run(self, ctx: ActionContext, options: Any) -> None: ...

    with pytest.raises(HostdError, match="must be a subclass of hostd.plugin.Options"):
        Registry().action(Loose)


def test_an_id_counts_once_per_kind() -> None:
    """The same id twice in one plugin is refused; an action and a trigger may share one."""
    registry = Registry()
    registry.action(Good)
    with pytest.raises(HostdError, match="registered twice"):
        registry.action(Good)


def test_triggers_and_providers_need_their_method() -> None:
    """A trigger without run and a provider without get are refused."""

    class Silent(Trigger[Empty]):
        id = "made.silent"

    class Mute(SecretsProvider):
        id = "made.mute"

    with pytest.raises(HostdError, match="async def run"):
        Registry().trigger(Silent)
    with pytest.raises(HostdError, match="async def get"):
        Registry().secrets(Mute)
