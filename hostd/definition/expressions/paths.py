"""Reading a path such as `steps.price.output.usd`: one closure for the whole of it, and errors that name it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hostd.definition.expressions.limits import Evaluation
from hostd.definition.expressions.names import STEP_FIELDS
from hostd.definition.expressions.operators import index
from hostd.definition.expressions.problems import Missing, Problem

Run = Callable[[Evaluation], Any]


def read_root(name: str) -> Run:
    """Return what reads a root."""

    def run(evaluation: Evaluation) -> Any:
        try:
            return evaluation.scope.root(name)
        except LookupError as error:
            raise Missing(_sentence(error, name), name) from None

    return run


def read_slot(level: int) -> Run:
    """Return what reads a macro's variable."""

    def run(evaluation: Evaluation) -> Any:
        return evaluation.slots[level]  # type: ignore[index]

    return run


def read_step(step_id: str, field: str) -> Run:
    """Return what reads `steps.<id>.<field>`."""

    def run(evaluation: Evaluation) -> Any:
        try:
            return evaluation.scope.step(step_id, field)
        except LookupError as error:
            raise Missing(_sentence(error, step_id), f"steps.{step_id}.{field}") from None

    return run


def read_whole_step(step_id: str) -> Run:
    """Return what reads `steps.<id>`: a map of its five fields."""
    fields = [(field, read_step(step_id, field)) for field in STEP_FIELDS]
    return lambda evaluation: {field: read(evaluation) for field, read in fields}


def read_keys(base: Run, keys: tuple[str, ...], *, whole: str, step_id: str = "") -> Run:
    """Return what reads keys one after another.

    Args:
        whole: the path as it is written, for messages.
        step_id: set when `base` is the output or error of a step, which can say why it is null.
    """
    if len(keys) == 1:
        return _read_one_key(base, keys[0], whole, step_id)

    def run(evaluation: Evaluation) -> Any:
        value = base(evaluation)
        for place, key in enumerate(keys):
            if type(value) is dict and key in value:
                value = value[key]
            else:
                raise _no_member(evaluation, value, keys, place, whole, step_id)
        return value

    return run


def _read_one_key(base: Run, key: str, whole: str, step_id: str) -> Run:
    def run(evaluation: Evaluation) -> Any:
        value = base(evaluation)
        if type(value) is dict and key in value:
            return value[key]
        raise _no_member(evaluation, value, (key,), 0, whole, step_id)

    return run


def _no_member(
    evaluation: Evaluation, value: Any, keys: tuple[str, ...], place: int, whole: str, step_id: str
) -> Problem:
    if value is None:
        before = _before(whole, keys[place:])
        why = f" ({evaluation.scope.why_null(step_id)})" if step_id and place == 0 else ""
        return Missing(
            f"{before} is null{why}, and null has no members; default({_short(whole)}, y) gives y instead", whole
        )
    try:
        index(value, keys[place])
    except Problem as problem:
        problem.where = whole
        if isinstance(problem, Missing) and type(value) is not dict:
            problem.message = f"{_before(whole, keys[place:])} has no members"
        return problem
    return Problem("it cannot be read", whole)  # pragma: no cover


def _before(whole: str, rest: tuple[str, ...]) -> str:
    """Return the path without its last keys: what holds the key that is not there."""
    for key in reversed(rest):
        if whole.endswith(f".{key}"):
            whole = whole[: -len(key) - 1].rstrip()
        elif whole.endswith("]"):
            whole = whole[: whole.rfind("[")].rstrip()
        else:
            return "the value before it"
    return f"`{_short(whole)}`"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 100 else text[:97] + "..."


def _sentence(error: LookupError, name: str) -> str:
    text = str(error.args[0]) if error.args else ""
    return text if " " in text else f"`{name}` has no value here"
