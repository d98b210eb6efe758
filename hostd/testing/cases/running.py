"""Running a case: a host of its own whose time skips, the fakes it names, one run, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec

from hostd.embedding import HostdError, Run, RunInfo
from hostd.testing.cases.case import NOT_SAID, Expected, WorkflowCase
from hostd.testing.cases.matching import DIFFERENCES_MAX, differences, shown
from hostd.testing.host import START, TestHost
from hostd.values.durations import format_duration_ms

NOT_BEGUN = ("PENDING", "READY")
_WAYS_TO_KNOW = (
    "only what is built in and installed is known here: name the plugin's folder (`plugins: plugins/NAME`), or mock "
    "the step (`mocks: {steps.NAME: ...}`)"
)


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a case. `problems` is empty where it passed; `seconds` is real time, `took_ms` the host's.

    `notes` are no problems: what the case does that had no effect.
    """

    case: WorkflowCase
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    took_ms: int = 0

    @property
    def passed(self) -> bool:
        """Whether everything came as expected."""
        return not self.problems


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run: how it stands, which steps began in which order.

    `broke`: what could not be done to it meanwhile. `why`: why nobody waits for it any longer.
    """

    info: RunInfo
    path: tuple[str, ...]
    took_ms: int
    broke: str
    why: str


class _Found(msgspec.Struct, frozen=True):
    """What comparing found."""

    problems: list[str]
    notes: list[str] = []
    took_ms: int = 0


async def run_case(case: WorkflowCase) -> CaseResult:
    """Run a case and compare. Never raises for what its files hold: that is a problem of the case."""
    began_s = time.perf_counter()
    try:
        async with _host(case) as host:
            host.stands_s = 0.0  # nobody else is there
            found = await _run(host, case)
    except HostdError as error:
        found = _Found([f"{error.reason}: {error.message}", *_places(error), *_unknown_here(error)])
    return CaseResult(
        case=case,
        problems=tuple(found.problems[:DIFFERENCES_MAX]),
        notes=tuple(found.notes),
        seconds=time.perf_counter() - began_s,
        took_ms=found.took_ms,
    )


def _host(case: WorkflowCase) -> TestHost:
    return TestHost(
        plugins=case.plugins,
        secrets=case.secrets,
        env=case.env,
        start=case.start or START,
        only_mocked=True,
        allow=case.allow,
        triggers=False,
    )


async def _run(host: TestHost, case: WorkflowCase) -> _Found:
    for target, answers in case.mocks.items():
        host.mock(target, script=answers)
    for file in case.also:
        await host.register(file)
    name = (await host.register(case.workflow)).workflow
    try:
        run = await _start(host, case, name)
    except HostdError as error:
        return _Found(_refused(case.expected, error))
    if case.expected.refused:
        return _Found([f"expected to be refused with {case.expected.refused}, but the run started"])
    if isinstance(run, str):
        return _Found([run])
    came = await _came(host, case, run)
    problems = [*_problems(case.expected, came), *_calls(host, case.expected)]
    if problems and came.info.state != case.expected.state:
        problems += _failures(came.info)
    return _Found(problems, [] if came.broke else _untaken(case), came.took_ms)


async def _start(host: TestHost, case: WorkflowCase, name: str) -> Run | str:
    """Return the run, or why there is none."""
    if case.trigger is None:
        return await host.start(name, {} if case.input is NOT_SAID else case.input)
    trigger, data = case.trigger
    fired = await host.fire(name, trigger, data)
    if fired.run_ids:
        return Run(host, fired.run_ids[0], "", False)
    return f"the trigger {trigger} started no run: {fired.outcome}"


def _refused(expected: Expected, error: HostdError) -> list[str]:
    if expected.refused == error.reason:
        return []
    wanted = f"expected to be refused with {expected.refused}" if expected.refused else "the run did not start"
    return [f"{wanted}: {error.reason}: {error.message}", *_places(error)]


async def _came(host: TestHost, case: WorkflowCase, run: Run) -> Came:
    began_ms, broke, why = host.clock.wall_ms(), "", ""
    try:
        await _meanwhile(host, case, run, began_ms)
    except HostdError as error:
        broke = f"at {format_duration_ms(host.clock.wall_ms() - began_ms)}: {error.reason}: {error.message}"
    try:
        left_ms = None if case.until_ms is None else max(0, began_ms + case.until_ms - host.clock.wall_ms())
        info = await run.wait(timeout=None if left_ms is None else left_ms / 1000)
    except HostdError as error:
        info, why = await run.info(), f"{error.reason}: {error.message}"
    ended_ms = round(info.ended_at.timestamp() * 1000) if info.ended_at is not None else host.clock.wall_ms()
    return Came(info=info, path=await _path(host, run, info), took_ms=ended_ms - began_ms, broke=broke, why=why)


async def _meanwhile(host: TestHost, case: WorkflowCase, run: Run, began_ms: int) -> None:
    for event in case.meanwhile:
        await host.advance((began_ms + event.after_ms - host.clock.wall_ms()) / 1000)
        if event.verb == "signal":
            await run.signal(event.word, event.data)
        elif event.verb == "cancel":
            await run.cancel(event.word)
        else:
            await run.terminate(event.word)


async def _path(host: TestHost, run: Run, info: RunInfo) -> tuple[str, ...]:
    """Return the steps that began, in order; handlers and steps that were skipped are not in it."""
    began: dict[str, None] = {}
    for change in await host.history(run):
        step = info.steps.get(change.step)
        if step is None or step.state in ("SKIPPED", *NOT_BEGUN) or change.step.startswith("handlers."):
            continue
        if change.kind == "STEP_ENDED" and change.data.get("state") == "CANCELED":
            continue
        began.setdefault(change.step)
    return tuple(began)


# -- comparing


def _problems(expected: Expected, came: Came) -> Iterator[str]:
    info = came.info
    if came.broke:
        yield came.broke
    if info.state != expected.state:
        yield f"state: expected {expected.state}, got {info.state}"
        if came.why:
            yield came.why
    if expected.output is not NOT_SAID:
        yield from differences(expected.output, info.output, "output")
    if expected.path is not None and expected.path != came.path:
        yield f"path: expected {_listed(expected.path)}; got {_listed(came.path)}{_absent(expected.path, came)}"
    for name, wanted in expected.steps.items():
        yield from _step(name, wanted, info)
    if expected.failure:
        yield from _failure(expected, info)
    if expected.took_ms is not None and expected.took_ms != came.took_ms:
        yield f"took: expected {format_duration_ms(expected.took_ms)}, got {format_duration_ms(came.took_ms)}"


def _absent(path: tuple[str, ...], came: Came) -> str:
    """Say what became of the steps that are expected and did not begin."""
    steps = came.info.steps
    missing = [name for name in dict.fromkeys(path) if name not in came.path]
    told = [f"{name} is {steps[name].state}" if name in steps else f"there is no step {name}" for name in missing]
    return f" ({', '.join(told)})" if told else ""


def _step(name: str, wanted: Any, info: RunInfo) -> Iterator[str]:
    step, path = info.steps.get(name), f"steps.{name}"
    if step is None:
        yield f"{path}: there is no such step; there are {_listed(info.steps)}"
        return
    error = step.error
    found = {
        "state": step.state,
        "output": step.output,
        "attempts": step.attempts,
        "reason": error.reason if error is not None else "",
        "code": error.code if error is not None else "",
    }
    for key, value in wanted.items():
        yield from differences(value, found[key], f"{path}.{key}")


def _failure(expected: Expected, info: RunInfo) -> Iterator[str]:
    if not info.failures:
        yield f"failure: expected {shown(dict(expected.failure))}, there is none"
        return
    first = msgspec.structs.asdict(info.failures[0])
    for key, value in expected.failure.items():
        yield from differences(value, first[key], f"failure.{key}")


def _calls(host: TestHost, expected: Expected) -> Iterator[str]:
    for target, wanted in expected.calls.items():
        calls = [call.options for call in host.calls(target)]
        if not isinstance(wanted, list):
            if wanted != len(calls):
                yield f"calls of {target}: expected {wanted}, got {len(calls)}"
        elif len(wanted) != len(calls):
            yield f"calls of {target}: expected {len(wanted)}, got {len(calls)}: {shown(calls)}"
        else:
            for at, (one, other) in enumerate(zip(wanted, calls, strict=True)):
                named = {"$has": one} if isinstance(one, dict) and not any(key.startswith("$") for key in one) else one
                yield from differences(named, other, f"calls of {target}[{at}]")


def _failures(info: RunInfo) -> Iterator[str]:
    for failure in info.failures:
        code = f" {failure.code}" if failure.code else ""
        yield f"failed: {failure.step or 'the run'}: {failure.reason}{code}: {failure.message}"


def _untaken(case: WorkflowCase) -> list[str]:
    """Return a note for each signal that was sent: runs keep them, and there are no steps yet that take one."""
    sent = dict.fromkeys(event.word for event in case.meanwhile if event.verb == "signal")
    return [f"the run keeps the signal {name}, and no step takes it: this version has none that do" for name in sent]


def _unknown_here(error: HostdError) -> list[str]:
    """Return what to do about actions that are not known here."""
    unknown = any(fault.reason == "ACTION_UNKNOWN" for fault in error.violations)
    return [_WAYS_TO_KNOW] if unknown else []


def _places(error: HostdError) -> list[str]:
    if len(error.violations) == 1 and error.violations[0].message in error.message:
        return []  # it is told already
    places = [f"{fault.file}:{fault.line}:{fault.column} " if fault.line else "" for fault in error.violations]
    return [
        f"{place}{fault.path or '.'}: {fault.message}" for place, fault in zip(places, error.violations, strict=True)
    ]


def _listed(names: Any) -> str:
    return ", ".join(names) or "none"
