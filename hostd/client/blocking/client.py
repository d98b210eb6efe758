# Written by clients/python/blocking_twin.py from hostd/client/aio; never edited.
"""The client for threads: everything the daemon does, a method each."""

from __future__ import annotations

from hostd.client.blocking.administration import AdministrationCalls
from hostd.client.blocking.operations import OperationCalls
from hostd.client.blocking.plugins import PluginCalls
from hostd.client.blocking.run_watching import RunWatchCalls
from hostd.client.blocking.runs import RunCalls
from hostd.client.blocking.topics import TopicCalls
from hostd.client.blocking.triggers import TriggerCalls
from hostd.client.blocking.workflows import WorkflowCalls


class BlockingClient(
    RunCalls, RunWatchCalls, WorkflowCalls, TriggerCalls, TopicCalls, PluginCalls, OperationCalls, AdministrationCalls
):
    """A daemon in hand, for threads: `connect_blocking()` makes one. Close it, or use it in `with`.

        with connect_blocking() as client:
            run = client.start("greet", {"name": "bo"})
            print(run.result())

    Calls that may be sent twice are sent again when the daemon is away or asks for it, within their deadline (30 s, see
    `with_options`): reads, and writes, which all carry a request id. Watches go on across restarts. Errors are of the
    classes in `hostd.client.errors`. The stubs of `hostd.v1` are `client.runs`, `client.workflows`, ... with `call`,
    `stream` and `follow` to send through them. One client belongs to one process: make it after a fork, not before.
    """
