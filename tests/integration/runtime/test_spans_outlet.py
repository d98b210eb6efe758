"""The way out of a core's spans: what is left of it where it could not be opened."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from lab import Lab
from otlp_receiver import OtlpReceiver

from hostd.config.rooms import Otel
from hostd.errors.base import HostdError, Kind
from hostd.model.messages import Pause
from hostd.observing import opened
from hostd.runtime.runs import live_spans

WAIT = "workflow: work\nsteps:\n  a: {uses: flow.wait, with: {duration: 1h}}\n"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A core in a folder, whose last daemon left spans unsent."""
    lab = await Lab(tmp_path / "data").open()
    mark(tmp_path).parent.mkdir(exist_ok=True)
    mark(tmp_path).touch()
    yield lab
    await lab.close()


def mark(tmp_path: Path) -> Path:
    """Return the file that says so."""
    return tmp_path / "data" / "run" / "spans-unsent"


def senders() -> set[threading.Thread]:
    """Return the threads that send spans; one may be left of another test, whose receiver never answered."""
    return {thread for thread in threading.enumerate() if thread.name == "hostd-otel-spans"}


@pytest.mark.parametrize("configured", [False, True])
async def test_nothing_is_left_of_what_could_not_be_opened(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configured: bool
) -> None:
    """Where the journal cannot be read, thread and sink go again, and the mark stays for the next daemon."""

    def broken() -> int:
        raise HostdError(Kind.CORRUPT, "JOURNAL_DAMAGED", "a page cannot be read")

    before = senders()
    monkeypatch.setattr(lab.core.journal, "last_at_ms", broken)
    with OtlpReceiver() as receiver:
        if configured:
            with pytest.raises(HostdError, match="JOURNAL_DAMAGED"):
                await opened(lab.core.parts, Otel(endpoint=receiver.endpoint), {})
        else:
            environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
            assert await opened(lab.core.parts, Otel(), environ) == (None, "a page cannot be read")
    assert senders() <= before
    assert lab.core.contexts.tracing.sink is None
    assert mark(tmp_path).exists()


@pytest.mark.parametrize("room", [0, 10])
async def test_the_mark_stays_where_a_run_was_not_read_back(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """A stop that has told everything takes it away; one that leaves spans of a run untold does not."""
    started = await lab.start(await lab.register(WAIT))
    await lab.core.loop.quiet()
    monkeypatch.setattr(live_spans, "WAITING_MAX", room)
    with OtlpReceiver() as receiver:
        outlet, _ = await opened(lab.core.parts, Otel(endpoint=receiver.endpoint), {})
        assert outlet is not None
        await lab.ask(started, Pause())  # a run that began before
        await lab.core.loop.quiet()
        await outlet.close()
    assert mark(tmp_path).exists() is (room == 0)


async def test_a_mark_that_cannot_be_written_stops_nothing(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk costs what a kill may cost, no more; it is told."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "touch", full)
    with OtlpReceiver() as receiver:
        outlet, _ = await opened(lab.core.parts, Otel(endpoint=receiver.endpoint), {})
        assert outlet is not None
        await outlet.close()
    assert "otel_unmarked" in caplog.text
    assert "No space left" in caplog.text
