"""Forms that decide what is evaluated: `&&`, `||`, `? :`, `default`, `has`."""

from __future__ import annotations

from typing import Any

from hostd.definition.expressions.kinds import described
from hostd.definition.expressions.limits import Evaluation
from hostd.definition.expressions.operators import ABSENT, find_key
from hostd.definition.expressions.paths import Run
from hostd.definition.expressions.problems import Missing, Problem


def not_bool(value: Any, where: str) -> Problem:
    """Return the problem of a value that should be true or false."""
    return Problem(
        f"true or false is needed here, not {described(value)}; write a comparison, such as x != null", where
    )


def compile_chain(parts: list[tuple[Run, str]], *, until: bool) -> Run:
    """Return what evaluates parts until one is `until`; an error counts only when no part decides."""

    def run(evaluation: Evaluation) -> bool:
        kept: Problem | None = None
        for part, where in parts:
            try:
                value = part(evaluation)
            except Problem as problem:
                kept = kept or problem
                continue
            if value is until:
                return bool(value)
            if value is not True and value is not False:
                kept = kept or not_bool(value, where)
        if kept is not None:
            raise kept
        return not until

    return run


def compile_choice(test: Run, then: Run, otherwise: Run, where: str) -> Run:
    """Return `test ? then : otherwise`."""

    def run(evaluation: Evaluation) -> Any:
        value = test(evaluation)
        if value is True:
            return then(evaluation)
        if value is False:
            return otherwise(evaluation)
        raise not_bool(value, where)

    return run


def compile_default(value: Run, instead: Run) -> Run:
    """Return `default(value, instead)`: only what is missing or null is replaced; other errors stay."""

    def run(evaluation: Evaluation) -> Any:
        try:
            found = value(evaluation)
        except Missing:
            return instead(evaluation)
        return instead(evaluation) if found is None else found

    return run


def compile_has(of: Run, key: str, where: str) -> Run:
    """Return `has(of.key)`."""

    def run(evaluation: Evaluation) -> bool:
        value = of(evaluation)
        if type(value) is dict:
            return find_key(value, key) is not ABSENT
        if value is None:
            raise Missing(f"null has no members; default({where}, null) != null asks along a path", where)
        raise Problem(f"{described(value)} has no members", where)

    return run
