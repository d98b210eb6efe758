"""What is sent again, when, and what never is."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
import pytest
from scripted_server import Scripted, ScriptedServer

import hostd.v1 as wire
from hostd.api.status import DETAILS_KEY, status_of
from hostd.client import NO_RETRY, BlockingClient, Client, Door, Retry, errors
from hostd.client.reconnect import is_repeatable
from hostd.errors.base import HostdError, Kind
from hostd.v1.run_service_pb2 import (
    ExecuteRunRequest,
    StartRunRequest,
    StartRunResponse,
    StartRunsRequest,
    StartSpec,
)

QUICK = Retry(first_wait_s=0.001, longest_wait_s=0.002)
# Changes something, and carries no id by which the daemon could know it again.
NEVER_TWICE = {
    "BackupJournalRequest", "CompactJournalRequest", "InstallPluginRequest",
    "ReloadConfigRequest", "ReloadPluginRequest", "RollbackPluginRequest",
    "RotateSecretsKeyRequest", "RotateTokenRequest",
}  # fmt: skip


def refuses(kind: Kind, reason: str, retry_after_s: float | None = None) -> Callable[[Any, Any], Any]:
    """Return a script that answers with an error of the daemon's own."""

    def script(_: Any, context: grpc.ServicerContext) -> Any:
        status = status_of(HostdError(kind, reason, "a sentence", retry_after_s=retry_after_s))
        context.set_trailing_metadata(((DETAILS_KEY, status.SerializeToString()),))
        context.abort(grpc.StatusCode(tuple(_code(status.code))), status.message)

    return script


def _code(number: int) -> Any:
    return next(code.value for code in grpc.StatusCode if code.value[0] == number)


def accepts(request: StartRunRequest, _: Any) -> StartRunResponse:
    """Answer with a run."""
    return StartRunResponse(run_id="r")


def requests() -> list[Any]:
    """Return the request class of every rpc."""
    names = [file.stem for file in Path(wire.__path__[0]).glob("*_service_pb2.py")]
    services = [
        service for name in names for service in import_module(f"hostd.v1.{name}").DESCRIPTOR.services_by_name.values()
    ]
    return [method.input_type._concrete_class for service in services for method in service.methods]


@pytest.mark.parametrize("made", requests(), ids=lambda each: each.DESCRIPTOR.name)
def test_a_request_is_sent_twice_only_where_that_is_safe(made: Any) -> None:
    """Reads may be sent twice; writes with their id only; what has none never."""
    name, fields = made.DESCRIPTOR.name, made.DESCRIPTOR.fields_by_name
    named = {field: "id" for field in ("request_id", "event_id") if field in fields}

    if name == "StartRunsRequest":
        assert not is_repeatable(made(starts=[StartSpec(request_id="a"), StartSpec()]))
        assert is_repeatable(made(starts=[StartSpec(request_id="a"), StartSpec(request_id="b")]))
    elif "start" in fields:
        assert is_repeatable(made(start=StartSpec(request_id="a")))
        assert not is_repeatable(made(start=StartSpec()))
    elif name in NEVER_TWICE:
        assert not is_repeatable(made())
    elif named and not name.startswith("Test"):  # TestTrigger names an event and starts nothing
        assert not is_repeatable(made())
        assert is_repeatable(made(**named))
    elif name.startswith(("Get", "List", "Watch")):
        assert is_repeatable(made())


async def test_a_start_is_sent_again_under_one_id() -> None:
    """UNAVAILABLE and whatever names a time are tried again, by both clients, with the request id of the first try."""
    scripts = [refuses(Kind.UNAVAILABLE, "DRAINING"), refuses(Kind.EXHAUSTED, "INTAKE_FULL", 0.002), accepts]
    servicer = Scripted(starts=[*scripts, *scripts])
    with ScriptedServer(servicer) as server:
        with BlockingClient(Door(server.address)) as blocking:
            assert blocking.with_options(retry=QUICK).start("w").run_id == "r"
        async with Client(Door(server.address)) as client:
            assert (await client.with_options(retry=QUICK).start("w", request_id="mine")).run_id == "r"

    ids = [request.start.request_id for request in servicer.requests]
    assert len(set(ids[:3])) == 1
    assert ids[0]
    assert ids[3:] == ["mine"] * 3


@pytest.mark.parametrize(
    "script,error",
    [
        (refuses(Kind.EXISTS, "RUN_OPEN"), errors.RunOpen),
        (refuses(Kind.EXHAUSTED, "PAYLOAD_TOO_LARGE"), errors.PayloadTooLarge),
        (refuses(Kind.BUG, "BUG"), errors.Bug),
    ],
)
def test_an_answer_is_an_answer(script: Any, error: type[Exception]) -> None:
    """What trying again cannot help is raised at once."""
    servicer = Scripted(starts=[script])
    with ScriptedServer(servicer) as server, BlockingClient(Door(server.address)) as client, pytest.raises(error):
        client.start("w")
    assert len(servicer.requests) == 1


def test_what_has_no_id_is_sent_once() -> None:
    """A raw call without a request id is not sent twice, whatever the policy says; one without a policy neither."""
    draining = refuses(Kind.UNAVAILABLE, "DRAINING")
    servicer = Scripted(starts=[draining] * 3)
    with ScriptedServer(servicer) as server, BlockingClient(Door(server.address)) as client:
        with pytest.raises(errors.Draining):
            client.call(client.runs.StartRun, StartRunRequest(start=StartSpec()), retry=QUICK)
        with pytest.raises(errors.Draining):
            client.call(client.runs.StartRun, StartRunRequest(start=StartSpec(request_id="a")))
        with pytest.raises(errors.Draining):
            client.with_options(retry=NO_RETRY).start("w")
    assert len(servicer.requests) == 3


def test_tries_end_with_the_deadline_and_with_the_policy() -> None:
    """A wait that would end behind the deadline is not begun; nor does the policy go on for ever."""
    busy = refuses(Kind.EXHAUSTED, "INTAKE_FULL", 3600.0)
    servicer = Scripted(starts=[busy] * 2)
    with ScriptedServer(servicer) as server, BlockingClient(Door(server.address)) as client:
        with pytest.raises(errors.IntakeFull) as caught:
            client.start("w")
        with pytest.raises(errors.IntakeFull):
            client.with_options(retry=Retry(give_up_s=0.0), timeout_s=math.inf).start("w")
    assert caught.value.retry_after == 3600.0
    assert len(servicer.requests) == 2


async def test_a_wrong_address_is_told_at_once() -> None:
    """Who never answered is not waited for, unless the policy says so; then within the deadline."""
    with ScriptedServer(Scripted()) as server:
        door = Door(server.address)
    async with Client(door) as client:
        with pytest.raises(errors.Unreachable):
            await client.with_options(timeout_s=math.inf).start("w")
        with pytest.raises(errors.Unreachable):
            await client.with_options(timeout_s=0.2, retry=QUICK._replace(unseen=True)).start("w")


def test_bytes_and_other_messages_are_not_sent_twice() -> None:
    """The health check has no message at all."""
    assert not is_repeatable(b"")
    assert not is_repeatable(ExecuteRunRequest())
    assert is_repeatable(StartRunsRequest())
