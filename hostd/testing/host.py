"""A host whose time skips: three days of waiting take milliseconds, and every run of a test goes the same way.

async with TestHost(actions=[price]) as host:
    host.mock("http.request", returns={"status": 200, "headers": {}, "body": {"usd": 7}})
    await host.register(Path("order.yaml"))
    run = await host.start("order", {"sku": "a-1"})
    await host.advance("2d")
    await run.signal("approve")
    assert await run.result() == {"paid": 7}
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hostd.aio import spawn
from hostd.config.rooms import Config
from hostd.embedding import BlockingHost, Host, Registered
from hostd.embedding.calls import Duration, seconds_of
from hostd.embedding.documents import Written
from hostd.embedding.functions import Brought, Functions
from hostd.embedding.opening import Wanted
from hostd.embedding.run_calls import Which
from hostd.embedding.run_info import Change, RunInfo
from hostd.errors.base import HostdError, Kind, invalid
from hostd.host.found import Found, PluginState
from hostd.model.states import StepState
from hostd.plugin.clocks import at_ms
from hostd.testing.answers import Answer, Call, Fails, Function, Hangs, Returns, answer_of
from hostd.testing.data_folder import inside, memory_config, write_secrets
from hostd.testing.made_up import made_up, missing_actions
from hostd.testing.mocks import Mock, Mocks, is_step
from hostd.testing.skipping import Nothing, Skipper
from hostd.testing.skipping_clock import SkippingClock

T = TypeVar("T")
START = datetime(2026, 1, 1, tzinfo=UTC)
SKIP_MAX: Duration = "366d"
PATIENCE_S = 5.0
STANDS_S = 1.0


class TestHost(Host):
    """An embedded host in memory, with a clock that skips what nobody has to live through.

    Time stands still but for `advance`, `until`, and while a run is waited for (`wait`, `result`, `execute`, `watch`):
    then it jumps to what is due next (durable waits, retries, timeouts, triggers, `ctx.clock.sleep`) as soon as
    nothing runs. An attempt that takes real time (a script, a request, `asyncio.sleep`) holds time still while it runs;
    after `patience` real seconds time goes on beside it as it does elsewhere, so that its timeout comes.
    """

    __test__ = False  # pytest takes what is called Test... for tests

    def __init__(
        self,
        *,
        actions: Sequence[Brought] = (),
        plugins: Iterable[Path | str] = (),
        secrets: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        start: datetime | str = START,
        seed: int = 0,
        only_mocked: bool = False,
        allow: Sequence[str] = (),
        triggers: bool = True,
        skip_max: Duration = SKIP_MAX,
        patience: Duration = PATIENCE_S,
        env: Mapping[str, str] | None = None,
        namespace: str = "",
    ) -> None:
        """Build; `async with` or `await` opens it.

        Args:
            actions: functions with `@action`, classes of Action, Trigger and SecretsProvider.
            plugins: folders of plugins in Python, which run inside the host.
            secrets: of every namespace.
            config: settings as in `hostd.yaml`. Nothing is pruned unless `retention` says so.
            start: what documents see as now when it opens, aware or as `2026-03-28T12:00:00Z`.
            seed: of ids and jitter: with the same seed the same things have the same ids.
            only_mocked: actions that reach outside the host and have no mock fail with the code NOT_MOCKED. Those of
                `actions` and `plugins` with `effects = "none"` reach nothing.
            allow: ids of actions that may run all the same.
            triggers: whether triggers live; they can be fired by hand in either case.
            skip_max: how far time may skip in one wait for a run.
            patience: real time for which time stands still while something runs.
            env: what documents read as `env`, instead of the process's variables.

        Raises:
            HostdError: ARGUMENT_INVALID; PLUGIN_FAILED for an action that cannot be used.
        """
        self.clock = SkippingClock(_start_ms(start))
        """The host's clock: `sleep` waits on it, `wall_ms` and `monotonic_s` read it."""
        self._secrets = dict(secrets or {})
        self._triggers_live = triggers
        self._skip_max_s = seconds_of(skip_max) or 0.0
        self._patience_s = seconds_of(patience) or 0.0
        self._env = dict(env or {})
        self.stands_s = STANDS_S
        """Real seconds that a wait stands where nothing is due any more: somebody else may go on with the run."""
        self._folder: TemporaryDirectory[str] | None = None
        self._skipper: Skipper | None = None
        guests = [inside(Path(folder)) for folder in plugins]
        self._guests = [guest.id for guest in guests]
        self._mocks = Mocks(self.clock, only=only_mocked, allowed=allow, own=self._guests)
        chosen: Mapping[str, Any] | Config = memory_config(config or {}, self._guests)
        wanted = Wanted(None, chosen, self.clock, Random(seed), None, None)  # noqa: S311 it is to be foreseen
        super().__init__(wanted, _Guests(actions, guests), namespace=namespace, principal="test")

    @classmethod
    def open(cls, path: Path | str | None = None, **more: Any) -> TestHost:
        """Return a host as the class does when it is called."""
        if path is not None:
            raise invalid("ARGUMENT_INVALID", "a test host lives in memory and takes no folder")
        return cls(**more)

    @classmethod
    def blocking(cls, path: Path | str | None = None, **more: Any) -> BlockingHost:
        """Refused: its time passes on an event loop of the test's. Raises HostdError ARGUMENT_INVALID."""
        raise invalid("ARGUMENT_INVALID", "a test host lives on an event loop: asyncio.run(...), or an async test")

    async def __aenter__(self) -> TestHost:
        await self._open()
        return self

    async def _open(self) -> TestHost:
        if self._folder is not None:
            return self
        self._folder = await asyncio.to_thread(TemporaryDirectory, prefix="hostd-test-")
        data = Path(self._folder.name)
        try:
            await asyncio.to_thread(write_secrets, data, self._secrets)
            self._wanted = self._wanted._replace(path=data)
            await super()._open()
            self._connect()
            await self._skip().settle()
        except BaseException:
            await self.close(grace=0)
            raise
        return self

    def _connect(self) -> None:
        core = self.core
        self._skipper = Skipper(core, self.clock, patience_s=self._patience_s)
        core.starts.give_env(self._env)
        core.effects.stand_in = self._mocks.stand_in
        core.parts.guests.called = lambda: self._mocks.inner(lambda: core.host.registry)
        if not self._triggers_live:
            core.trigger_life.begin = _leave_alone  # type: ignore[method-assign]
        for name in self._guests:
            report = core.host.registry.plugin(name)
            if report.state is not PluginState.LOADED:
                raise invalid(report.reason or "PLUGIN_FAILED", f"plugin {name}: {report.message}\n{report.traceback}")

    async def close(self, *, grace: Duration = None) -> None:
        """Take nothing new, and forget everything. Safe to call twice."""
        await super().close(grace=0 if grace is None else grace)
        folder, self._folder, self._skipper = self._folder, None, None
        if folder is not None:
            await asyncio.to_thread(folder.cleanup)

    def _skip(self) -> Skipper:
        _ = self.core  # raises where it is not open
        assert self._skipper is not None
        return self._skipper

    async def register(self, document: Written, *, activate: bool = True, request_id: str = "") -> Registered:
        """Register as Host does; an action that nothing provides is made up where fakes answer for its steps."""
        try:
            return await super().register(document, activate=activate, request_id=request_id)
        except HostdError as error:
            missing = await asyncio.to_thread(missing_actions, document, error, self._mocks.has)
            if not missing:
                raise
        for action in missing:
            self._make_up(action)
        return await super().register(document, activate=activate, request_id=request_id)

    # -- time

    @property
    def now(self) -> datetime:
        """What documents see as now, aware, UTC."""
        return at_ms(self.clock.wall_ms())

    async def advance(self, duration: Duration) -> None:
        """Let so much time pass, with all that is due meanwhile; returns when nothing runs. Raises ARGUMENT_INVALID."""
        seconds = seconds_of(duration)
        if seconds is None or seconds < 0:
            raise invalid("ARGUMENT_INVALID", f"advance: {duration!r} is no time to come")
        await self._skip().advance(self.clock.wall_ms() + round(seconds * 1000))

    async def settle(self) -> None:
        """Let everything happen that can happen now, without letting time pass."""
        await self._skip().settle()

    async def until(self, condition: Callable[[], Any], *, timeout: Duration = None) -> None:
        """Let time pass until a condition holds, at most so long.

        Raises:
            HostdError: WAIT_EXPIRED where it does not come to hold.
        """
        limit_ms = self._limit_ms(timeout)
        try:
            await self._skip().until(lambda: bool(condition()), limit_ms=limit_ms, stands_s=self.stands_s)
        except Nothing as nothing:
            raise _expired(f"the condition does not hold at {self.now.isoformat()}", nothing) from None

    def _limit_ms(self, timeout: Duration) -> int:
        given_s = seconds_of(timeout)
        return self.clock.wall_ms() + round((self._skip_max_s if given_s is None else given_s) * 1000)

    # -- waiting skips time

    async def wait(self, run: Which, *, timeout: Duration = None) -> RunInfo:
        """Return a run once it has ended; time skips.

        Args:
            timeout: on the host's clock; `skip_max` where not given.

        Raises:
            HostdError: as Host.wait; WAIT_EXPIRED also when nothing is due any more and the run waits for something.
        """
        run_id = (await self._ref(run)).run_id
        try:
            return await self._skipping(spawn(super().wait(run_id), name="wait"), self._limit_ms(timeout))
        except Nothing as nothing:
            raise _expired(await self._why(run_id), nothing) from None

    async def watch(self, run: Which, *, from_seq: int = 0) -> AsyncGenerator[Change, None]:
        """Yield a run's records, those that are there and those that come; time skips. Raises as Host.watch, `wait`."""
        run_id = (await self._ref(run)).run_id
        limit_ms = self._limit_ms(None)
        changes = super().watch(run_id, from_seq=from_seq)
        try:
            while True:
                task = spawn(_next(changes), name="watch")
                try:
                    change = await self._skipping(task, limit_ms)
                except Nothing as nothing:
                    raise _expired(await self._why(run_id), nothing) from None
                if change is None:
                    return
                yield change
        finally:
            await changes.aclose()

    async def _skipping(self, task: asyncio.Task[T], limit_ms: int) -> T:
        try:
            await self._skip().until(task.done, limit_ms=limit_ms, stands_s=self.stands_s)
            return await task
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])

    async def _why(self, run_id: str) -> str:
        run = await self.get(run_id)
        open_steps = [step for step in run.steps.values() if step.state in _OPEN]
        named = ", ".join(f"{step.id} ({step.uses}) is {step.state}" for step in open_steps)
        return (
            f"the run {run_id} of {run.workflow} is {run.state} at {self.now.isoformat()}: {named or 'no step is open'}"
        )

    # -- fakes

    def mock(
        self,
        target: str,
        *,
        returns: Any = ...,
        fails: Fails | str | None = None,
        script: Sequence[Any] | None = None,
        answers: Function | None = None,
        hangs: bool = False,
        after: Duration = None,
        workflow: str = "",
    ) -> Mock:
        """Put a fake in an action's place. Options are checked as the action would; then the fake answers.

        Say one of `returns`, `fails`, `script`, `answers`, `hangs`. A fake of a step comes before one of an action; a
        second one of the same target replaces the first. An action that nothing provides is made up, with any options.

        Args:
            target: an action's id (`http.request`), or a step (`steps.fetch`, `handlers.failure`).
            returns: the output.
            fails: a Fails, or its code.
            script: one answer a call: outputs, Fails, Returns, Hangs; the last is given again and again.
            answers: a function of the Call, also async, which returns an answer or raises ActionError.
            after: how long `returns` and `fails` take, on the host's clock.
            workflow: only there.

        Returns:
            The fake: its `calls`.

        Raises:
            HostdError: ARGUMENT_INVALID.
        """
        given: list[Answer] = []
        if returns is not ...:
            given.append(Returns(returns, after))
        if fails is not None:
            told = Fails(fails, f"told to fail with {fails}") if isinstance(fails, str) else fails
            given.append(told if after is None else Fails(told.code, told.message, told.retryable, told.retry_after,
                                                          told.details, after))  # fmt: skip
        if hangs:
            given.append(Hangs())
        ways = len(given) + (script is not None) + (answers is not None)
        if ways > 1:
            raise invalid("ARGUMENT_INVALID", f"{target}: say one of returns, fails, script, answers and hangs")
        if script is not None:
            given = [answer_of(one) for one in script]
        if not is_step(target):
            self._make_up(target)
        return self._mocks.add(target, workflow, given, answers)

    def calls(self, target: str = "") -> list[Call]:
        """Return the calls that fakes got, in order: of an action (`http.request`), a step (`steps.fetch`), of all."""
        return self._mocks.calls(target)

    def _make_up(self, action: str) -> None:
        """Provide an action that nothing provides, so that documents may use it."""
        if self._core is not None and not self._has_action(action):
            self.use(made_up(action))


