"""Requests of every rpc, filled at random: with what nobody would send, or mostly with what makes sense."""

from __future__ import annotations

import random
from typing import Any

import grpc
from daemon_kit import ECHO, WAIT, Kit, taken_apart
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
METHODS: list[MethodDescriptor] = [
    method
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
    if method.name != "BackupJournal"  # writes files where it is told to
]
CALL_S = 1.0
OURS = ("INTERNAL", "UNKNOWN", "DATA_LOSS", "UNIMPLEMENTED")
"""What no request may be answered with: the mistake would be ours."""

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
Likely = dict[str, tuple[Any, ...]]


def made(method: MethodDescriptor, dice: random.Random, likely: Likely | None = None) -> Message:
    """Return a request.

    Args:
        likely: by field, what a sensible client would send, which is then sent most of the time.
    """
    request: Message = GetMessageClass(method.input_type)()
    _fill(request, dice, likely or {}, 0)
    if likely:
        _name_a_run(request, dice)
    return request


async def answer(kit: Kit, method: MethodDescriptor, request: Message) -> str:
    """Send a request and return why it was refused, empty when it was answered. A stream is looked at for a moment."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    data = request.SerializeToString()
    try:
        if not method.server_streaming:
            await kit.channel.unary_unary(path)(data, timeout=CALL_S)
            return ""
        call = kit.channel.unary_stream(path)(data, timeout=CALL_S)
        await call.read()
        call.cancel()
    except grpc.aio.AioRpcError as error:
        if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:  # it waits for something, or a stream has nothing to say
            return "DEADLINE_EXCEEDED"
        refusal = taken_apart(error)
        assert refusal.code not in OURS, (method.name, refusal, request)
        assert refusal.reason in REASONS, (method.name, refusal, request)
        assert refusal.domain == "hostd"
        return refusal.reason
    return ""


def _value(field: FieldDescriptor, dice: random.Random, likely: Likely) -> Any:
    if field.name in likely and dice.random() < 0.9:
        return dice.choice(likely[field.name])
    if dice.random() < 0.1 and field.type == FieldDescriptor.TYPE_STRING:
        return "".join(
            chr(dice.choice((dice.randrange(0xD800), dice.randrange(128)))) for _ in range(dice.randrange(40))
        )
    if dice.random() < 0.1 and field.type == FieldDescriptor.TYPE_BYTES:
        return bytes(dice.randrange(256) for _ in range(dice.randrange(40)))
    return dice.choice(SCALARS[field.type])


def _left_out(field: FieldDescriptor, dice: random.Random, likely: Likely) -> bool:
    if not likely:
        return dice.random() < 0.3
    return dice.random() < (0.2 if field.name in likely or field.name in ("run", "start", "starts") else 0.6)


def _fill(message: Any, dice: random.Random, likely: Likely, depth: int) -> None:
    for field in message.DESCRIPTOR.fields:
        if depth > 4 or _left_out(field, dice, likely):
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value = field.message_type.fields_by_name["value"]
            _fill_map(getattr(message, field.name), value, dice, likely=likely, depth=depth)
        elif field.is_repeated:
            for _ in range(dice.choice((1, 3))):
                _add(getattr(message, field.name), field, dice, likely=likely, depth=depth)
        elif field.message_type is not None:
            getattr(message, field.name).SetInParent()
            _fill(getattr(message, field.name), dice, likely, depth + 1)
        else:
            setattr(message, field.name, _value(field, dice, likely))


def _add(items: Any, field: FieldDescriptor, dice: random.Random, *, likely: Likely, depth: int) -> None:
    if field.message_type is not None:
        _fill(items.add(), dice, likely, depth + 1)
    else:
        items.append(_value(field, dice, likely))


def _fill_map(entries: Any, field: FieldDescriptor, dice: random.Random, *, likely: Likely, depth: int) -> None:
    for number in range(dice.choice((0, 0, 0, 1, 2, 40))):
        name = dice.choice((f"a{number}", dice.choice(TEXTS)))
        if field.message_type is not None:
            _fill(entries[name], dice, likely, depth + 1)
        else:
            entries[name] = _value(field, dice, likely)


def _name_a_run(request: Any, dice: random.Random) -> None:
    """Name a run in one of the two ways, as clients do, most of the time."""
    ref = getattr(request, "run", None)
    if ref is not None and dice.random() < 0.8:
        if ref.run_id:
            ref.workflow = ref.key = ""
        else:
            ref.workflow, ref.key = dice.choice((("echo", "k1"), ("wait", "k2")))
