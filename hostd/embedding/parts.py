"""Parts of a workflow that the builder hands out: steps, handlers, triggers. What they are told they note at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from hostd.embedding.expressions import Expr, text_of
from hostd.embedding.places import Path
from hostd.embedding.uses import OURS, named
from hostd.plugin.duration import format_duration
from hostd.plugin.function import ActionFunction, Use, caller

if TYPE_CHECKING:
    from hostd.embedding.workflow import Workflow

PartT = TypeVar("PartT", bound="Part")
Usable = Use | ActionFunction[..., Any] | str
"""What a step uses: `http.request(url=...)`, a function with `@action`, or an id alone."""

UNSET: Any = object()


class Part:
    """A mapping of the document that can still be told more."""

    def __init__(self, workflow: Workflow, path: Path) -> None:
        self._workflow = workflow
        self._path = path

    def _set(self, key: str, value: Any, *, place: tuple[str, int] | None = None) -> None:
        value = condition_of(value) if key == "if" else value
        self._workflow._put((*self._path, key), value, place or caller(OURS))

    def _use(self, use: Usable | None) -> None:
        if use is None:
            return
        if isinstance(use, Use):
            self._set("uses", use.action, place=use.place)
            if use.options:
                self._set("with", use.options, place=use.place)
            return
        self._set("uses", use.id if isinstance(use, ActionFunction) else use)

    def _fill(self, keys: Mapping[str, Any]) -> None:
        """Set what was given of a call's keywords."""
        for key, value in named(keys).items():
            if value is not UNSET:
                self._set(key, value)

    def when(self: PartT, condition: Any) -> PartT:
        """Go on only if this holds: an expression, its text, True or False."""
        self._set("if", condition)
        return self


class Step(Part):
    """A step. It reads like one in expressions (`fetch.output.status`), and can be told more: `.retry(...)`."""

    def __init__(self, workflow: Workflow, path: Path) -> None:
        super().__init__(workflow, path)
        self.id = str(path[-1])

    def __repr__(self) -> str:
        return f"<step {self.id}>"

    # -- in expressions

    def _field(self, name: str) -> Expr:
        return Expr(f"steps.{self.id}.{name}", simple=True)

    @property
    def output(self) -> Expr:
        """What it returned."""
        return self._field("output")

    @property
    def state(self) -> Expr:
        """How it ended: SUCCEEDED, FAILED, SKIPPED or CANCELED."""
        return self._field("state")

    @property
    def result(self) -> Expr:
        """Its state after `on_error`."""
        return self._field("result")

    @property
    def error(self) -> Expr:
        """Why it failed: reason, code, message, retryable, details, attempt."""
        return self._field("error")

    @property
    def attempts(self) -> Expr:
        """How many attempts it took."""
        return self._field("attempts")

    # -- being told more

    def needs(self, *steps: Step | str) -> Step:
        """Begin after these have ended. What a step reads it needs without being told."""
        self._set("needs", steps[0] if len(steps) == 1 else list(steps))
        return self

    def retry(
        self,
        *,
        max_attempts: Any = UNSET,
        initial_interval: Any = UNSET,
        backoff_coefficient: Any = UNSET,
        max_interval: Any = UNSET,
        jitter: Any = UNSET,
        non_retryable: Any = UNSET,
        if_: Any = UNSET,
        on_lost: Any = UNSET,
    ) -> Step:
        """Try again when an attempt fails; see `retry` of the documents' reference."""
        given = {
            "max_attempts": max_attempts,
            "initial_interval": initial_interval,
            "backoff_coefficient": backoff_coefficient,
            "max_interval": max_interval,
            "jitter": jitter,
            "non_retryable": non_retryable,
            "if": if_ if if_ is UNSET else condition_of(if_),
            "on_lost": on_lost,
        }
        self._set("retry", {key: value for key, value in given.items() if value is not UNSET})
        return self

    def timeout(self, duration: str | timedelta) -> Step:
        """Give up an attempt after this time."""
        self._set("timeout", duration)
        return self

    def deadline(self, duration: str | timedelta) -> Step:
        """Give up all attempts together after this time."""
        self._set("deadline", duration)
        return self

    def on_error(self, word: str) -> Step:
        """`continue`: a failure counts as success for what follows."""
        self._set("on_error", word)
        return self


def condition_of(value: Any) -> Any:
    """Return a condition as a document holds it: without `${{ }}`."""
    return text_of(value) if isinstance(value, Expr) else value


def written(value: Any) -> Any:
    """Return a value as a document holds it: expressions as text, steps as their ids, durations as text."""
    if isinstance(value, Expr):
        return str(value)
    if isinstance(value, Step):
        return value.id
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Mapping):
        return {key: written(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [written(item) for item in value]
    return value
