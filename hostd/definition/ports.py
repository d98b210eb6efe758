"""What this room needs of others: a catalogue of the components that are loaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from hostd.values.json_text import JsonValue


class ComponentInfo(Protocol):
    """What the compiler must know of an action or a trigger."""

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the options: `properties`, `required`, `additionalProperties` at the top."""
        ...

    @property
    def code_fields(self) -> frozenset[str]:
        """Names of the options that hold code and take literals only."""
        ...

    @property
    def effects(self) -> str:
        """none, idempotent or at_most_once; empty for triggers."""
        ...

    @property
    def executors(self) -> Sequence[str]:
        """Executors the code can run in, the default first; empty for triggers."""
        ...

    def check_literals(self, options: dict[str, JsonValue], templated: frozenset[str]) -> list[tuple[str, str]]:
        """Check each option by itself and return its faults as (path below the options, message).

        Args:
            options: as the document has them; unknown and missing keys are reported already and are not asked for.
            templated: paths (`url`, `headers.accept`, `items[0]`) whose text holds an expression. An option such a
                path begins with has no value yet: it is skipped.
        """
        ...


class Catalogue(Protocol):
    """The components that are loaded now."""

    def action(self, component_id: str) -> ComponentInfo | None: ...

    def trigger(self, component_id: str) -> ComponentInfo | None: ...

    def action_ids(self) -> Iterable[str]: ...

    def trigger_ids(self) -> Iterable[str]: ...

    def absence(self, component_id: str) -> str:
        """Return which plugins may have a component that is not loaded, and why they do not serve; empty for none."""
        ...


class CodeSource(NamedTuple):
    """A script that a document holds. `limits` are what it asks for: names and numbers."""

    name: str
    text: str
    limits: dict[str, int]


class CodeFault(NamedTuple):
    """What is wrong with a source, or with one of its limits, or why nobody looked at it.

    Args:
        source: its index.
        line: of the script, from 1; 0 when not known.
        limit: name of the limit it is about; "" for the source.
        reason: "" where the source was not looked at, which is a warning.
    """

    source: int
    reason: str
    message: str
    line: int = 0
    limit: str = ""


class CodeCheck(Protocol):
    """Compiles what documents hold of code, without running it, in bounded time."""

    def faults(self, sources: Sequence[CodeSource]) -> list[CodeFault]:
        """Return what is wrong with the sources. Blocks; never called on the event loop.

        Raises:
            HostdError: it cannot be said now; try again.
        """
        ...
