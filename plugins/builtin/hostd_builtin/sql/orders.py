"""What is asked of a database, whichever it is, and what it gave."""

from __future__ import annotations

from typing import Any, NamedTuple

from hostd.plugin import ActionError
from hostd_builtin.sql.options import KEY_PARAMETER, Form, Parameters
from hostd_builtin.sql.values import Rows


class Asked(NamedTuple):
    """One statement; `values` None: it has no parameters."""

    statement: str
    values: Parameters | None
    expect_rows: int | None = None


class Order(NamedTuple):
    """Statements to do in one transaction, or one that reads."""

    asked: list[Asked]
    form: Form
    reads: bool
    timeout_s: float
    serializable: bool = False


class Done(NamedTuple):
    """What a statement gave: rows, and how many it changed (-1: the database does not say)."""

    rows: Rows
    changed: int


def with_key(statement: str, given: Parameters, key: str) -> Parameters | None:
    """Return what a statement is given: by name, the idempotency key too."""
    if isinstance(given, dict) and given:
        return {KEY_PARAMETER: key, **given}
    if not given:
        return {KEY_PARAMETER: key} if KEY_PARAMETER in statement else None
    return given


def check_changed(place: int, asked: Asked, changed: int) -> None:
    """Raise ActionError ROWS_UNEXPECTED where another number of rows was changed than expected."""
    if asked.expect_rows is not None and changed != asked.expect_rows:
        message = f"statements[{place}] changed {changed} rows, not {asked.expect_rows}; everything was rolled back"
        details: dict[str, Any] = {"statement": place, "changed": changed, "expected": asked.expect_rows}
        raise ActionError(message, code="ROWS_UNEXPECTED", details=details)


def timed_out(timeout_s: float) -> ActionError:
    """Return the failure of what took too long and was not done."""
    return ActionError(f"it took longer than {timeout_s:g} s and was stopped", code="TIMEOUT", retryable=True)
