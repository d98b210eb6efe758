"""A host inside a program: open, register, start, wait, watch, steer, publish, and everything that can go wrong."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from loop_guard import nothing_blocks_the_loop as nothing_blocks_the_loop
from pydantic import field_validator

from hostd.aio import SystemClock
from hostd.embedding import ActionContext, ActionError, Host, HostdError, RunFailed, Workflow, action, use
from hostd.embedding.uses import event, flow, log
from hostd.plugin import Action, Options, SecretsProvider

ECHO = """
workflow: echo
inputs: {type: object, properties: {word: {type: string, default: nothing}}}
steps:
  say: {uses: flow.pass, with: {output: "${{ input.word }}"}}
output: ${{ steps.say.output }}
"""
WAIT = """
workflow: waits
signals: {GO: {type: object}}
steps:
  long: {uses: flow.wait, with: {duration: 1h}}
"""


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    """A host in memory."""
    async with Host.open() as opened:
        yield opened


async def test_a_document_is_registered_and_run(host: Host) -> None:
    """As a text, a file or a mapping; results are Python values."""
    registered = await host.register(ECHO)

    assert (registered.workflow, registered.version, registered.created) == ("echo", "0.0.1", True)
    assert (await host.register(ECHO.encode())).created is False
    assert await host.execute("echo", {"word": "hi"}) == "hi"
    assert await host.execute("echo") == "nothing"


async def test_a_file_and_a_mapping_are_documents_too(host: Host, tmp_path: Path) -> None:
    """A file that is not there says so; a mistake names the file."""
    file = tmp_path / "echo.yaml"
    file.write_text(ECHO)
    await host.register(file)
    document = {"workflow": "copy", "steps": {"a": {"uses": "flow.pass", "with": {"output": 1}}}}
    await host.register({**document, "output": "${{ steps.a.output }}"})
    assert (await host.execute("echo"), await host.execute("copy")) == ("nothing", 1)

    with pytest.raises(HostdError, match="cannot be read") as caught:
        await host.register(tmp_path / "none.yaml")
    assert caught.value.reason == "ARGUMENT_INVALID"
    file.write_text("workflow: echo\nsteps: {a: {uses: flow.pas}}\n")
    with pytest.raises(HostdError) as wrong:
        await host.register(file)
    assert [(fault.file, fault.line) for fault in wrong.value.violations] == [(str(file), 2)]


@dataclass
class Word:
    """An input."""

    word: str


async def test_an_input_may_be_a_dataclass(host: Host) -> None:
    """It becomes the map of its fields; what JSON cannot say is refused by name."""
    await host.register(ECHO)

    assert await host.execute("echo", Word("typed")) == "typed"
    with pytest.raises(HostdError) as caught:
        await host.start("echo", {"word": object()})
    assert caught.value.reason == "PAYLOAD_INVALID"


async def test_a_start_is_made_once_for_a_request_id_and_a_key(host: Host) -> None:
    """The same request id is answered with the first run; another input under it, or an open key, is refused."""
    await host.register(ECHO)
    await host.register(WAIT)
    first = await host.start("echo", {"word": "a"}, request_id="r-1")
    again = await host.start("echo", {"word": "a"}, request_id="r-1")
    assert (again.id, first.existing, again.existing) == (first.id, False, True)

    with pytest.raises(HostdError) as conflict:
        await host.start("echo", {"word": "b"}, request_id="r-1")
    keyed = await host.start("waits", key="k")
    with pytest.raises(HostdError) as is_open:
        await host.start("waits", key="k")
    used = await host.start("waits", key="k", on_open="USE_EXISTING")

    assert (conflict.value.reason, is_open.value.reason) == ("REQUEST_ID_CONFLICT", "RUN_OPEN")
    assert used.id == (await host.get(("waits", "k"))).id == (await host.get("waits/k")).id == keyed.id


async def test_a_run_that_does_not_succeed_raises_with_all_that_is_known(host: Host) -> None:
    """The message names step, reason and what the action said; `run` holds the rest. `wait` raises for no end."""

    @host.use
    @action("shop.charge")
    async def charge() -> None:
        raise ActionError("no money", code="EMPTY", details={"left": 0})

    wf = Workflow("pay")
    wf.step("charge", charge)
    run = await host.start(wf)
    with pytest.raises(RunFailed, match="charge: ACTION_FAILED: no money") as caught:
        await run.result()

    failed = await run.wait()
    assert caught.value.run == failed
    assert (failed.state, failed.reason, failed.failures[0].details) == ("FAILED", "ACTION_FAILED", {"left": 0})
    assert (failed.steps["charge"].state, failed.steps["charge"].error) == ("FAILED", failed.failures[0])


async def test_a_wait_that_takes_too_long_leaves_the_run_alone(host: Host) -> None:
    """It says the state; the run goes on, and can be cancelled: then its result raises."""
    await host.register(WAIT)
    run = await host.start("waits")
    with pytest.raises(HostdError, match="is WAITING and goes on") as caught:
        await run.wait(timeout="10ms")
    assert caught.value.reason == "WAIT_EXPIRED"

    await run.cancel("enough")
    with pytest.raises(RunFailed) as canceled:
        await run.result()
    assert canceled.value.run.state == "CANCELED"
    with pytest.raises(HostdError) as final:
        await run.cancel()
    assert final.value.reason == "RUN_FINAL"


async def test_a_run_is_watched_from_its_first_record_to_its_last(host: Host) -> None:
    """Records have words and Python values, and those that are there come before those that happen."""
    wf = Workflow("two")
    first = wf.step("first", flow.pass_(output={"n": 1}))
    wf.step("second", flow.wait(duration="1ms"), needs=first)
    run = await host.start(wf)

    changes = [change async for change in run.watch()]

    assert [change.seq for change in changes] == list(range(len(changes)))
    assert (changes[0].kind, changes[-1].kind, changes[-1].data["outcome"]) == ("RUN_STARTED", "RUN_ENDED", "SUCCEEDED")
    assert [(one.step, one.data["output"]) for one in changes if one.kind == "STEP_ENDED"] == [("first", {"n": 1})]
    assert await host.history(run) == changes


async def test_runs_are_listed_counted_and_watched_through_a_filter(host: Host) -> None:
    """The filter is that of the control plane."""
    await host.register(ECHO)
    await host.register(WAIT)
    await host.execute("echo")
    waiting = await host.start("waits", labels={"team": "a"})

    assert [run.id for run in await host.list_runs('labels.team == "a"')] == [waiting.id]
    assert await host.count_runs('workflow == "echo" && state == "SUCCEEDED"') == 1
    with pytest.raises(HostdError) as caught:
        await host.list_runs("nonsense ==")
    assert caught.value.reason == "INVALID_FILTER"
    watch = host.watch_runs('workflow == "waits"')
    assert (await anext(watch)).run.id == waiting.id
    await waiting.terminate()
    async for change in watch:
        if change.run.final:
            assert (change.kind, change.run.state) == ("MODIFIED", "CANCELED")
            break
    await watch.aclose()


async def test_signals_reach_runs_once(host: Host) -> None:
    """The same request id changes nothing; a run of a key is started where none is open."""
    await host.register(WAIT)
    run = await host.signal_with_start("waits", "k", "GO", {"n": 1}, request_id="s-1")
    assert run.existing is False
    assert await run.signal("GO", {"n": 2}, request_id="s-2") is True
    assert await run.signal("GO", {"n": 2}, request_id="s-2") is False
    with pytest.raises(HostdError) as caught:
        await run.signal("STOP")
    assert caught.value.reason == "SIGNAL_UNKNOWN"


async def test_events_start_runs_and_are_subscribed_to(host: Host) -> None:
    """Triggers are alive in an embedded host."""
    wf = Workflow("greet")
    wf.trigger("paid", event.subscribe(topics=["orders.*"]), input={"order": wf.event.data.order})
    wf.step("log", log.write(message=wf.input.order))
    await host.register(wf)

    published = await host.publish("orders.new", {"order": "o-1"}, id="e-1")
    again = await host.publish("orders.new", {"order": "o-1"}, id="e-1")
    async for seen in host.subscribe("orders.*", after=0):
        assert (seen.position, seen.envelope["data"]) == (published.position, {"order": "o-1"})
        break
    async for change in host.watch_runs('trigger == "paid"'):
        if change.run.final:
            break

    assert again.position == published.position
    fired = await host.fire("greet", "paid", {"order": "o-2"})
    assert (fired.outcome, len(fired.run_ids)) == ("STARTED", 1)
    assert (await host.wait(fired.run_ids[0])).input == {"order": "o-2"}


async def test_steps_wait_for_a_function_that_the_host_does_not_have_yet(tmp_path: Path) -> None:
    """After it was opened again without it, the run says what it waits for, and goes on once it is there."""

    @action("shop.price")
    async def price(ctx: ActionContext, sku: str) -> str:
        return f"{sku}: 7"

    wf = Workflow("order")
    hold = wf.step("hold", flow.wait(duration="1ms"))
    wf.output(wf.step("price", price.step(sku="a-1"), needs=hold).output)
    async with Host.open(tmp_path / "data", actions=[price]) as host:
        await host.register(wf)
    async with Host.open(tmp_path / "data") as host:
        run = await host.start("order")
        async for change in host.watch(run):
            if change.kind == "STEP_READY":
                break
        with pytest.raises(HostdError, match=r"it waits for shop\.price, which this host does not have") as caught:
            await run.result(timeout=0)
        assert caught.value.reason == "WAIT_EXPIRED"
        assert (await run.info()).waits_for == ("shop.price",)
        host.use(price)
        assert await run.result() == "a-1: 7"


async def test_a_function_that_is_brought_again_takes_the_place_of_the_former(host: Host) -> None:
    """As when a notebook's cell is run again; an id of a plugin is not taken over."""

    def version(number: int) -> Any:
        @action("shop.version")
        def shop_version() -> int:
            return number

        return shop_version

    wf = Workflow("ask")
    wf.output(wf.step("it", use("shop.version")).output)
    host.use(version(1))
    assert await host.execute(wf) == 1
    host.use(version(2))
    assert await host.execute(wf) == 2

    @action("log.write")
    def mine() -> None: ...

    with pytest.raises(HostdError, match="log.write is provided by plugin log"):
        host.use(mine)
    with pytest.raises(HostdError, match="is no action"):
        host.use(len)  # type: ignore[type-var]


