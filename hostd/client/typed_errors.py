"""Errors as they come, turned into those of the class of their reason."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from hostd.client.error_kinds import KINDS, ClientError, class_name, mixed
from hostd.errors.base import HostdError, Kind

CLASSES_MAX = 1_000  # of reasons and kinds, which are the daemon's words


def typed(error: HostdError) -> ClientError:
    """Return an error as one of the class of its reason, and of its kind where the two differ."""
    if isinstance(error, ClientError):
        return error
    return class_of(error.kind, error.reason)(
        error.kind,
        error.reason,
        error.message,
        details=error.details,
        violations=error.violations,
        retry_after_s=error.retry_after_s,
    )


def bad_argument(message: str) -> ClientError:
    """Return the error for what the caller gave."""
    return typed(HostdError(Kind.INVALID, "ARGUMENT_INVALID", message))


@lru_cache(CLASSES_MAX)
def class_of(kind: Kind, reason: str) -> type[ClientError]:
    """Return the class for a reason: the kind's where the reason is newer than this client.

    An error of a reason that came with another kind than usual, such as UNREACHABLE for a deadline, is of both.
    """
    from hostd.client import errors  # a class a reason: only a program that meets an error waits for them

    of_kind = KINDS[kind]
    found = getattr(errors, class_name(reason), None)
    if not isinstance(found, type) or found.__module__ != errors.__name__:  # a kind, or what is imported there
        return of_kind
    of_reason: Any = found
    return of_reason if issubclass(of_reason, of_kind) else mixed(of_reason, of_kind)
