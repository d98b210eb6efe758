"""The front door of the room: run a script, check one, say how well it is locked in."""

from __future__ import annotations

import asyncio
import logging
import re
from pathlib import Path
from typing import Any

from hostd.aio import Clock, SystemClock
from hostd.errors.base import HostdError, Kind, invalid
from hostd.lua.call import FailureReason, ScriptCall, ScriptFailure, ScriptResult
from hostd.lua.conversation import Conversation
from hostd.lua.hardening import WORKER_MEASURES, ZYGOTE_MEASURES
from hostd.lua.limits import LIMIT_ROWS, ScriptLimits
from hostd.lua.outcome import RogueWorker, breach, death, invalid_failure, limit_failure
from hostd.lua.pool import PoolOptions, WorkerPool
from hostd.lua.ports import HostCalls, NoHostCalls
from hostd.lua.quarantine import CRASHES, Quarantine, source_digest
from hostd.lua.waiters import FairTurns
from hostd.lua.worker_link import WorkerGone
from hostd.lua.zygote import PROGRAM, Worker

_log = logging.getLogger("hostd.lua")
_CHUNK_CHARS = 50
_DEATH_TIMEOUT_S = 5.0
_ROGUE = limit_failure("crash", "the script made its worker process answer nonsense")


class LuaPool:
    """Runs scripts in locked-down processes. One event loop owns it; `start` first, `close` last.

    Args:
        clock: times the quarantine, nothing else.
        program: what the zygote runs; for tests.
    """

    def __init__(
        self, options: PoolOptions | None = None, *, clock: Clock | None = None, program: Path = PROGRAM
    ) -> None:
        self._options = options or PoolOptions()
        self._clock = clock or SystemClock()
        self._workers = WorkerPool(self._options, program)
        self._turns = FairTurns(self._options.running_max)
        self._quarantine = Quarantine()

    async def start(self) -> None:
        """Start the zygote and a spare worker, about 50 ms. Raises SCRIPTS_UNAVAILABLE."""
        await self._workers.start()
        report = self.isolation_report()
        _log.info("lua_isolation isolation=%s missing=%s", report["level"], " ".join(sorted(report["missing"])))

    async def close(self) -> None:
        """End every process of the pool. Safe to call twice."""
        await self._workers.close()

    def workers(self) -> dict[str, int]:
        """Return how many processes there are, by state: idle or busy."""
        idle = self._workers.idle
        return {"idle": idle, "busy": self._workers.live - idle}

    async def run(self, call: ScriptCall, host: HostCalls) -> ScriptResult:
        """Run a script to its end and return its result. Cancelling kills it.

        Raises:
            ScriptLost: its worker died and not by its doing; run it again.
            HostdError: SCRIPT_QUEUE_FULL, SCRIPTS_UNAVAILABLE, SCRIPT_ISOLATION, OPTION_INVALID (above the ceiling).
        """
        self._check_limits(call.limits)
        refused = self._refusal(call)
        if refused is not None:
            return ScriptResult(failure=refused)
        worker = await self._acquire(call.share)
        talk = Conversation(call, chunk=_chunk_name(call.chunk_name), host=host, worker=worker, turns=self._turns)
        try:
            return await talk.drive()
        except WorkerGone:
            return talk.result(failure=await self._blame(worker, call.source))
        except RogueWorker:
            self._note_crash(call.source, "it answered nonsense")
            return talk.result(failure=_ROGUE)
        finally:
            self._workers.release(worker, reusable=talk.reusable)

    async def validate(
        self,
        source: str,
        chunk_name: str = "script",
        *,
        limits: ScriptLimits | None = None,
        share: tuple[str, ...] = (),
    ) -> ScriptFailure | None:
        """Compile a source in a worker; None when it compiles. Raises as `run`."""
        limits = limits or self._options.ceiling
        self._check_limits(limits)
        refused = self._refusal(ScriptCall(source=source, limits=limits))
        if refused is not None:
            return refused
        worker = await self._acquire(share)
        chunk, reusable = _chunk_name(chunk_name), False
        try:
            await self._turns.take(share)
            try:
                async with asyncio.timeout(limits.wall_ms / 1000):
                    parts = (b"check", source.encode(), chunk.encode(), b"%d" % limits.memory_bytes)
                    answer = await worker.link.ask(*parts)
            finally:
                self._turns.give_back()
            failure = _checked(answer, chunk)
            reusable = True
            return failure
        except TimeoutError:
            return limit_failure("wall")
        except WorkerGone:
            return await self._blame(worker, source)
        except RogueWorker:
            self._note_crash(source, "it answered nonsense")
            return _ROGUE
        finally:
            self._workers.release(worker, reusable=reusable)

    def isolation_report(self) -> dict[str, Any]:
        """Return {level: full | partial | unknown, active: [measure], missing: {measure: why}}."""
        found = self._workers.isolation
        if not found:
            return {"level": "unknown", "active": [], "missing": {}}
        measures = (*ZYGOTE_MEASURES, *WORKER_MEASURES)
        missing = {name: found.get(name, "not reported") for name in measures if found.get(name, "not reported")}
        active = [name for name in measures if name not in missing]
        return {"level": "partial" if missing else "full", "active": active, "missing": missing}

    def _check_limits(self, limits: ScriptLimits) -> None:
        for name in LIMIT_ROWS:
            highest = getattr(self._options.ceiling, name)
            if getattr(limits, name) > highest:
                raise invalid("OPTION_INVALID", f"{name} is above the operator's {highest}")

    def _refusal(self, call: ScriptCall) -> ScriptFailure | None:
        """Return why a run ends before it has a worker, if it does."""
        try:
            source_bytes = len(call.source.encode())
        except UnicodeEncodeError:
            return _invalid("the source is not valid UTF-8 text")
        if source_bytes > call.limits.source_bytes:
            return limit_failure("source", f"the source has {source_bytes} bytes, more than {call.limits.source_bytes}")
        if call.source.startswith("\x1b"):
            return _invalid("the source is bytecode; send Lua text")
        if len(call.input) > call.limits.input_bytes:
            return limit_failure("input", f"the input has {len(call.input)} bytes, more than {call.limits.input_bytes}")
        held_s = self._quarantine.holds_for_s(source_digest(call.source), self._clock.monotonic_s())
        if held_s > 0:
            text = f"this source crashed its worker {CRASHES} times in an hour; refused for {held_s / 60:.0f} min more"
            return limit_failure("quarantine", text)
        return None

    async def _acquire(self, share: tuple[str, ...]) -> Worker:
        worker = await self._workers.acquire(share)
        if not self._options.isolation_required or self.isolation_report()["level"] == "full":
            return worker
        self._workers.release(worker, reusable=True)
        missing = ", ".join(sorted(self.isolation_report()["missing"]))
        raise HostdError(
            Kind.UNSUPPORTED, "SCRIPT_ISOLATION", f"`lua.isolation: required`, but this host lacks: {missing}"
        )

    async def _blame(self, worker: Worker, source: str) -> ScriptFailure:
        """Return the failure for a dead worker. Raises ScriptLost when the script did not do it."""
        try:
            async with asyncio.timeout(_DEATH_TIMEOUT_S):
                status = await asyncio.shield(worker.exit_status)
        except TimeoutError:
            status = None
        failure = death(status)
        if failure.limit == "crash":
            self._note_crash(source, failure.message)
        return failure

    def _note_crash(self, source: str, what: str) -> None:
        digest = source_digest(source)
        count = self._quarantine.note_crash(digest, self._clock.monotonic_s())
        _log.error("script_crash source=%s count=%d what=%s", digest, count, what)


