"""The client with asyncio: everything the daemon does, a method each."""

from __future__ import annotations

from hostd.client.aio.administration import AdministrationCalls
from hostd.client.aio.operations import OperationCalls
from hostd.client.aio.plugins import PluginCalls
from hostd.client.aio.run_watching import RunWatchCalls
from hostd.client.aio.runs import RunCalls
from hostd.client.aio.topics import TopicCalls
from hostd.client.aio.triggers import TriggerCalls
from hostd.client.aio.workflows import WorkflowCalls


class Client(
    RunCalls, RunWatchCalls, WorkflowCalls, TriggerCalls, TopicCalls, PluginCalls, OperationCalls, AdministrationCalls
):
    """A daemon in hand, with asyncio: `connect()` makes one. Close it, or `async with`.

        async with connect() as client:
            run = await client.start("greet", {"name": "bo"})
            print(await run.result())

    Calls that may be sent twice are sent again when the daemon is away or asks for it, within their deadline (30 s, see
    `with_options`): reads, and writes, which all carry a request id. Watches go on across restarts. Errors are of the
    classes in `hostd.client.errors`. The stubs of `hostd.v1` are `client.runs`, `client.workflows`, ... with `call`,
    `stream` and `follow` to send through them. One client belongs to one process: make it after a fork, not before.
    """
