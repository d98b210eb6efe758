"""Retention that passes while something is read: all of it is told, or that it is gone; never a part as the whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from lab import NAMESPACE, Lab

from hostd.errors.base import HostdError
from hostd.journal.port import Retention
from hostd.model.filters import Compare
from hostd.model.requests import RunRef
from hostd.runtime.runs.runs import Runs

STEPS = "".join(f"  s{at}: {{uses: log.write, with: {{message: line {at}}}}}\n" for at in range(20))
LONG = f"workflow: long\nsteps:\n{STEPS}"
READS = ("find_run", "run_row", "history", "snapshot", "rows_after", "query_runs", "first_pos", "last_pos", "version")
FOREVER_MS = 1 << 52


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """Return a lab on a file, whose logs are files too."""
    lab = await Lab(tmp_path / "data").open()
    yield lab
    await lab.close()


def prune_at(lab: Lab, number: int) -> Callable[[], int]:
    """Let everything go right before a read of the journal; return what says how many reads there were, and ends it."""
    journal, asked = lab.core.journal, 0
    before = {name: getattr(journal, name) for name in READS}

    def reading(name: str) -> Callable[..., Any]:
        def read(*arguments: Any, **more: Any) -> Any:
            nonlocal asked
            asked += 1
            if asked == number:
                while journal.prune(now_ms=FOREVER_MS, retention=Retention(runs_ms=1, logs_ms=1)):
                    pass
            return before[name](*arguments, **more)

        return read

    for name in READS:
        setattr(journal, name, reading(name))

    def end() -> int:
        for name in READS:
            delattr(journal, name)
        return asked

    return end


async def whole_run(runs: Runs, ref: RunRef) -> Any:
    """Read a run's view."""
    view = await runs.get(NAMESPACE, ref)
    return view.run_id, view.state, [step.state for step in view.steps]


async def whole_history(runs: Runs, ref: RunRef) -> Any:
    """Read a run's history page by page, as an export does."""
    from_seq, more, items = 0, True, list[Any]()
    while more:
        page = await runs.history(NAMESPACE, ref, from_seq=from_seq, max_bytes=600)
        items += page.items
        from_seq, more = page.next_seq, page.more
    return len(items)


async def whole_watch(runs: Runs, ref: RunRef) -> Any:
    """Watch a run to its end."""
    async with aclosing(runs.watch(NAMESPACE, ref, from_seq=0)) as stream:  # type: ignore[type-var]
        found = [batch async for batch in stream]
    return sum(len(batch.items) for batch in found), found[-1].run.state if found[-1].run else None


async def whole_tail(runs: Runs, ref: RunRef) -> Any:
    """Tail a run's logs to its end."""
    async with aclosing(runs.tail(NAMESPACE, ref, step="", attempt=0, after=None)) as stream:  # type: ignore[type-var]
        found = [batch async for batch in stream]
    return sum(len(log.lines) for batch in found for log in batch.logs), found[-1].run_state


@pytest.mark.parametrize("read", [whole_run, whole_history, whole_watch, whole_tail])
async def test_a_run_that_goes_while_it_is_read_is_told_whole_or_gone(lab: Lab, read: Any) -> None:
    """Whichever read of the journal it goes before."""
    workflow = await lab.register(LONG)
    runs = lab.core.front.runs
    told, number = set[str](), 0
    while True:
        number += 1
        started = await lab.start(workflow)
        await lab.ended(started)
        ref = RunRef(started.run_id)
        whole = await read(runs, ref)
        end = prune_at(lab, number)
        try:
            assert await read(runs, ref) == (whole if read is not whole_run else (started.run_id, *whole[1:]))
            told.add("whole")
        except HostdError as error:
            told.add(error.reason)
        finally:
            asked = end()
        if asked < number:
            break
    assert told == {"whole", "RUN_MISSING"}


async def test_a_watch_that_is_resumed_lives_through_retention(lab: Lab) -> None:
    """It tells all that came behind its token, or that the token is too old; it leaves no run out as if it were not."""
    workflow = await lab.register(LONG)
    runs = lab.core.front.runs
    number, told = 0, set[str]()
    while True:
        number += 1
        after = lab.core.journal.last_pos()
        started = await lab.start(workflow), await lab.start(workflow)
        await lab.ended(*started)
        position = after + 2  # inside the first one's life
        end = prune_at(lab, number)
        stream = runs.watch_all(NAMESPACE, Compare("state", "<", 10), after=position, snapshot=False)
        seen = set[str]()
        try:
            async with aclosing(stream) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    seen |= {change.run.run_id for change in batch.changes}
                    if not batch.changes:  # it has caught up
                        break
            assert seen >= {started[0].run_id}  # of the second one nothing was told before the token
        except HostdError as error:
            told.add(error.reason)
        finally:
            asked = end()
        if asked < number:
            break
    assert told <= {"RESUME_TOKEN_EXPIRED"}
