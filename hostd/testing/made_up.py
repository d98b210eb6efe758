"""Actions that nothing provides, for documents that use them: only a fake answers for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hostd.definition.document import read_documents
from hostd.definition.nodes import value_of
from hostd.embedding.documents import Written
from hostd.embedding.workflow import Workflow
from hostd.errors.base import HostdError
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


def missing_actions(document: Written, error: HostdError, mocked: Callable[[str], bool]) -> list[str]:
    """Return the actions that a document was refused for, where fakes answer for every step that uses them.

    Args:
        mocked: says whether a fake answers for `steps.<id>` or `handlers.<name>`.
    """
    places = [fault.path.removesuffix(".uses") for fault in error.violations if fault.reason == "ACTION_UNKNOWN"]
    if not places or not all(map(mocked, places)):
        return []
    used = dict(_uses(_root(document)))
    return [used[place] for place in dict.fromkeys(places) if place in used]


def _uses(root: Any) -> Iterator[tuple[str, str]]:
    for group in ("steps", "handlers"):
        steps = root.get(group) if isinstance(root, Mapping) else None
        for name, step in (steps if isinstance(steps, Mapping) else {}).items():
            if isinstance(step, Mapping) and isinstance(step.get("uses"), str):
                yield f"{group}.{name}", step["uses"]


def _root(document: Written) -> Any:
    """Return a document as values; None where it cannot be read."""
    if isinstance(document, Mapping):
        return document
    text = document.to_yaml() if isinstance(document, Workflow) else document
    documents, _ = read_documents(text.read_bytes() if isinstance(text, Path) else text)
    return value_of(documents[0].root) if documents else None
