"""Asking a daemon everything it can be asked: requests made from the proto's descriptors, so that a new rpc is met."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message

import hostd.v1.admin_service_pb2
import hostd.v1.dead_letter_service_pb2
import hostd.v1.event_service_pb2
import hostd.v1.plugin_service_pb2
import hostd.v1.run_service_pb2
import hostd.v1.script_service_pb2
import hostd.v1.secret_service_pb2
import hostd.v1.trigger_service_pb2
import hostd.v1.workflow_service_pb2
from hostd.api.auth import VERBS

# What changes something: the test uses them on purpose, or sends them wrong. Anything else is read, whatever it is.
CHANGES = frozenset(
    """
    RegisterWorkflow ActivateWorkflow DeleteWorkflow StartRun StartRuns ExecuteRun SignalRun SignalWithStart
    CancelRun TerminateRun PauseRun ResumeRun DeleteRun CreateTrigger DeleteTrigger PauseTrigger ResumeTrigger
    FireTrigger BackfillTrigger RedriveDeadLetters PurgeDeadLetters PublishEvents ReloadPlugin BackupJournal
    SetSecret DeleteSecret RotateSecretsKey CompactJournal RotateToken ReloadConfig SetLogLevel
    InstallPlugin UninstallPlugin EnablePlugin DisablePlugin RollbackPlugin
    """.split()  # noqa: SIM905
)
# What only works out what the request itself holds.
CALCULATES = frozenset(
    """
    ValidateWorkflow ValidateScript EvaluateScript EvaluateExpression TestTrigger PreviewSchedule
    """.split()  # noqa: SIM905
)
STREAM_S = 1.5


def methods() -> list[MethodDescriptor]:
    """Return every method of `hostd.v1` that the daemon serves."""
    names = sorted(name for name in VERBS if name.startswith("/hostd.v1."))
    pool = hostd.v1.run_service_pb2.DESCRIPTOR.pool
    found = []
    for name in names:
        service, _, method = name[1:].partition("/")
        found.append(pool.FindServiceByName(service).methods_by_name[method])
    return found


class Everything:
    """Sends requests of any kind.

    Args:
        known: values by field name, such as `run_id`, that requests are made of; each is tried.
    """

    def __init__(self, channel: grpc.Channel, known: dict[str, list[Any]]) -> None:
        self._channel = channel
        self._known = known
        self.answered: set[str] = set()

    def read(self, method: MethodDescriptor) -> Iterator[bytes]:
        """Yield all that a method that reads answers to every request that can be made of what is known."""
        for request in self._requests(method):
            yield from self.ask(method, request)

    def ask(self, method: MethodDescriptor, request: Message) -> list[bytes]:
        """Return what a call answers, its error included, as bytes."""
        path = f"/{method.containing_service.full_name}/{method.name}"
        got: list[bytes] = []
        try:
            if method.server_streaming:
                got += self._channel.unary_stream(path)(request.SerializeToString(), timeout=STREAM_S)
            else:
                got.append(self._channel.unary_unary(path)(request.SerializeToString(), timeout=20))
            self.answered.add(method.name)
        except grpc.RpcError as error:
            if got or error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                self.answered.add(method.name)
            got += [(error.details() or "").encode(), *_metadata(error)]
        return got

    def _requests(self, method: MethodDescriptor) -> Iterator[Message]:
        """Yield requests: fields that are known by name take each value in turn, runs are named by their id."""
        make = message_factory.GetMessageClass(method.input_type)
        fields = [field for field in method.input_type.fields if self._values(field)]
        for values in itertools.product(*(self._values(field) for field in fields)):
            request = make()
            for field, value in zip(fields, values, strict=True):
                if field.message_type is not None:
                    getattr(request, field.name).run_id = value
                elif field.is_repeated:
                    getattr(request, field.name).append(value)
                else:
                    setattr(request, field.name, value)
            yield request

    def _values(self, field: FieldDescriptor) -> list[Any]:
        if field.message_type is not None:
            return self._known["run_id"] if field.message_type.name == "RunRef" else []
        return self._known.get(f"{field.containing_type.name}.{field.name}", self._known.get(field.name, []))


def filled(method: MethodDescriptor, text: str, *, but: frozenset[str] = frozenset()) -> Message:
    """Return a request with a text in every field that takes one, however deep."""
    request = message_factory.GetMessageClass(method.input_type)()
    _fill(request, text, but, 0)
    return request


def _fill(message: Any, text: str, but: frozenset[str], depth: int) -> None:
    for field in message.DESCRIPTOR.fields:
        if field.name in but or depth > 3 or (field.message_type and field.message_type.GetOptions().map_entry):
            continue
        target = getattr(message, field.name)
        if field.message_type is not None:
            if not field.message_type.full_name.startswith("google."):
                _fill(target.add() if field.is_repeated else target, text, but, depth + 1)
        elif field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
            value: Any = text if field.type == FieldDescriptor.TYPE_STRING else text.encode()
            if field.is_repeated:
                target.append(value)
            else:
                setattr(message, field.name, value)


def _metadata(error: Any) -> list[bytes]:
    return [value if isinstance(value, bytes) else value.encode() for _, value in error.trailing_metadata() or ()]