def _checked(answer: list[bytes], chunk: str) -> ScriptFailure | None:
    if answer == [b"ok"]:
        return None
    if len(answer) == 2 and answer[0] == b"syntax":
        return invalid_failure(answer[1], chunk)
    if len(answer) == 2 and answer[0] == b"limit":
        return breach(answer[1])
    raise RogueWorker


def _invalid(message: str) -> ScriptFailure:
    return ScriptFailure(reason=FailureReason.SCRIPT_INVALID, message=message, line=1)


def _chunk_name(text: str) -> str:
    """Return a name that Lua prints whole, and that cannot be taken for something else in a message."""
    return re.sub(r"[^\w.\-/ ]", "_", text, flags=re.ASCII)[:_CHUNK_CHARS] or "script"


async def run_alone(call: ScriptCall, host: HostCalls | None = None) -> ScriptResult:
    """Run one script with no daemon: start a pool, run, end it. For `hostd script run`; raises as `LuaPool.run`.

    The pool's ceiling is the call's own limits, so the caller has checked them (`limits.raised`).
    """
    pool = LuaPool(PoolOptions(workers_max=1, spare=0, running_max=1, ceiling=call.limits))
    try:
        await pool.start()
        return await pool.run(call, host or NoHostCalls())
    finally:
        await pool.close()
