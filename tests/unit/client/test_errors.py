"""Reasons as classes."""

import pickle

import pytest

from hostd.client import errors
from hostd.client.error_kinds import KINDS, RunUnsuccessful, class_name
from hostd.client.typed_errors import class_of, typed
from hostd.errors.base import HostdError, Kind, Violation
from hostd.errors.reasons import REASONS


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_is_caught_by_its_class_and_by_its_kind(reason: str) -> None:
    """`except errors.RunMissing`, `except errors.NotFound` and `except HostdError` all do."""
    kind = REASONS[reason].kind
    error = typed(HostdError(kind, reason, "a sentence", retry_after_s=2.0))

    assert isinstance(error, getattr(errors, class_name(reason)))
    assert isinstance(error, KINDS[kind])
    assert (error.kind, error.reason, error.message, error.retry_after) == (kind, reason, "a sentence", 2.0)
    assert error.help == REASONS[reason].fix
    assert type(typed(error)) is type(error)


def test_a_newer_daemon_is_understood_by_kind() -> None:
    """A reason that this client has never heard of has the class of its kind, and says itself."""
    error = typed(HostdError(Kind.MISSING, "FROM_THE_FUTURE", "no"))

    assert type(error) is errors.NotFound
    assert (error.reason, error.help) == ("FROM_THE_FUTURE", "")


@pytest.mark.parametrize("reason", ["CLIENT_ERROR", "NOT_FOUND", "ANNOTATIONS", "", "HOSTD_ERROR"])
def test_a_reason_cannot_name_something_else(reason: str) -> None:
    """What merely has the name of a class is not taken for a reason's."""
    assert class_of(Kind.STATE, reason) is errors.FailedPrecondition


def test_a_reason_with_another_kind_is_of_both() -> None:
    """A deadline that passed is UNREACHABLE, too: both `except` clauses do."""
    error = typed(HostdError(Kind.TIMEOUT, "UNREACHABLE", "late"))

    assert isinstance(error, errors.Unreachable)
    assert isinstance(error, errors.TimedOut)
    assert class_of(Kind.TIMEOUT, "UNREACHABLE") is type(error)


@pytest.mark.parametrize("kind", [Kind.MISSING, Kind.TIMEOUT])
def test_errors_travel_between_processes(kind: Kind) -> None:
    """A process pool pickles them: everything arrives."""
    violation = Violation("a.b", "TYPE_INVALID", "no")
    error = typed(
        HostdError(kind, "RUN_MISSING", "m", details={"run_id": "r"}, violations=(violation,), retry_after_s=1)
    )

    back = pickle.loads(pickle.dumps(error))

    assert type(back) is type(error)
    assert (back.kind, back.metadata, back.fields, back.retry_after) == (kind, {"run_id": "r"}, (violation,), 1)


def test_every_kind_has_a_class() -> None:
    """No kind is left to HostdError alone."""
    assert KINDS.keys() == set(Kind)
    assert issubclass(RunUnsuccessful, errors.ClientError)
    assert errors.RunUnsuccessful is RunUnsuccessful