async def test_a_folder_is_open_once(tmp_path: Path) -> None:
    """The second host on it says that this process has it; closed, it can be opened again."""
    async with Host.open(tmp_path):
        with pytest.raises(HostdError, match="this process has a host open on") as caught:
            await Host.open(tmp_path)
        assert caught.value.reason == "JOURNAL_LOCKED"
    host = await Host.open(tmp_path)
    await host.close()
    await host.close()


async def test_hosts_in_memory_are_strangers(host: Host) -> None:
    """Several live in one process, each with workflows of its own."""
    async with Host.open() as other:
        await other.register(ECHO)
        with pytest.raises(HostdError) as caught:
            await host.start("echo")
        assert caught.value.reason == "WORKFLOW_MISSING"
        assert await other.execute("echo") == "nothing"


async def test_a_host_that_is_closed_or_of_another_loop_says_so(host: Host) -> None:
    """By name, not by what breaks inside."""
    closed = await Host.open()
    await closed.close()
    with pytest.raises(HostdError, match="the host is not open"):
        await closed.list_runs()
    with pytest.raises(HostdError, match="belongs to another event loop"):
        await asyncio.to_thread(asyncio.run, host.list_runs())


async def test_who_waits_hears_that_the_host_closes(tmp_path: Path) -> None:
    """The wait ends with DRAINING; the run goes on when the folder is opened again."""
    async with Host.open(tmp_path) as host:
        await host.register(WAIT)
        run = await host.start("waits")
        waiting = asyncio.ensure_future(run.wait())
        await asyncio.sleep(0)
        await host.close()
        with pytest.raises(HostdError) as caught:
            await waiting
        assert caught.value.reason == "DRAINING"
    async with Host.open(tmp_path) as host:
        while (await host.get(run.id)).state != "WAITING":
            await asyncio.sleep(0.01)


