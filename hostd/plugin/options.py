"""Options: what a person writes under `with:`. One model gives validation, JSON Schema, sample, docs page and form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, dataclass_transform

import pydantic
from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError, PydanticUndefined

from hostd.plugin.duration import format_duration, parse_duration

Bound = int | float | str | timedelta
"""A bound of a number, or of a duration (text such as `0s`, or a timedelta)."""

_TESTS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "gt": (lambda value, bound: value > bound, "more than"),
    "ge": (lambda value, bound: value >= bound, "at least"),
    "lt": (lambda value, bound: value < bound, "less than"),
    "le": (lambda value, bound: value <= bound, "at most"),
}


class OptionNotSupported(ValueError):
    """A word that is known but not built yet: raise it in a validator, the reason is NOT_YET_SUPPORTED."""


def Field(  # noqa: N802 reads like pydantic's
    default: Any = PydanticUndefined,
    *,
    description: str = "",
    examples: Sequence[Any] = (),
    default_factory: Callable[[], Any] | None = None,
    alias: str | None = None,
    gt: Bound | None = None,
    ge: Bound | None = None,
    lt: Bound | None = None,
    le: Bound | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
    code: bool = False,
    secret: bool = False,
    advanced: bool = False,
    discriminator: str | None = None,
) -> Any:
    """Describe one option.

    Args:
        default: value when the option is absent (checked like a written one, so `"10s"` is fine); none = required.
        description: one sentence for the docs page, the form and the schema.
        examples: values as a person writes them; the first stands in the sample.
        alias: the name in documents, where Python cannot use it (`if`, `json`).
        gt, ge, lt, le: bounds; of a Duration as text (`gt="0s"`).
        min_length, max_length, pattern: of texts, lists and maps.
        code: holds code (script, query, command, template): takes literals only, `${{ }}` in it is refused.
        secret: hidden in representations and forms.
        advanced: forms fold it away.
        discriminator: field that tells the members of a union apart.

    Raises:
        ValueError: a bound's text is not a duration.
    """
    bounds = {name: bound for name, bound in (("gt", gt), ("ge", ge), ("lt", lt), ("le", le)) if bound is not None}
    durations = {name: _duration(bound) for name, bound in bounds.items() if isinstance(bound, str | timedelta)}
    extra: dict[str, Any] = {f"x-{name}": format_duration(bound) for name, bound in durations.items()}
    extra.update({f"x-{name}": True for name, on in (("code", code), ("advanced", advanced)) if on})
    if secret:
        extra |= {"writeOnly": True, "x-secret": True}
    given = {
        "description": description or None,
        "examples": list(examples) or None,
        "default_factory": default_factory,
        "alias": alias,
        "min_length": min_length,
        "max_length": max_length,
        "pattern": pattern,
        "discriminator": discriminator,
        **{name: bound for name, bound in bounds.items() if name not in durations},
    }
    known: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if default_factory is None:
        known["default"] = default
    field: FieldInfo = pydantic.Field(json_schema_extra=extra or None, repr=not secret, **known)
    if durations:
        field.metadata.append(AfterValidator(_within(durations)))
    return field


def _duration(bound: Bound) -> timedelta:
    return parse_duration(bound) if isinstance(bound, str) else bound  # type: ignore[return-value]


def _within(bounds: dict[str, timedelta]) -> Callable[[Any], Any]:
    """Return the check of a duration's bounds: pydantic alone ignores or refuses them on such a type."""

    def check(value: Any) -> Any:
        for name, bound in bounds.items():
            test, words = _TESTS[name]
            if isinstance(value, timedelta) and not test(value, bound):
                raise PydanticCustomError(
                    "duration_bound", "must be {words} {bound}", {"words": words, "bound": format_duration(bound)}
                )
        return value

    return check


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
class Options(
    BaseModel,
    extra="forbid",
    frozen=True,
    validate_default=True,
    hide_input_in_errors=True,
    arbitrary_types_allowed=False,
    protected_namespaces=(),
    allow_inf_nan=False,
    defer_build=True,
):
    """Base of every options class: unknown keys are refused, values are frozen, defaults are checked like input."""
