"""Spans of runs while they run: from records that were heard, or read back from the journal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from lab import Lab

from hostd.model.messages import Pause, Resume, Terminate
from hostd.runtime.ring.intake import Started
from hostd.runtime.runs import live_spans
from hostd.runtime.runs.live_spans import LiveSpans
from hostd.telemetry.spans import Span
from hostd.values.trace import span_of

MakeLab = Callable[..., Awaitable[Lab]]
WORK = """
workflow: work
steps:
  a: {uses: mock.noop}
  b: {uses: flow.wait, needs: a, with: {duration: 1h}}
"""


class Kept:
    """Keeps spans."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def take(self, span: Span) -> None:
        """Keep a span."""
        self.spans.append(span)

    def names(self) -> list[str]:
        """Return the names of what came."""
        return [span.name for span in self.spans]


async def heard(lab: Lab, *, unsent: bool = False) -> tuple[Kept, LiveSpans]:
    """Let a host's spans be kept."""
    core, kept = lab.core, Kept()
    core.tracing.sink = kept
    rooms = {"tracing": core.tracing, "journal": core.journal, "readers": core.readers, "plans": core.workflows.plans}
    live = LiveSpans(core.hub, **rooms, unsent=unsent)
    await live.open()
    core.metering.then = live
    return kept, live


async def waiting(lab: Lab) -> Started:
    """Start a run that waits for an hour."""
    started = await lab.start(await lab.register(WORK))
    await lab.core.loop.quiet()
    return started


async def ended(lab: Lab, kept: Kept, started: Started) -> list[str]:
    """End a run; return the names of the spans that came of it since."""
    before = len(kept.spans)
    await lab.ask(started, Terminate())
    await lab.until(lambda: "run work" in kept.names()[before:])
    return kept.names()[before:]


FIRST, REST = ["attempt mock.noop", "step a"], ["step b", "run work"]


async def test_a_step_is_told_when_it_ends(make_lab: MakeLab) -> None:
    """While the run goes on there is what ended in it, and nobody holds its state; the run itself comes last."""
    lab = await make_lab()
    kept, live = await heard(lab)
    started = await waiting(lab)
    assert kept.names() == FIRST
    assert [track.ended for track in live._tracks.values()] == [None]
    assert await ended(lab, kept, started) == REST
    assert live._tracks == {}
    await live.stop()


@pytest.mark.parametrize("killed", [False, True])
async def test_a_run_goes_on_in_the_next_daemon(make_lab: MakeLab, killed: bool) -> None:
    """What was told is told again only after a kill, by the same ids; what ends now has its true beginning."""
    lab = await make_lab()
    kept, live = await heard(lab)
    started = await waiting(lab)
    await live.stop()
    await lab.restart()
    again, live = await heard(lab, unsent=killed)
    if killed:
        await lab.until(lambda: again.names() == FIRST)
        assert again.spans == kept.spans
    assert await ended(lab, again, started) == REST
    step, run = again.spans[-2:]
    assert (step.trace.span_id, step.parent_id) == (span_of(started.run_id, "b"), run.trace.span_id)
    assert run.trace.trace_id == kept.spans[0].trace.trace_id
    assert run.began_ms <= step.began_ms == kept.spans[-1].ended_ms
    await live.stop()


async def test_a_run_that_ended_unsent_is_told_again(make_lab: MakeLab) -> None:
    """A killed daemon may have ended a run and sent nothing of it: the next one sends all of it, the run's own too."""
    lab = await make_lab()
    kept, live = await heard(lab)
    await ended(lab, kept, await waiting(lab))
    await live.stop()
    await lab.restart()
    again, live = await heard(lab, unsent=True)
    await lab.until(lambda: len(again.spans) == len(kept.spans))
    assert again.spans == kept.spans
    await live.stop()


async def test_a_run_that_was_forgotten_is_read_back(make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound the run that moved least lately is forgotten; nothing of it is told twice, or left out."""
    monkeypatch.setattr(live_spans, "TRACKS_MAX", 1)
    lab = await make_lab()
    kept, live = await heard(lab)
    forgotten, other = await waiting(lab), await waiting(lab)
    assert list(live._tracks) == [other.key]
    assert await ended(lab, kept, forgotten) == REST
    assert await ended(lab, kept, other) == REST
    await live.stop()


async def test_what_cannot_be_read_back_is_counted(make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too many wait to be read back, a run's spans are left out and counted; the next things are told."""
    monkeypatch.setattr(live_spans, "TRACKS_MAX", 1)
    monkeypatch.setattr(live_spans, "WAITING_MAX", 0)
    lab = await make_lab()
    kept, live = await heard(lab)
    forgotten, other = await waiting(lab), await waiting(lab)
    await lab.ask(forgotten, Terminate())
    await lab.core.loop.quiet()
    assert live.skipped == 1
    assert "run work" not in kept.names()
    assert await ended(lab, kept, await waiting(lab)) == REST
    assert other.key not in live._tracks
    await live.stop()


async def test_a_run_that_waits_too_often_is_counted_once(make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often there is no room to read it back; once there is, nothing of it is missing, and none is counted."""
    lab = await make_lab()
    kept, live = await heard(lab)
    runs = [await waiting(lab), await waiting(lab)]
    live._tracks.clear()  # as if others had moved since
    monkeypatch.setattr(live_spans, "WAITING_MAX", 0)
    for started in (*runs, *runs):
        await lab.ask(started, Pause())
        await lab.ask(started, Resume())
    await lab.core.loop.quiet()
    assert live.skipped == 0, "they may still be read back"
    await lab.ask(runs[0], Terminate())
    await lab.core.loop.quiet()
    assert live.skipped == 1
    monkeypatch.setattr(live_spans, "WAITING_MAX", 10)
    assert await ended(lab, kept, runs[1]) == REST
    assert live.skipped == 1
    assert await live.stop()


async def test_what_is_not_sampled_costs_no_memory(make_lab: MakeLab) -> None:
    """A run that is not recorded leaves no track and no span."""
    lab = await make_lab()
    kept, live = await heard(lab)
    lab.core.tracing.share = 0.0
    await lab.ask(await waiting(lab), Terminate())
    await lab.core.loop.quiet()
    assert (kept.spans, live._tracks, live.skipped) == ([], {}, 0)
    await live.stop()
