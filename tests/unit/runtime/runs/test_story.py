"""The whole view of a run: the same from a snapshot, from a kept story and from every record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hostd.config.rooms import Config
from hostd.core import Core
from hostd.journal.codec import decode_records
from hostd.journal.port import StoredRow
from hostd.model.records import RunEnded, Terminated
from hostd.model.requests import RunRef, StartRequest
from hostd.model.states import RunState, step_is_final
from hostd.model.views import RunView, StartedRun
from hostd.runtime.ring import snapshots, turn
from hostd.runtime.ring.snapshots import run_before
from hostd.runtime.runs import story
from hostd.runtime.runs.story import Stories, Story

STEPS = 40
LONG = "workflow: long\nsteps:\n" + "".join(
    f"  s{n}: {{{f'needs: s{n - 1}, ' if n else ''}uses: mock.fail, on_error: continue, with: {{times: 1}},"
    f" retry: {{max_attempts: 2, initial_interval: 1ms}}}}\n"
    if n % 5 == 1
    else f"  s{n}: {{{f'needs: s{n - 1}, if: always(), ' if n else ''}uses: flow.pass, with: {{output: {n}}}}}\n"
    for n in range(STEPS)
)
LONG += f"  rest: {{needs: s{STEPS - 1}, if: always(), uses: flow.wait, with: {{duration: 1h}}}}\n"


@pytest.fixture(params=["memory", "sqlite"])
async def core(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Core]:
    """A host that writes snapshots every few records and keeps stories of short runs."""
    for room in (snapshots, turn):
        monkeypatch.setattr(room, "DISTANCE", 5 * snapshots.RECORD_WEIGHT)
    monkeypatch.setattr(story, "KEPT_RECORDS_MIN", 1)
    config = {"plugins": {"settings": {"mock": {"harmful": True}}}}
    core = Core(Config.model_validate(config), data=tmp_path if request.param == "sqlite" else None)
    await core.open()
    yield core
    await core.close()


async def resting(core: Core) -> RunView:
    """Start the long run; return it once it rests."""
    runs = core.front.runs
    await core.front.workflows.register("n", LONG.encode(), file="", activate=True, principal="owner", repeat=None)
    (started,) = await runs.start("n", [StartRequest("long")], principal="ada")
    assert isinstance(started, StartedRun)
    async for _ in runs.watch("n", RunRef(started.run_id), from_seq=0):
        view = await runs.get("n", RunRef(started.run_id))
        if view.state == RunState.WAITING and view.steps[-1].started_at_ms:
            return view
    raise AssertionError("the run ended")


def rows_of(core: Core, view: RunView) -> list[StoredRow]:
    """Return a run's rows."""
    return core.journal.history(view.number, max_bytes=1 << 30)


def by_states(core: Core, view: RunView) -> dict[int, int]:
    """Return when each step ended, by looking at every state after every record."""
    from hostd.engine.evolve import evolve
    from hostd.engine.state import Run

    row = core.journal.run_row(view.number)
    assert row is not None
    run = Run(core.workflows.plans.of_run(row))
    ended: dict[int, int] = {}
    for stored in rows_of(core, view):
        for record in decode_records(stored.body):
            evolve(run, record, stored.at_ms)
            for step, state in enumerate(run.states):
                if step_is_final(state):
                    ended.setdefault(step, stored.at_ms)
    return ended


async def test_a_snapshot_and_a_kept_story_show_what_every_record_shows(core: Core) -> None:
    """At rest and at its end: nothing of the view depends on where the reading began."""
    view = await resting(core)
    assert core.journal.snapshot(view.number) is not None
    for end in (False, True):
        if end:
            view = await core.front.runs.cancel("n", RunRef(view.run_id), reason="", principal="o", repeat=None)
        row = core.journal.run_row(view.number)
        assert row is not None
        plan = core.workflows.plans.of_run(row)
        whole = Story(plan)
        whole._skip_to_snapshot = lambda *_: None  # type: ignore[method-assign]
        whole.listen(core.journal, row)

        assert whole.view(row) == Stories(core.journal).view(plan, row) == view
        assert {n: step.ended_at_ms for n, step in enumerate(view.steps) if step.ended_at_ms} == by_states(core, view)
        assert view.principal == "ada"
        assert any(step.error is not None for step in view.steps)
    assert {type(record) for stored in rows_of(core, view) for record in decode_records(stored.body)} & {
        RunEnded,
        Terminated,
    }


async def test_asked_again_only_what_is_new_is_read(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kept story goes on where it stands; stories past the bound are let go."""
    view = await resting(core)
    row = core.journal.run_row(view.number)
    assert row is not None
    plan, stories = core.workflows.plans.of_run(row), Stories(core.journal)
    stories.view(plan, row)
    heard: list[int] = []
    history = core.journal.history

    def listened(run: int, *, from_seq: int = 0, max_bytes: int = 1 << 20) -> list[StoredRow]:
        heard.append(from_seq)
        return history(run, from_seq=from_seq, max_bytes=max_bytes)

    monkeypatch.setattr(core.journal, "history", listened)
    assert stories.view(plan, row) == view
    assert min(heard) == sum(stored.n for stored in history(view.number, max_bytes=1 << 30))
    assert stories.size_bytes > 0

    small = Stories(core.journal, bytes_max=10)
    assert small.view(plan, row) == view
    assert small.size_bytes == 0


async def test_a_run_as_it_was_is_the_same_with_and_without_its_snapshot(core: Core) -> None:
    """Before any record, whether the snapshot lies before or behind it."""
    view = await resting(core)
    row = core.journal.run_row(view.number)
    assert row is not None
    for stored in rows_of(core, view)[1:]:
        run = run_before(core.journal, core.workflows.plans, row, stored.seq)
        assert run.seq == stored.seq
