"""What every error of the client has, and one class for each kind; `hostd.client.errors` has one for each reason.

HostdError
  ClientError
    NotFound, InvalidArgument, Unavailable, ...     a class for each kind
      RunMissing, WorkflowMissing, ...              a class for each reason
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from hostd.errors.base import HostdError, Kind, Violation


class ClientError(HostdError):
    """An error of a call: what the daemon said, or that none could be asked."""

    MADE_OF: ClassVar[tuple[type[ClientError], ...]] = ()  # of a class that `mixed` made: it has no name to find it by

    @property
    def fields(self) -> tuple[Violation, ...]:
        """Every fault in what was sent, with its path; empty where there is but the message."""
        return self.violations

    @property
    def retry_after(self) -> float | None:
        """Seconds after which the same call may succeed; None where the daemon does not know."""
        return self.retry_after_s

    @property
    def metadata(self) -> Mapping[str, str]:
        """Short texts for programs, such as `run_id`."""
        return self.details

    @property
    def help(self) -> str:
        """What to do, as `hostd explain` says it; empty for a reason that this version does not know."""
        from hostd.errors.reasons import REASONS

        page = REASONS.get(self.reason)
        return page.fix if page else ""

    def __reduce__(self) -> tuple[Any, ...]:
        made_of = self.MADE_OF or (type(self),)
        given = (self.kind, self.reason, self.message, self.details, self.violations, self.retry_after_s)
        return _made_again, (made_of, *given)


_mixed: dict[tuple[type[ClientError], type[ClientError]], type[ClientError]] = {}


def mixed(of_reason: type[ClientError], of_kind: type[ClientError]) -> type[ClientError]:
    """Return the class of errors whose reason came with another kind than usual: it is of both."""
    made = _mixed.get((of_reason, of_kind))
    if made is None:
        body = {"__module__": of_reason.__module__, "MADE_OF": (of_reason, of_kind)}
        made = _mixed[of_reason, of_kind] = type(of_reason.__name__, (of_reason, of_kind), body)
    return made


def _made_again(
    made_of: tuple[type[ClientError], ...],
    kind: Kind,
    reason: str,
    message: str,
    details: dict[str, str],
    violations: tuple[Violation, ...],
    retry_after_s: float | None,
) -> ClientError:
    """Return an error that was pickled."""
    cls = made_of[0] if len(made_of) == 1 else mixed(made_of[0], made_of[1])
    return cls(kind, reason, message, details=details, violations=violations, retry_after_s=retry_after_s)


class InvalidArgument(ClientError):
    """Something sent can never be accepted as it is; `fields` lists the faults."""


class Unauthenticated(ClientError):
    """The daemon does not know who calls."""


class Forbidden(ClientError):
    """The daemon knows who calls, and they may not."""


class NotFound(ClientError):
    """What the call names is not there."""


class AlreadyExists(ClientError):
    """Something of that name is there already, or the request id was used for something else."""


class FailedPrecondition(ClientError):
    """The state of things does not permit it now."""


class Conflict(ClientError):
    """Somebody else changed the same thing at the same time."""


class Exhausted(ClientError):
    """A limit is reached; `retry_after` says when to come back, where that is known."""


class Unavailable(ClientError):
    """Nobody answers, or the daemon cannot serve just now."""


class TimedOut(ClientError):
    """The deadline passed first."""


class CallCanceled(ClientError):
    """Somebody canceled it."""


class Unsupported(ClientError):
    """The daemon is too old for it, or does not build it yet."""


class DataLoss(ClientError):
    """What was stored cannot be read."""


class InternalError(ClientError):
    """A mistake of hostd."""


class RunUnsuccessful(ClientError):
    """A run whose result was asked for did not succeed; `reason` and `message` are the run's, `run` is the run.

    `kind` tells how it ended: STATE for FAILED, CANCELED, TIMEOUT for TIMED_OUT.
    """

    run: Any  # a hostd.client.results.Run; `Any` because results are imported when they are used

    STATES: ClassVar[dict[str, Kind]] = {"CANCELED": Kind.CANCELED, "TIMED_OUT": Kind.TIMEOUT}

    @classmethod
    def of(cls, run: Any) -> RunUnsuccessful:
        """Return the error of a run that has ended."""
        kind = cls.STATES.get(run.state, Kind.STATE)
        text = f"the run {run.run_id} of {run.workflow} ended as {run.state}: {run.message or run.reason}"
        error = cls(kind, run.reason, text, details={"run_id": run.run_id, "workflow": run.workflow})
        error.run = run
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        return RunUnsuccessful.of, (self.run,)


KINDS: dict[Kind, type[ClientError]] = {
    Kind.INVALID: InvalidArgument,
    Kind.UNAUTHENTICATED: Unauthenticated,
    Kind.DENIED: Forbidden,
    Kind.MISSING: NotFound,
    Kind.EXISTS: AlreadyExists,
    Kind.STATE: FailedPrecondition,
    Kind.CONFLICT: Conflict,
    Kind.EXHAUSTED: Exhausted,
    Kind.UNAVAILABLE: Unavailable,
    Kind.TIMEOUT: TimedOut,
    Kind.CANCELED: CallCanceled,
    Kind.UNSUPPORTED: Unsupported,
    Kind.CORRUPT: DataLoss,
    Kind.BUG: InternalError,
}


def class_name(reason: str) -> str:
    """Return the name of a reason's class: RUN_MISSING is RunMissing."""
    return "".join(word.capitalize() for word in reason.split("_"))
