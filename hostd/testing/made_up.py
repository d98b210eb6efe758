"""Actions that nothing provides, for documents that use them: only a fake answers for them."""

from __future__ import annotations

from typing import Any

from hostd.plugin import Action, Options


class AnyOptions(Options, extra="allow"):
    """Whatever a step gives."""


class MadeUp(Action[AnyOptions]):
    """An action that only a fake answers for."""

    async def run(self, ctx: Any, options: AnyOptions) -> None:
        """Never called: whoever makes it up puts a fake in its place."""


def made_up(action: str) -> type[Action[Any]]:
    """Return an action of that id which takes any options."""
    name = f"MadeUp_{action.replace('.', '_')}"
    return type(name, (MadeUp,), {"id": action, "__doc__": "It stands for an action that is not loaded."})