async def test_settings_come_from_the_call_and_the_folder_not_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the call says wins; a mistake is CONFIG_INVALID with its key."""
    (tmp_path / "hostd.yaml").write_text("limits: {threads: 3, inline: 5}\nlisten: 127.0.0.1:1\n")
    monkeypatch.setenv("HOSTD_LIMITS_THREADS", "9")
    config = {"limits": {"inline": 7}, "plugins": {"settings": {"mock": {"harmful": True}}}}
    async with Host.open(tmp_path, config=config) as host:
        limits = host.core.config.limits
        assert (limits.threads, limits.inline, host.core.config.listen, host.address) == (3, 7, "off", "")
    with pytest.raises(HostdError) as caught:
        await Host.open(config={"limits": {"threds": 3}})
    assert (caught.value.reason, caught.value.violations[0].path) == ("CONFIG_INVALID", "limits.threds")


async def test_the_process_is_left_as_it_was(tmp_path: Path) -> None:
    """Signals, logging, hooks, the collector and warnings are the program's; no thread of ours stays behind."""

    def process() -> dict[str, Any]:
        return {
            "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
            "handlers": (logging.getLogger().handlers[:], logging.getLogger("hostd").handlers[:]),
            "levels": (logging.getLogger().level, logging.getLogger("hostd").level),
            "hooks": (sys.excepthook, threading.excepthook, sys.unraisablehook, sys.breakpointhook, sys.displayhook),
            "frozen": (gc.get_freeze_count(), gc.get_threshold(), gc.isenabled()),
            "loop": (asyncio.get_running_loop().get_exception_handler(), asyncio.get_running_loop().get_debug()),
            "factory": asyncio.get_running_loop().get_task_factory(),
        }

    before, threads = process(), set(threading.enumerate())
    async with Host.open(tmp_path) as host:
        await host.register(ECHO)
        assert await host.execute("echo") == "nothing"
        assert process() == before
        assert "hostd-loop-watch" not in {thread.name for thread in threading.enumerate()}
    assert process() == before
    ours = [thread for thread in set(threading.enumerate()) - threads if thread.name.startswith("hostd")]
    for thread in ours:
        await asyncio.to_thread(thread.join, 30)
    assert not any(thread.is_alive() for thread in ours)


