"""Mock actions that fail, raise, or return what nobody can record. None of them can hurt the daemon."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from hostd.plugin import Action, ActionContext, ActionError, Duration, Field, JsonValue, Options
from hostd_builtin.mock.codes import FAILED, FLAKY


class FailOptions(Options):
    """How often, and with what."""

    times: int | None = Field(
        None, description="Attempts that fail; later ones succeed; absent = all.", ge=0, examples=[2]
    )
    message: str = Field("told to fail", description="The failure's message.", max_length=2_000)
    code: str = Field("MOCK_FAILED", description="The failure's code.", max_length=200)
    retryable: bool = Field(True, description="Whether trying again can help.")
    retry_after: Duration | None = Field(None, description="Wait before the next attempt.")
    details: dict[str, Any] = Field(default_factory=dict, description="The failure's details.")


class Fail(Action[FailOptions]):
    """Fails the first attempts, then returns `{attempt}`."""

    id, since, stability, effects = "mock.fail", "0.1", "stable", "none"
    codes = FAILED

    async def run(self, ctx: ActionContext, options: FailOptions) -> dict[str, JsonValue]:
        """Raises ActionError as told."""
        if options.times is not None and ctx.attempt > options.times:
            return {"attempt": ctx.attempt}
        raise ActionError(
            options.message,
            code=options.code,
            retryable=options.retryable,
            retry_after=options.retry_after,
            details=options.details,
        )


class FlakyOptions(Options):
    """How often."""

    rate: float = Field(description="Share of attempts that fail.", ge=0, le=1, examples=[0.3])
    seed: str = Field("", description="Another seed, other attempts.", max_length=100)


class Flaky(Action[FlakyOptions]):
    """Fails some attempts, always the same ones for the same seed, run and step."""

    id, since, stability, effects = "mock.flaky", "0.1", "stable", "none"
    codes = FLAKY

    async def run(self, ctx: ActionContext, options: FlakyOptions) -> dict[str, JsonValue]:
        """Raises ActionError MOCK_FLAKY, retryable."""
        text = f"{options.seed}/{ctx.idempotency_key}/{ctx.attempt}"
        draw = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big") / 2**48
        if draw < options.rate:
            raise ActionError("a flaky attempt failed", code="MOCK_FLAKY", retryable=True)
        return {"attempt": ctx.attempt}


class RaiseOptions(Options):
    """What."""

    error: Literal["runtime", "key", "os", "recursion", "exit", "cancelled", "unreadable"] = Field(
        "runtime", description="Kind of exception; `unreadable` cannot even be turned into text."
    )
    message: str = Field("told to raise", description="Its text.", max_length=2_000)


class Unreadable(Exception):
    """An exception whose text raises, too."""

    def __str__(self) -> str:
        raise ValueError("no text")

    __repr__ = __str__


class Raise(Action[RaiseOptions]):
    """Raises something that is not an ActionError, as a plugin with a bug does."""

    id, since, stability, effects = "mock.raise", "0.1", "stable", "none"

    async def run(self, ctx: ActionContext, options: RaiseOptions) -> None:
        """Raise."""
        import asyncio

        kinds: dict[str, type[BaseException]] = {
            "runtime": RuntimeError,
            "key": KeyError,
            "os": OSError,
            "recursion": RecursionError,
            "exit": SystemExit,
            "cancelled": asyncio.CancelledError,
            "unreadable": Unreadable,
        }
        raise kinds[options.error](options.message)


class ReturnOptions(Options):
    """What."""

    what: Literal["object", "nan", "infinity", "huge_int", "cycle", "surrogate", "number_key", "deep"] = Field(
        "object", description="A value that is no JSON value."
    )


class Return(Action[ReturnOptions]):
    """Returns a value that cannot be recorded."""

    id, since, stability, effects = "mock.return", "0.1", "stable", "none"

    async def run(self, ctx: ActionContext, options: ReturnOptions) -> Any:
        """Return it."""
        cycle: list[Any] = []
        cycle.append(cycle)
        deep: Any = None
        for _ in range(200):
            deep = [deep]
        values: dict[str, Any] = {
            "object": {"value": object()},
            "nan": float("nan"),
            "infinity": float("inf"),
            "huge_int": 2**70,
            "cycle": cycle,
            "surrogate": "\ud800",
            "number_key": {1: "one"},
            "deep": deep,
        }
        return values[options.what]


class BigOptions(Options):
    """How big."""

    size_bytes: int = Field(description="Length of the text.", ge=0, le=64 * 1024 * 1024, examples=[100_000])


class Big(Action[BigOptions]):
    """Returns a text of so many bytes."""

    id, since, stability, effects = "mock.big", "0.1", "stable", "none"

    async def run(self, ctx: ActionContext, options: BigOptions) -> str:
        """Return the text."""
        return "x" * options.size_bytes
