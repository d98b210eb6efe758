"""`log.write`, `lua.script` and `mock.*`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hostd.lua.limits import LIMIT_ROWS
from hostd.plugin import ActionError, EndOfTrigger, HostdError, NotConnected, PermanentFailure, RetryLater
from hostd.plugin.testing import FakeActionContext, FakeTriggerContext, run_action, running_trigger
from hostd.plugin.testing.clock import settle
from hostd_builtin.log.write import Write
from hostd_builtin.lua.script import ScriptLimits, ScriptOptions
from hostd_builtin.mock import emit, failing, fine, harmful

HARMFUL = {"harmful": True}


async def test_log_write_writes() -> None:
    """Level, message and fields arrive, whatever the fields are called; the output is null."""
    context = FakeActionContext()
    options = {"message": "hi", "level": "warning", "fields": {"message": 1, "self": 2}}
    assert await run_action(Write, options, ctx=context) is None
    assert context.log.lines == [("warning", "hi", {"message": 1, "self": 2})]


def test_the_scripts_limits_are_the_executors() -> None:
    """Every limit a script may lower is one the Lua room knows, with the same lower bound."""
    properties = ScriptLimits.model_json_schema()["properties"]
    assert set(properties) == set(LIMIT_ROWS)
    for name, row in LIMIT_ROWS.items():
        assert properties[name]["anyOf"][0]["minimum"] == row.lowest, name
    written = ScriptOptions.model_validate({"script": "return 1", "limits": {"cpu_ms": 50}})
    assert written.limits is not None
    assert written.limits.given() == {"cpu_ms": 50}


async def test_noop_ends_in_its_first_step() -> None:
    """It never waits: one `send(None)` drives it to its end."""
    with pytest.raises(StopIteration) as ended:
        fine.Noop().run(FakeActionContext(), fine.NoopOptions()).send(None)
    assert ended.value.value is None


async def test_fail_fails_so_often() -> None:
    """The first two attempts fail with the given words, the third succeeds."""
    options = {"times": 2, "code": "X", "retryable": False, "retry_after": "1s", "details": {"a": 1}}
    context = FakeActionContext()
    for _ in range(2):
        with pytest.raises(ActionError) as caught:
            await run_action(failing.Fail, options, ctx=context)
        context = context.next_attempt()
    assert (caught.value.code, caught.value.retryable, caught.value.retry_after_s) == ("X", False, 1.0)
    assert await run_action(failing.Fail, options, ctx=context) == {"attempt": 3}


async def test_flaky_is_the_same_each_time() -> None:
    """About the asked share of attempts fails, and the same ones again."""

    async def failures() -> list[int]:
        failed = []
        for attempt in range(1, 101):
            try:
                await run_action(failing.Flaky, {"rate": 0.3}, ctx=FakeActionContext(attempt=attempt))
            except ActionError:
                failed.append(attempt)
        return failed

    first = await failures()
    assert 15 < len(first) < 45
    assert await failures() == first


async def test_progress_goes_on() -> None:
    """The second attempt begins where the first one's last report stood."""
    options = {"parts": 5, "fail_after": 3}
    context = FakeActionContext()
    with pytest.raises(ActionError):
        await run_action(fine.Progress, options, ctx=context)
    assert context.beats == [1, 2, 3]
    again = context.next_attempt()
    assert await run_action(fine.Progress, options, ctx=again) == {"parts": 5, "resumed_at": 3}
    assert again.beats == [4, 5]


@pytest.mark.parametrize("what", ["object", "nan", "infinity", "huge_int", "cycle", "surrogate", "number_key", "deep"])
async def test_return_gives_what_nobody_can_record(what: str) -> None:
    """Each value is refused on its way out."""
    with pytest.raises(HostdError):
        await run_action(failing.Return, {"what": what})


@pytest.mark.parametrize(
    "action, options",
    [
        (harmful.Exit, {}),
        (harmful.Block, {"duration": "1ms"}),
        (harmful.Count, {"file": "x"}),
        (harmful.Append, {"file": "x"}),
        (harmful.Hang, {"ignore_cancel": True}),
        (harmful.Thread, {"duration": "1ms", "ignore_cancel": True}),
    ],
)
async def test_harm_needs_the_operators_word(action: Any, options: dict[str, Any]) -> None:
    """Without `harmful: true` nothing is killed, blocked or written."""
    with pytest.raises(ActionError) as caught:
        await run_action(action, options)
    assert caught.value.code == "MOCK_FORBIDDEN"
    assert "plugins.settings.mock" in str(caught.value)


async def test_count_leaves_a_line_per_execution(tmp_path: Path) -> None:
    """Key, run, step and attempt of every execution stand in the file."""
    options = {"file": str(tmp_path / "count"), "text": "t"}
    for attempt in (1, 2):
        await run_action(harmful.Count, options, ctx=FakeActionContext(attempt=attempt), settings=HARMFUL)
    lines = (tmp_path / "count").read_text().splitlines()
    assert lines == [f"testkey {'0' * 26} step {attempt} t" for attempt in (1, 2)]


async def test_thread_looks_at_the_cancel_flag() -> None:
    """A blocking action that polls the flag ends early."""
    context = FakeActionContext()
    context.cancel.set()

    class Moving:
        """A clock that a thread may ask."""

        def monotonic_s(self) -> float:
            return 0.0

    context.clock = Moving()  # type: ignore[assignment]
    assert await run_action(harmful.Thread, {"duration": "1h"}, ctx=context) == {"stopped": True}


async def test_hang_ends_when_cancelled() -> None:
    """It waits for ever, and lets itself be cancelled."""
    task = asyncio.get_running_loop().create_task(run_action(harmful.Hang))
    await settle()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


@pytest.mark.parametrize(
    "then, error",
    [
        ("end", EndOfTrigger),
        ("raise", RuntimeError),
        ("later", RetryLater),
        ("disconnect", NotConnected),
        ("permanent", PermanentFailure),
        ("return", None),
    ],
)
async def test_emit_ends_as_told(then: str, error: type[Exception] | None) -> None:
    """It goes on behind its cursor, in batches, and then ends in the asked way."""
    context = FakeTriggerContext(cursor=2)
    options = {"count": 5, "batch": 2, "then": then}
    async with running_trigger(emit.Emit, options, ctx=context) as (_, task):
        assert [event.data for event in context.emitted] == [{"number": 3}, {"number": 4}, {"number": 5}]
        assert context.cursors == [4, 5]
        assert task.done()
        assert (type(task.exception()) if error else task.exception()) is error