async def test_nothing_stays_behind_when_a_host_cannot_be_opened(tmp_path: Path) -> None:
    """A file where the folder should be: a clear error, and the next try has its way."""
    place = tmp_path / "data"
    place.write_text("")
    with pytest.raises(HostdError, match="cannot be used"):
        await Host.open(place)
    place.unlink()
    async with Host.open(place) as host:
        assert await host.workflows() == []


async def test_functions_that_cannot_be_used_keep_the_host_from_opening() -> None:
    """An id that a plugin has, or settings that deny them: their steps would wait for ever."""

    @action("log.write")
    async def mine() -> None: ...

    with pytest.raises(HostdError, match="the program's actions cannot be used: the action log.write") as taken:
        await Host.open(actions=[mine])
    with pytest.raises(HostdError, match="safe_mode") as denied:
        await Host.open(actions=[action("shop.price")(mine.__wrapped__)], config={"plugins": {"safe_mode": True}})
    with pytest.raises(HostdError, match="is no action"):
        Host.open(actions=[print])  # type: ignore[list-item]

    assert (taken.value.reason, denied.value.reason) == ("PLUGIN_FAILED", "PLUGIN_DENIED")


class Tomorrow(SystemClock):
    """The machine's clock, a day ahead."""

    def wall_ms(self) -> int:
        """Return milliseconds since 1970."""
        return super().wall_ms() + 86_400_000


