"""A host without doors, in this process, and runs inside it."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hostd.config.rooms import Config
from hostd.core import Core
from hostd.errors.base import HostdError
from hostd.model.states import RunState
from hostd.runtime.ring.starts import Ready

NAMESPACE = "default"


@asynccontextmanager
async def open_core(data: Path, *documents: bytes, config: Config | None = None) -> AsyncIterator[Core]:
    """Open a core over a data folder, with workflows registered; as in the daemon, what is there then is frozen."""
    data.mkdir(parents=True, exist_ok=True)
    core = Core(config or Config(), data=data)
    await core.open()
    try:
        for document in documents:
            await core.workflows.register(NAMESPACE, document, activate=True, principal="")
        gc.collect()
        gc.freeze()
        yield core
    finally:
        gc.unfreeze()
        await core.close()


async def start_runs(core: Core, workflow: str, count: int) -> list[int]:
    """Start runs at once; return their keys once the starts are durable."""
    ready: Ready = await core.workflows.plans.resolve(NAMESPACE, workflow)
    now_ms = core.clock.wall_ms()
    prepare = core.starts.prepare
    prepared = [prepare(ready, namespace=NAMESPACE, input_json=b"", now_ms=now_ms) for _ in range(count)]
    started = await core.intake.start(prepared)
    keys = []
    for result in started:
        if isinstance(result, HostdError):
            raise result
        keys.append(result.key)
    return keys


async def run_all(core: Core, workflow: str, count: int) -> float:
    """Start runs at once and wait until the last end is durable; return the seconds it took.

    Raises:
        RuntimeError: a run did not succeed.
    """
    started_s = time.perf_counter()
    keys = await start_runs(core, workflow, count)
    for key in keys:
        end = core.hub.end_of(key)
        if core.loop.residence.get(key) is None:
            core.hub.forget_end(key, end)
        else:
            await end
    took_s = time.perf_counter() - started_s
    for key in keys:
        row = core.journal.run_row(key)
        if row is None or row.state != RunState.SUCCEEDED:
            raise RuntimeError(f"run {key} of {workflow} did not succeed: {row}")
    return took_s
