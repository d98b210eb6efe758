"""A host for code without an event loop."""

from __future__ import annotations

import asyncio
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hostd.embedding import BlockingHost, Host, HostdError, RunFailed, Workflow, action
from hostd.embedding.uses import flow, lua


@action("shop.price")
def price(sku: str) -> str:
    """Return a price."""
    return f"{sku}: 7"


def order() -> Workflow:
    """Return a workflow with a function and a script."""
    wf = Workflow("order")
    priced = wf.step("price", price.step(sku=wf.input.sku))
    loud = wf.step("loud", lua.script(script="return input:upper()", input=priced.output))
    wf.output(loud.output)
    return wf


def test_synchronous_code_runs_workflows(tmp_path: Path) -> None:
    """Start, wait, result, history, watch, list; errors are the same; what was there is there when opened again."""
    with Host.blocking(tmp_path, actions=[price]) as host:
        assert host.execute(order(), {"sku": "a"}) == "A: 7"
        run = host.start("order", {"sku": "b"}, request_id="r")
        assert host.result(run) == "B: 7"
        assert [change.kind for change in host.watch(run)] == [change.kind for change in host.history(run)]
        assert next(host.watch_runs('state == "SUCCEEDED"')).run.workflow == "order"
        published = host.publish("news", {"n": 1})
        assert next(iter(host.subscribe("news", after=0))).position == published.position
        failing = Workflow("fails")
        failing.step("it", flow.fail(message="no"))
        with pytest.raises(RunFailed, match="no"):
            host.execute(failing)
    with Host.blocking(tmp_path) as host:
        assert host.wait(run).output == "B: 7"
        assert len(host.list_runs('workflow == "order"')) == 2
        host.use(price)
        assert host.execute("order", {"sku": "c"}) == "C: 7"


def test_any_thread_may_call() -> None:
    """Calls of many threads go to the one loop."""
    with Host.blocking(actions=[price]) as host, ThreadPoolExecutor(8) as threads:
        host.register(order())
        assert sorted(threads.map(lambda n: str(host.execute("order", {"sku": f"s{n}"})), range(16))) == sorted(
            f"S{n}: 7" for n in range(16)
        )


def test_misuse_is_told(tmp_path: Path) -> None:
    """Closed, opened twice on a folder, or called from its own thread, which would wait for itself."""
    host = Host.blocking(tmp_path)
    with pytest.raises(HostdError, match="the host is not open"):
        host.list_runs()
    with host:
        with pytest.raises(HostdError, match="this process has a host open"), Host.blocking(tmp_path):
            pass

        @host.use
        @action("bad.idea")
        async def idea() -> int:
            return len(host.list_runs())

        wf = Workflow("bad")
        wf.step("it", idea)
        with pytest.raises(RunFailed, match="would wait for itself"):
            host.execute(wf)
    host.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "hostd-host"]


async def test_it_works_inside_a_running_loop_too() -> None:
    """Its loop is its own: code below a web framework's handler, in a thread, uses it."""

    def synchronous() -> object:
        with Host.blocking(actions=[price]) as host:
            return host.execute(order(), {"sku": "x"})

    assert await asyncio.to_thread(synchronous) == "X: 7"


def test_it_has_every_call_of_a_host() -> None:
    """By the same names, taking the same; only `open` is the program's own."""
    for name, call in inspect.getmembers(Host, inspect.isfunction):
        if not name.startswith("_") and name not in ("__init__",):
            own = getattr(BlockingHost, name, None)
            assert own is not None, name
            kept = set(inspect.signature(call).parameters)
            given = inspect.signature(own).parameters
            assert "more" in given or kept <= given.keys(), name


def test_runs_are_steered_and_counted() -> None:
    """What the asynchronous host has."""
    with Host.blocking() as host:
        wf = Workflow("waits", signals={"go": {}})
        wf.step("it", flow.wait(duration="1h"))
        host.register(wf)
        run = host.signal_with_start("waits", "k", "go")
        assert host.pause(run).state == "PAUSED"
        assert host.resume(run).id == run.id
        host.terminate(run)
        assert [view.workflow for view in host.workflows()] == ["waits"]
        assert (host.count_runs(), list(host.logs(run))) == (1, [])
        host.delete(run)
        assert host.count_runs() == 0
