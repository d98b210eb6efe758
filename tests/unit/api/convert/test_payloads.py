"""Payloads at the door."""

import pytest
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value

from hostd.api.convert.payloads import INLINE_BYTES_MAX, Room, read_payload
from hostd.errors.base import HostdError
from hostd.model.payload import DOOR_BYTES_MAX, BlobRef
from hostd.v1.payload_pb2 import Payload


def test_text_passes_as_it_was_sent() -> None:
    """Key order, spaces and the spelling of numbers are the sender's; the value is under the number rule."""
    data = b'{"b": 1.0, "a": 9007199254740993}'
    assert read_payload(Payload(data=data), "input") == (data, {"b": 1, "a": 9007199254740993})


def test_a_protobuf_value_becomes_text() -> None:
    """Its numbers are float64, and whole ones are integers."""
    value = json_format.ParseDict({"n": 3, "x": [True, None, 1.5]}, Value())
    assert read_payload(Payload(json=value), "input") == (
        b'{"n":3,"x":[true,null,1.5]}',
        {"n": 3, "x": [True, None, 1.5]},
    )


def test_nothing_is_what_the_caller_of_it_says() -> None:
    """An empty payload means the given default; a null is a null."""
    assert read_payload(Payload(), "input", nothing=b"{}") == (b"{}", {})
    assert read_payload(Payload(), "input", nothing=b"") == (b"", None)
    assert read_payload(Payload(json=Value(null_value=0)), "input", nothing=b"{}") == (b"null", None)


@pytest.mark.parametrize("payload, reason", [
    (Payload(data=b"{"), "PAYLOAD_INVALID"), (Payload(data=b"\xff"), "PAYLOAD_INVALID"),
    (Payload(data=b"[1e999]"), "NUMBER_OUT_OF_RANGE"), (Payload(data=b"9223372036854775808"), "NUMBER_OUT_OF_RANGE"),
    (Payload(json=Value(number_value=float("nan"))), "NUMBER_OUT_OF_RANGE"),
    (Payload(data=b'"' + b"x" * DOOR_BYTES_MAX + b'"'), "PAYLOAD_TOO_LARGE"),
    (Payload(json=Value(string_value="x" * DOOR_BYTES_MAX)), "PAYLOAD_TOO_LARGE"),
    (Payload(blob="ab" * 32), "ARGUMENT_INVALID"), (Payload(data=b"1", content_type="text/plain"), "ARGUMENT_INVALID"),
    (Payload(data=b"1", metadata={"encoding": "zstd"}), "ARGUMENT_INVALID"),
])  # fmt: skip
def test_what_is_refused_names_its_field(payload: Payload, reason: str) -> None:
    """Each has its reason, and says which field it was."""
    with pytest.raises(HostdError, match=reason) as caught:
        read_payload(payload, "start.input")
    assert caught.value.violations[0].path.startswith("start.input")


def test_one_answer_holds_so_much() -> None:
    """What does not fit any more is named by its size; references always fit, and smaller values still do."""
    room = Room()
    large = b'"' + b"x" * (INLINE_BYTES_MAX - 100) + b'"'
    first, second, third = room.payload(large), room.payload(large), room.payload(b"1")
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.data, second.data, third.data) == (large, b"", b"1")
    assert second.metadata["size_bytes"] == str(len(large))
    reference = room.payload(BlobRef(b"\x01" * 32, 10))
    assert reference is not None
    assert reference.blob == "01" * 32