_AT_REST = ("PENDING", "SUCCEEDED", "FAILED", "SKIPPED", "CANCELED")
_OPEN = frozenset(state.name for state in StepState if state.name not in _AT_REST)


class _Guests(Functions):
    """What was brought, and plugins of folders."""

    def __init__(self, brought: Iterable[Brought], guests: Iterable[Found]) -> None:
        super().__init__(brought)
        self._guests = list(guests)

    def found(self) -> list[Found]:
        """Return all of them as plugins."""
        return [*super().found(), *self._guests]


def _leave_alone(live: Any) -> None:
    """Have a trigger that waits to be fired by hand."""
    live.state, live.message = "PAUSED", "this host's triggers are fired by hand"


async def _next(changes: AsyncGenerator[Change, None]) -> Change | None:
    return await anext(changes, None)


def _expired(message: str, nothing: Nothing) -> HostdError:
    due = "nothing is due any more: resume it, signal it, or mock what it waits for"
    if nothing.due_ms is not None:
        due = f"what is due next comes at {at_ms(nothing.due_ms).isoformat()}, past the limit"
    return HostdError(Kind.TIMEOUT, "WAIT_EXPIRED", f"{message}; {due}")


def _start_ms(start: datetime | str) -> int:
    try:
        moment = datetime.fromisoformat(start) if isinstance(start, str) else start
    except ValueError:
        raise invalid("ARGUMENT_INVALID", f"start: {start!r:.80} is no time; write 2026-03-28T12:00:00Z") from None
    if moment.tzinfo is None:
        raise invalid("ARGUMENT_INVALID", "start: say the offset too, as in 2026-03-28T12:00:00Z")
    return round(moment.timestamp() * 1000)