async def test_time_is_that_of_a_clock_that_is_handed_in() -> None:
    """Runs, waits and functions live by it."""

    @action("shop.now")
    async def now(ctx: ActionContext) -> str:
        return ctx.clock.now().isoformat()

    wf = Workflow("when")
    wf.output(wf.step("now", now.step()).output)
    async with Host.open(actions=[now], clock=Tomorrow()) as host:
        run = await host.start(wf)
        ended = await run.wait()

    ahead = datetime.now(UTC) + timedelta(hours=23)
    assert ended.created_at is not None
    assert ended.created_at > ahead
    assert datetime.fromisoformat(str(ended.output)) > ahead


async def test_a_run_that_waits_for_a_function_is_still_steered(host: Host) -> None:
    """It can be cancelled, its deadlines pass, and its other branches go on."""

    patient, hasty = Workflow("patient", version="1.0.0"), Workflow("hasty", version="1.0.0")
    patient.step("waits", use("shop.gone"))
    patient.step("beside", flow.pass_(output=1))
    hasty.step("waits", use("shop.gone"), deadline="20ms")
    for wf in (patient, hasty):
        host.core.workflows.plans.add("default", wf.plan())  # as if registered when the function was there
    run, late = await host.start("patient"), await host.start("hasty")

    with pytest.raises(RunFailed, match="DEADLINE_PASSED"):
        await late.result()
    async for change in run.watch():
        if change.step == "beside" and change.kind == "STEP_ENDED":
            break
    assert (await run.info()).waits_for == ("shop.gone",)
    await run.cancel()
    assert (await run.wait()).state == "CANCELED"


async def test_an_action_may_change_what_it_was_given(host: Host) -> None:
    """Options are each attempt's own: the next run sees them as they were written, the next step the run's input."""

    @host.use
    @action("shop.mark")
    async def mark(order: dict[str, Any], tags: list[str], note: Any = None) -> dict[str, Any]:
        order["seen"] = order.get("seen", 0) + 1
        tags.append("seen")
        note["in"]["deep"] = note["in"].get("deep", 0) + 1
        return {"order": order, "tags": tags, "note": note}

    wf = Workflow("twice")
    wf.output(wf.step("it", mark.step(order={"n": 1}, tags=["a"], note={"in": {}})).output)
    once = {"order": {"n": 1, "seen": 1}, "tags": ["a", "seen"], "note": {"in": {"deep": 1}}}
    assert [await host.execute(wf), await host.execute(wf)] == [once, once]
    step = '{uses: shop.mark, with: {order: {n: 1}, tags: [a], note: "${{ input.note }}"}}'
    output = '{a: "${{ steps.a.output }}", b: "${{ steps.b.output }}"}'
    await host.register(f"workflow: given\nsteps:\n  a: {step}\n  b: {step}\noutput: {output}\n")
    for _ in range(2):
        assert await host.execute("given", {"note": {"in": {}}}) == {"a": once, "b": once}


