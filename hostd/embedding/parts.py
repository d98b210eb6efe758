"""Parts of a workflow that the builder hands out: steps, handlers, triggers. What they are told they note at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_jsonable_python

from hostd.embedding.expressions import Expr, text_of
from hostd.embedding.places import Path, Place
from hostd.embedding.uses import OURS, named
from hostd.plugin.duration import format_duration
from hostd.plugin.function import ActionFunction, Use, caller

PartT = TypeVar("PartT", bound="Part")
Usable = Use | ActionFunction[..., Any] | str
"""What a step uses: `http.request(url=...)`, a function with `@action`, or an id alone."""

UNSET: Any = object()
_READ_BY_ACTIONS = (BaseModel, Enum, date, time, Decimal, UUID, PurePath)


class Document(Protocol):
    """What parts are written into."""

    def put(self, path: Path, value: Any, place: Place) -> None:
        """Set a part, and remember where it was written."""


class Part:
    """A mapping of the document that can still be told more."""

    def __init__(self, document: Document, path: Path) -> None:
        self._document = document
        self._path = path

    def _set(self, key: str, value: Any, *, place: Place | None = None) -> None:
        value = condition_of(value) if key == "if" else value
        self._document.put((*self._path, key), value, place or caller(OURS))

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

    def __init__(self, document: Document, path: Path) -> None:
        super().__init__(document, path)
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
    """Return a value as a document holds it: expressions as text, steps as their ids, durations as text.

    Models, dataclasses, enums and times are written as an action that takes one reads it.
    """
    if isinstance(value, Expr):
        return str(value)
    if isinstance(value, Step):
        return value.id
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, _READ_BY_ACTIONS) or (is_dataclass(value) and not isinstance(value, type)):
        return _plain(value)
    if isinstance(value, Mapping):
        return {key: written(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [written(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    try:
        return to_jsonable_python(value, by_alias=True, fallback=written)
    except (PydanticSerializationError, ValueError):
        return value  # whoever puts it into the document says that it cannot stand there
