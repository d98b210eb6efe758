"""Rules of the public wire form that the lint of proto files does not know."""

import re
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor, ServiceDescriptor

from hostd.errors.reasons import REASONS
from hostd.model.records import KIND_NAMES
from hostd.model.states import RunState, StepState
from hostd.v1 import (
    admin_service_pb2,
    dead_letter_service_pb2,
    plugin_service_pb2,
    reason_pb2,
    run_pb2,
    run_service_pb2,
    script_service_pb2,
    trigger_service_pb2,
    workflow_service_pb2,
)

PROTO = Path(__file__).resolve().parents[3] / "proto/hostd/v1"
FILES = (
    admin_service_pb2,
    dead_letter_service_pb2,
    plugin_service_pb2,
    run_service_pb2,
    script_service_pb2,
    trigger_service_pb2,
    workflow_service_pb2,
)
CHANGES = ("Register", "Create", "Activate", "Cancel", "Terminate", "Pause", "Resume", "Delete")
# Known by another name than request_id: an event's id, and a file that must not exist yet.
KNOWN_OTHERWISE = {"FireTrigger": "event_id", "BackupJournal": "path"}


def services() -> Iterator[ServiceDescriptor]:
    """Yield every service."""
    for file in FILES:
        yield from file.DESCRIPTOR.services_by_name.values()


def methods() -> Iterator[MethodDescriptor]:
    """Yield every rpc."""
    for service in services():
        yield from service.methods


def test_reasons_are_those_of_the_table() -> None:
    """The enum and errors/reasons.py name the same reasons; `make proto` brings new ones over."""
    names = {name.removeprefix("REASON_") for name in reason_pb2.Reason.DESCRIPTOR.values_by_name}
    assert names == {"UNSPECIFIED", *REASONS}


def test_records_have_their_kinds() -> None:
    """Each kind of record has its name and number on the wire."""
    kinds = {name.removeprefix("RECORD_KIND_"): number for name, number in run_pb2.RecordKind.items() if number}
    assert kinds == {name: number for number, name in KIND_NAMES.items()}


def test_states_have_their_words() -> None:
    """Each state of runs and steps has its word on the wire; run states have their numbers too."""
    runs = {name.removeprefix("RUN_STATE_"): number for name, number in run_pb2.RunState.items() if number}
    assert runs == {state.name: state.value for state in RunState}
    steps = {name.removeprefix("STEP_STATE_") for name, number in run_pb2.StepState.items() if number}
    assert steps == {state.name for state in StepState}


def test_every_request_names_its_namespace_first() -> None:
    """Field 1 of each request is `string namespace`."""
    first = {method.name: method.input_type.fields_by_number[1] for method in methods()}
    assert {name for name, field in first.items() if field.name != "namespace"} == set()
    assert {field.type for field in first.values()} == {FieldDescriptor.TYPE_STRING}


def test_every_change_can_be_repeated() -> None:
    """What changes something takes a request id, in the request or in each start, or is known by another name."""
    for method in methods():
        fields = method.input_type.fields_by_name
        if method.name in KNOWN_OTHERWISE:
            assert KNOWN_OTHERWISE[method.name] in fields
        elif method.name.startswith(CHANGES):
            assert "request_id" in fields, method.name
    assert "request_id" in run_service_pb2.StartSpec.DESCRIPTOR.fields_by_name


def test_every_list_has_pages() -> None:
    """Each List rpc takes a page size and a token, and gives the next one."""
    lists = [method for method in methods() if method.name.startswith("List")]
    assert lists
    for method in lists:
        assert {"page_size", "page_token"} <= set(method.input_type.fields_by_name), method.name
        assert "next_page_token" in method.output_type.fields_by_name, method.name


def test_clients_need_nothing_else() -> None:
    """Proto files import only each other and google/protobuf, so a client in any language needs no other files."""
    imports = {
        name for file in PROTO.glob("*.proto") for name in re.findall(r'^import "(.+)";', file.read_text(), re.M)
    }
    assert {name for name in imports if not name.startswith(("hostd/v1/", "google/protobuf/"))} == set()


def test_everything_is_explained() -> None:
    """Each field, rpc and enum value has a comment; it is the reference of the wire form."""
    declared = re.compile(r"(rpc|enum|service)\s|(optional |repeated )?(map<[^>]+>|[\w.]+) \w+ = \d+;|[A-Z]\w+ = \d+;")
    for file in PROTO.glob("*.proto"):
        before = ""
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if declared.match(line.strip()) and "_UNSPECIFIED = 0" not in line:
                assert before.startswith("//"), f"{file.name}:{number} has no comment"
            before = line.strip()
