"""Requests that nobody would send: each is answered or refused with a reason, and none is a mistake of ours."""

import random
from pathlib import Path
from typing import Any

import grpc
import pytest
from daemon_kit import ECHO, WAIT, Kit, running, taken_apart
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from hostd.errors.reasons import REASONS
from hostd.v1 import (
    admin_service_pb2,
    dead_letter_service_pb2,
    event_service_pb2,
    plugin_service_pb2,
    run_service_pb2,
    script_service_pb2,
    secret_service_pb2,
    trigger_service_pb2,
    workflow_service_pb2,
)

FILES = (
    dead_letter_service_pb2,
    event_service_pb2,
    plugin_service_pb2,
    run_service_pb2,
    script_service_pb2,
    secret_service_pb2,
    trigger_service_pb2,
    workflow_service_pb2,
)
METHODS: list[MethodDescriptor] = [
    method for file in FILES for service in file.DESCRIPTOR.services_by_name.values() for method in service.methods
] + [admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"].methods_by_name["GetSystemInfo"]]

TEXTS = (
    "", "default", "echo", "wait", "1.0.0", "0.0.1", "k", "\0", "\n", "\u20ac" * 90, "x" * 300, "../../etc", "%s",
    "'; --",
    'state == "FAILED"', "create_time", "create_time desc", "http.request", "mock.echo", "action", "0" * 26, "v" * 26,
    "a" * 64, "return 1", "1 + 1", "input.x", "${{ 1 }}", ECHO, "{", "- a\n- b", "\ufeff", "\U0001f600", "{}", "AAAA",
)  # fmt: skip
NUMBERS = (0, 1, 2, 99, 1_000, 2**31 - 1, 2**31, 2**32 - 1)
BYTES = (b"", b"{}", b"null", b'{"a": 1e999}', b"[" * 100, b"\xff", b'"\\ud800"', b'{"a":1,"a":2}', b"1" * 40)
DOUBLES = (0.0, 1.5, float("nan"), float("inf"), -1e300)
SCALARS: dict[int, tuple[Any, ...]] = {
    FieldDescriptor.TYPE_STRING: TEXTS,
    FieldDescriptor.TYPE_BYTES: BYTES,
    FieldDescriptor.TYPE_BOOL: (True, False),
    FieldDescriptor.TYPE_ENUM: (0, 1, 2, 3, 4, 99, -1),
    FieldDescriptor.TYPE_UINT32: NUMBERS,
    FieldDescriptor.TYPE_UINT64: (*NUMBERS, 2**63, 2**64 - 1),
    FieldDescriptor.TYPE_INT32: (0, 1, -1, 2**31 - 1, -(2**31)),
    FieldDescriptor.TYPE_INT64: (0, 1, -1, 1_700_000_000, 2**63 - 1, -(2**63)),
    FieldDescriptor.TYPE_DOUBLE: DOUBLES,
}


TIMED = "workflow: timed\ntriggers:\n  now: {uses: cron.every, with: {period: 1h}}\nsteps:\n  a: {uses: flow.pass}\n"
OWN = "trigger: own\ntarget: echo@active\nuses: cron.every\nwith: {period: 1h}\n"
# A blob's digest, a dead letter, a window that is no wider than its trigger takes, a signal that its workflow takes and
# a plugin from a folder are not hit by chance.
RARELY_ANSWERED = {"ReadBlob", "GetDeadLetter", "BackfillTrigger", "SignalRun", "SignalWithStart", "ReloadPlugin"}
# What a sensible client would send, by field; three of four fields are this, so that requests get past the door.
LIKELY: dict[str, tuple[Any, ...]] = {
    "namespace": ("",),
    "workflow": ("echo", "wait", "timed"),
    "version": ("", "0.0.1"),
    "expected_active": ("0.0.1", ""),
    "key": ("", "k1", "k2"),
    "request_id": ("", "r1", "r2"),
    "filter": (
        "",
        'state == "SUCCEEDED"',
        'labels.a == "1" || key.startsWith("k")',
        'end_time > "2020-01-01T00:00:00Z"',
    ),
    "order_by": ("", "create_time"),
    "page_size": (0, 1, 2),
    "page_token": ("",),
    "resume_token": ("",),
    "document": (ECHO, WAIT, TIMED, "workflow: other\nsteps:\n  a: {uses: flow.pass}\n", "workflow: x", OWN),
    "file": ("a.yaml",),
    "name": ("now", "now", "now", "own"),
    "event_id": ("", "e1"),
    "topic": ("orders.new", "bills"),
    "topics": ("orders.*", "*", "bills"),
    "id": ("http.request", "mock", "cron.every"),
    "kind": ("", "action"),
    "source": ("return 1", "return input", "error('x')", "return ("),
    "expression": ("1 + 1", "input.a", "${{ input }}"),
    "data": (b"{}", b'{"input": {"a": 1}}', b"1"),
    "content_type": ("", "application/json"),
    "step": ("", "say"),
    "attempt": (0, 1),
    "on_open": (0, 1, 2, 3),
    "on_closed": (0, 1, 2, 3),
    "uses": ("", "", "", "", "", "cron.every"),
    "count": (0, 1, 5),
    "limit": (0, 1),
    "after": (0, 1),
    "numbers": (1, 2),
    "number": (1, 2),
    "per_second": (0, 10_000),
    "dry_run": (True,),
    "seconds": (1_700_000_000, 0),
    "nanos": (0,),
}


def value_for(field: FieldDescriptor, dice: random.Random, likely: dict[str, tuple[Any, ...]]) -> Any:
    """Return something for a field that is no message."""
    if field.name in likely and dice.random() < 0.9:
        return dice.choice(likely[field.name])
    return dice.choice(SCALARS[field.type])


def fill(message: Any, dice: random.Random, likely: dict[str, tuple[Any, ...]], depth: int = 0) -> None:
    """Set some fields of a message, most of them to what makes sense."""
    for field in message.DESCRIPTOR.fields:
        if (
            dice.random() < (0.2 if field.name in likely or field.name in ("run", "start", "starts") else 0.6)
            or depth > 4
        ):
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            fill_map(getattr(message, field.name), field.message_type.fields_by_name["value"], dice, likely, depth)
        elif field.is_repeated:
            added = getattr(message, field.name)
            for _ in range(dice.choice((1, 3))):
                if field.message_type is not None:
                    fill(added.add(), dice, likely, depth + 1)
                else:
                    added.append(value_for(field, dice, likely))
        elif field.message_type is not None:
            getattr(message, field.name).SetInParent()
            fill(getattr(message, field.name), dice, likely, depth + 1)
        else:
            setattr(message, field.name, value_for(field, dice, likely))


def fill_map(
    target: Any, field: FieldDescriptor, dice: random.Random, likely: dict[str, tuple[Any, ...]], depth: int
) -> None:
    """Add some entries to a map."""
    for number in range(dice.choice((0, 0, 0, 1, 2, 40))):
        name = dice.choice((f"a{number}", dice.choice(TEXTS)))
        if field.message_type is not None:
            fill(target[name], dice, likely, depth + 1)
        else:
            target[name] = value_for(field, dice, likely)


def narrow(request: Any, dice: random.Random) -> None:
    """Name a run in one of the two ways, as clients do, most of the time."""
    ref = getattr(request, "run", None)
    if ref is not None and dice.random() < 0.8:
        if ref.run_id:
            ref.workflow = ref.key = ""
        else:
            ref.workflow, ref.key = dice.choice((("echo", "k1"), ("wait", "k2")))


async def answer(kit: Kit, method: MethodDescriptor, request: Message) -> str:
    """Send a request and return why it was refused, empty when it was answered. A stream is looked at for a moment."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    data = request.SerializeToString()
    try:
        if not method.server_streaming:
            await kit.channel.unary_unary(path)(data, timeout=1.0)
            return ""
        call = kit.channel.unary_stream(path)(data)
        await call.read()
        call.cancel()
    except grpc.aio.AioRpcError as error:
        refusal = taken_apart(error)
        assert refusal.reason in REASONS, (method.name, refusal, request)
        assert refusal.code not in ("INTERNAL", "UNKNOWN"), (method.name, refusal, request)
        return refusal.reason
    return ""


async def runs_to_name(kit: Kit) -> tuple[str, ...]:
    """Return ids of a live run (the one that is there), a finished one and none."""
    live = await kit.start("wait", key="k2", on_open=2)
    ended = await kit.execute("echo", b"{}", key="k1", on_open=3)
    return live.run_id, ended.run_id, "0" * 26


@pytest.mark.parametrize("seed", range(3))
async def test_no_request_is_a_mistake_of_ours(tmp_path: Path, seed: int) -> None:
    """Odd fields in odd combinations: each refusal has a reason of the table, none is INTERNAL, and much is let in."""
    dice = random.Random(seed)
    reached: dict[str, set[str]] = {method.name: set() for method in METHODS}
    async with running(tmp_path / "d", lua={"workers": 1, "spare": 0}) as kit:
        for number in range(60 * len(METHODS)):
            method = METHODS[number % len(METHODS)]
            if number % (2 * len(METHODS)) == 0:  # what earlier requests deleted comes back
                for document in (ECHO, WAIT, TIMED):
                    await kit.register(document)
                likely = {**LIKELY, "run_id": await runs_to_name(kit)}
            request = GetMessageClass(method.input_type)()
            fill(request, dice, likely)
            narrow(request, dice)
            reached[method.name].add(await answer(kit, method, request))
    assert {name for name, reasons in reached.items() if "" not in reasons} <= RARELY_ANSWERED
    assert sum(len(reasons) for reasons in reached.values()) > 3 * len(METHODS)