async def test_an_option_may_hold_what_cannot_be_copied(host: Host) -> None:
    """Whatever a validator makes of a literal: a lock, a connection; each attempt has one of its own."""
    made: list[object] = []

    class Held(Options):
        name: Any

        @field_validator("name")
        @classmethod
        def _opened(cls, value: Any) -> Any:
            made.append(threading.Lock())
            return made[-1]

    class Hold(Action[Held]):
        """Holds it."""

        id = "shop.hold"

        async def run(self, ctx: ActionContext, options: Held) -> bool:
            with options.name:
                return options.name is made[-1]

    host.use(Hold)
    step = "{uses: shop.hold, with: {name: x}}"
    await host.register(f"workflow: held\nsteps:\n  it: {step}\noutput: ${{{{ steps.it.output }}}}\n")
    assert [await host.execute("held"), await host.execute("held")] == [True, True]
    assert len(set(map(id, made))) == len(made)


async def test_secrets_come_from_a_provider_of_the_program(host: Host) -> None:
    """A class of SecretsProvider, handed in beside functions; the environment is asked first."""

    class Vault(SecretsProvider):
        id = "shop.vault"

        async def get(self, name: str, *, namespace: str = "default") -> str | None:
            return "not-a-real-one" if name == "bank_token" else None

    @action("shop.length")
    async def length(token: str) -> int:
        return len(token)

    wf = Workflow("secret")
    wf.output(wf.step("it", length.step(token=wf.secrets.bank_token)).output)
    async with Host.open(actions=[length, Vault]) as with_vault:
        assert await with_vault.execute(wf) == 14
    host.use(length)
    with pytest.raises(RunFailed, match="SECRET_MISSING"):
        await host.execute(wf)


async def test_a_host_warns_of_triggers_that_do_not_run(host: Host) -> None:
    """Whatever lets them begin does: here, another has the path."""
    hook = {"uses": "http.webhook", "with": {"path": "taken"}}
    steps = {"a": {"uses": "flow.pass"}}
    await host.register({"workflow": "first", "triggers": {"door": hook}, "steps": steps})
    registered = await host.register({"workflow": "second", "triggers": {"door": hook}, "steps": steps})
    assert "PATH_TAKEN" in registered.warnings[0]
    activated = await host.activate("second", registered.version)
    resumed = await host.resume_trigger("second", "door")
    applied = await host.apply_trigger({"trigger": "door", "target": "first@active", **hook})
    assert activated.warnings == resumed.warnings == applied.warnings == registered.warnings


async def test_triggers_are_made_paused_and_fired(host: Host) -> None:
    """Those of a workflow and those of their own; what is neither a run nor a workflow is told."""
    wf = Workflow("noted")
    wf.trigger("hourly", use("cron.every", period="1h"))
    wf.output(wf.step("it", flow.pass_(output=wf.input)).output)
    await host.register(wf)
    own = {
        "trigger": "own",
        "target": "noted@active",
        "uses": "cron.every",
        "with": {"period": "2h"},
        "input": {"a": 1},
    }
    assert (await host.apply_trigger(own)).target == "noted@active"
    with pytest.raises(HostdError, match="TRIGGER_EXISTS"):
        await host.apply_trigger({**own, "input": {"a": 2}}, replace=False)
    assert [(view.workflow, view.name) for view in await host.triggers()] == [("", "own"), ("noted", "hourly")]
    assert (await host.pause_trigger("noted", "hourly", "for now")).state == "PAUSED"
    assert (await host.resume_trigger("noted", "hourly")).state in ("STARTING", "ACTIVE")
    (run_id,) = (await host.fire("", "own")).run_ids
    assert await host.result(run_id) == {"a": 1}
    listed = await host.get(run_id)
    assert (await host.get(listed)).id == run_id, "what a list gives names its run"
    await host.delete_trigger("own")
    with pytest.raises(HostdError, match="TRIGGER_MISSING"):
        await host.fire("", "own")
    for odd in (("noted",), 5, None):
        with pytest.raises(HostdError, match="is no run id"):
            await host.get(odd)  # type: ignore[arg-type]
    with pytest.raises(HostdError, match="neither a name nor a builder"):
        await host.start(5)  # type: ignore[arg-type]
