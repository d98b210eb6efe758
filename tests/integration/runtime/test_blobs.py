"""What holds a blob, and how much a run may keep: on a real core, through restarts and retention."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lab import Lab

from hostd.errors.base import HostdError
from hostd.journal.port import Retention
from hostd.runtime.attempts.attempt import Attempt
from hostd.runtime.ring.carried_blobs import carried_blobs
from hostd.runtime.ring.intake import Started
from hostd.runtime.services import blob_shelf

NS = "default"
YEAR_MS = 365 * 86_400_000
KEEPS = "workflow: keeps\nsteps: {a: {uses: mock.echo, with: {value: '${{ input }}'}}}\noutput: ${{ steps.a.output }}\n"
SAYS = """workflow: says
steps:
  parse: {uses: mock.echo, with: {value: "${{ json.parse(input.text) }}"}}
"""


async def kept_run(lab: Lab, value: Any = None) -> tuple[Started, Any]:
    """Return a run that has ended, and the context of an attempt of it."""
    await lab.register(KEEPS)
    started = await lab.start("keeps", value)
    await lab.ended(started)
    return started, context_of(lab, started, (await lab.core.workflows.plans.resolve(NS, "keeps")).plan)


def context_of(lab: Lab, started: Started, plan: Any) -> Any:
    """Return an attempt's context."""
    step = plan.steps[0]
    attempt = Attempt(started.key, NS, started.run_id, started.run_id, plan, step, step.uses, 1, 0, False, "")
    return lab.core.contexts.action(attempt)


async def prune(lab: Lab, now_ms: int) -> None:
    """Apply retention as of a time."""
    while await lab.core.readers.call(lambda: lab.core.journal.prune(now_ms=now_ms, retention=Retention())):
        pass


async def test_what_a_run_keeps_is_counted_through_restarts(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is the run's, not the daemon's: what was kept before a restart counts, its large values do not."""
    monkeypatch.setattr(blob_shelf, "RUN_BYTES_MAX", 1_000)
    _, ctx = await kept_run(lab, {"text": "v" * 40_000})
    await ctx.blobs.put(b"a" * 600)
    attempt = ctx._attempt
    await lab.restart()
    ctx = lab.core.contexts.action(attempt)
    for _ in range(2):
        with pytest.raises(HostdError, match="RUN_BLOBS_FULL"):
            await ctx.blobs.put(b"b" * 600)
    await asyncio.gather(ctx.blobs.put(b"a" * 600), ctx.blobs.put(b"c" * 400))
    with pytest.raises(HostdError, match="RUN_BLOBS_FULL"):
        await ctx.blobs.put(b"d")
    await (await kept_run(lab))[1].blobs.put(b"b" * 600)


async def test_runs_that_were_forgotten_are_counted_anew(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two runs in memory each of five has its own bound, also while all put at once."""
    monkeypatch.setattr(blob_shelf, "RUNS_MAX", 2)
    monkeypatch.setattr(blob_shelf, "RUN_BYTES_MAX", 1_000)
    contexts = [(await kept_run(lab))[1] for _ in range(5)]
    await asyncio.gather(*(ctx.blobs.put(b"a" * 600) for ctx in contexts))
    results = await asyncio.gather(*(ctx.blobs.put(b"b" * 600) for ctx in contexts), return_exceptions=True)
    assert [getattr(result, "reason", "") for result in results] == ["RUN_BLOBS_FULL"] * 5
    shelf = lab.core.blob_shelf
    await shelf._kept(contexts[0]._attempt.key)
    assert len(shelf._runs) == shelf._digests == 2


async def test_a_blob_that_was_not_written_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the append fails the room is there again."""
    monkeypatch.setattr(blob_shelf, "RUN_BYTES_MAX", 1_000)
    lab = await Lab(None).open()
    try:
        _, ctx = await kept_run(lab)
        real = lab.core.journal.append
        lab.core.journal.append = _refusing  # type: ignore[method-assign]
        with pytest.raises(HostdError):
            await ctx.blobs.put(b"a" * 600)
        lab.core.journal.append = real  # type: ignore[method-assign]
        await lab.until(lambda: lab.core.loop.unwritable is None)
        await ctx.blobs.put(b"b" * 600)
        assert lab.core.blob_shelf._digests == 1
    finally:
        await lab.close()


def _refusing(*_: Any, **__: Any) -> None:
    raise OSError("the disk is gone")


@pytest.mark.parametrize("padding", [1, 40_000])
@pytest.mark.parametrize("way", ["input", "output"])
async def test_a_run_that_carries_a_reference_holds_the_blob(lab: Lab, way: str, padding: int) -> None:
    """What another run has in its input or an output stays when its maker is gone, and goes with the last of them."""
    maker, ctx = await kept_run(lab)
    ref, lost = await ctx.blobs.put(b"carried"), await ctx.blobs.put(b"not carried")
    shown = {"padding": "x" * padding, "files": [ref.to_json()]}
    if way == "input":
        carrier, ctx = await kept_run(lab, shown)
    else:
        text = str(shown).replace("'", '"')  # nothing of it looks like a reference before the step has read it
        await lab.register(SAYS)
        carrier = await lab.start("says", {"text": text.replace("$blob", "\\u0024blob")})
        await lab.ended(carrier)
        assert lab.row(carrier).state == lab.row(maker).state
    await lab.core.loop.write(lambda turn: turn.batch.run_deletes.append(maker.key))
    await lab.restart()
    ctx = context_of(lab, carrier, ctx._attempt.plan)
    assert await ctx.blobs.get(ref) == b"carried"
    with pytest.raises(HostdError, match="BLOB_MISSING"):
        await ctx.blobs.get(lost)
    await prune(lab, lab.core.clock.wall_ms() + YEAR_MS)
    with pytest.raises(HostdError, match="BLOB_MISSING"):
        await ctx.blobs.get(ref)


async def test_a_reference_to_no_blob_holds_nothing(lab: Lab) -> None:
    """A digest that nobody kept, or one of another namespace, harms nothing and brings nothing."""
    digest = "ab" * 32
    started, ctx = await kept_run(lab, {"$blob": digest})
    with pytest.raises(HostdError, match="BLOB_MISSING"):
        await ctx.blobs.get(digest)
    assert list(lab.core.journal.check()) == []
    assert lab.row(started).ended_at_ms


def test_references_are_found_by_their_text() -> None:
    """However the JSON was written, each digest once; what is no digest is none."""
    one, two = "0a" * 32, "0b" * 32
    text = f'[{{"$blob":"{one}"}},{{"$blob" :\n "{two}","size_bytes":1}},{{"$blob":"{one}"}},{{"$blob":"{one[:-1]}"}}]'
    assert carried_blobs(b"\x00\xff" + text.encode()) == [bytes.fromhex(one), bytes.fromhex(two)]
    assert carried_blobs(b'{"blob":"' + one.encode() + b'"}') == []
