"""Values in payloads."""

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Value

from hostd.client.payloads import from_payload, to_payload
from hostd.errors.base import HostdError
from hostd.v1.payload_pb2 import Payload


@pytest.mark.parametrize("value", [None, True, 2**63 - 1, -0.5, 1e300, "ä\n", [], {"a": [1, {"b": None}]}])
def test_values_survive(value: Any) -> None:
    """What goes in comes out, integers as integers."""
    back = from_payload(to_payload(value))

    assert back == value
    assert type(back) is type(value)


def test_other_bodies() -> None:
    """A blob shows as its digest, a protobuf Value under the number rule, nothing as null."""
    assert from_payload(Payload(blob="ab" * 32, metadata={"size_bytes": "40000"})) == {
        "$blob": "ab" * 32,
        "size_bytes": 40000,
    }
    assert from_payload(Payload(json=Value(number_value=3))) == 3
    assert from_payload(Payload()) is None


def test_what_is_not_json_is_refused() -> None:
    """Neither broken text nor another content type passes for a value."""
    for payload in (Payload(data=b"{"), Payload(data=b"1", content_type="text/plain")):
        with pytest.raises(HostdError) as caught:
            from_payload(payload)
        assert caught.value.reason == "PAYLOAD_INVALID"
