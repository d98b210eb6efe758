"""Requests nobody would send: whatever they hold, the answer is a message or a reason, never a mistake of ours."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from daemon_kit import ECHO, FAIL, WAIT, Kit, running, taken_apart
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostd.errors.reasons import REASONS
from hostd.v1 import (
    admin_service_pb2,
    dead_letter_service_pb2,
    plugin_service_pb2,
    run_service_pb2,
    script_service_pb2,
    trigger_service_pb2,
    workflow_service_pb2,
)

FILES = (
    workflow_service_pb2, run_service_pb2, trigger_service_pb2, dead_letter_service_pb2, plugin_service_pb2,
    script_service_pb2, admin_service_pb2,
)  # fmt: skip
METHODS: list[MethodDescriptor] = [
    method
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
    if method.name != "BackupJournal"  # writes files where it is told to
]
CALL_S = 2.0
OURS = ("INTERNAL", "UNKNOWN", "DATA_LOSS", "UNIMPLEMENTED")

NAMES = ("", "default", "echo", "fail", "wait", "k", "0.0.1", "0" * 26, "f" * 64, "create_time", "say", "http.request")
TEXTS = ('state == "FAILED"', "input.n", "${{ 1 + 1 }}", "return 1", ECHO, "a" * 300, "\x00", "../x")
KNOWN_TEXT = st.sampled_from((*NAMES, *TEXTS))
TEXT = KNOWN_TEXT | st.text(max_size=40)
BYTES = st.sampled_from([b"", b"{}", b'{"n":1}', b"{", b"\xff", b"1e999", b"[" * 500]) | st.binary(max_size=40)
NUMBER = {
    FieldDescriptor.CPPTYPE_UINT32: st.sampled_from([0, 1, 2, 2**32 - 1]) | st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.sampled_from([0, 1, 2**63, 2**64 - 1]),
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(0, 4) | st.just(99),
}


def filled(draw: st.DrawFn, message: Message, depth: int) -> Message:
    """Fill a message with some of its fields."""
    for field in message.DESCRIPTOR.fields:
        if depth > 4 or draw(st.integers(0, 9)) < 3:
            continue
        if field.type == FieldDescriptor.TYPE_MESSAGE and field.message_type.GetOptions().map_entry:
            _fill_map(draw, getattr(message, field.name), field)
        elif field.is_repeated:
            for _ in range(draw(st.integers(0, 3))):
                _add(draw, getattr(message, field.name), field, depth)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            filled(draw, getattr(message, field.name), depth + 1)
            getattr(message, field.name).SetInParent()
        else:
            setattr(message, field.name, draw(_scalar(field)))
    return message


def _fill_map(draw: st.DrawFn, entries: Any, field: FieldDescriptor) -> None:
    value = field.message_type.fields_by_name["value"]
    for _ in range(draw(st.integers(0, 2))):
        name = draw(TEXT)
        if value.type == FieldDescriptor.TYPE_MESSAGE:
            filled(draw, entries[name], 4)
        else:
            entries[name] = draw(_scalar(value))


def _add(draw: st.DrawFn, items: Any, field: FieldDescriptor, depth: int) -> None:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        filled(draw, items.add(), depth + 1)
    else:
        items.append(draw(_scalar(field)))


def _scalar(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return BYTES
    return TEXT if field.type == FieldDescriptor.TYPE_STRING else NUMBER[field.cpp_type]


@st.composite
def requests(draw: st.DrawFn) -> tuple[MethodDescriptor, Message]:
    """Return a method and a request for it."""
    method = draw(st.sampled_from(METHODS))
    return method, filled(draw, message_factory.GetMessageClass(method.input_type)(), 0)


class Host:
    """A host on a loop of its own, for tests that are no coroutines."""

    def __init__(self, data: Path) -> None:
        self.runner = asyncio.Runner()
        self._context = running(data)
        self.kit: Kit = self.runner.run(self._context.__aenter__())
        for document in (ECHO, WAIT, FAIL):
            self.runner.run(self.kit.register(document))

    def close(self) -> None:
        """Stop it."""
        self.runner.run(self._context.__aexit__(None, None, None))
        self.runner.close()

    def call(self, method: MethodDescriptor, request: Message) -> None:
        """Send a request and check the answer."""
        self.runner.run(self._call(method, request))

    async def _call(self, method: MethodDescriptor, request: Message) -> None:
        name = f"/{method.containing_service.full_name}/{method.name}"
        encode, decode = type(request).SerializeToString, message_factory.GetMessageClass(method.output_type).FromString
        try:
            if method.server_streaming:
                stream = self.kit.channel.unary_stream(name, encode, decode)(request, timeout=CALL_S)
                await stream.read()
                stream.cancel()
            else:
                await self.kit.channel.unary_unary(name, encode, decode)(request, timeout=CALL_S)
        except grpc.aio.AioRpcError as error:
            answer = taken_apart(error)
            if answer.code == "DEADLINE_EXCEEDED":
                return
            assert answer.code not in OURS, answer
            assert answer.reason in REASONS, answer
            assert answer.domain == "hostd"


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """One host for all requests of this module."""
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder) / "d")
        yield host
        host.close()


_HOW: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=400, **_HOW)
@given(sent=requests())
def test_requests_are_answered_or_refused_with_a_reason(host: Host, sent: tuple[MethodDescriptor, Message]) -> None:
    """Any message a client can make gets an answer or a reason that has a page."""
    host.call(*sent)


@pytest.mark.slow
@settings(max_examples=10_000, **_HOW)
@given(sent=requests())
def test_thousands_of_requests_are_answered(host: Host, sent: tuple[MethodDescriptor, Message]) -> None:
    """The same, for longer."""
    host.call(*sent)
