"""Messages as the values that are printed."""

from google.protobuf.timestamp_pb2 import Timestamp

from hostd.cli.plain import plain
from hostd.client import to_payload
from hostd.v1 import admin_service_pb2, payload_pb2, plugin_service_pb2, run_pb2, run_service_pb2, trigger_service_pb2


def test_a_run_prints_as_the_contract_says() -> None:
    """Proto names, numbers as numbers, bare enums, RFC 3339 times, payloads as their values, unset as null."""
    run = run_pb2.Run(
        run_id="r1",
        state=run_pb2.RUN_STATE_TIMED_OUT,
        labels={"team": "a"},
        create_time=Timestamp(seconds=1_700_000_000, nanos=5_000_000),
        output=to_payload({"big": 2**60, "part": 0.5}),
        failures=[payload_pb2.Failure(reason="RUN_TIMEOUT", retryable=False, attempt=2)],
    )

    value = plain(run)

    assert value["run_id"] == "r1"
    assert value["state"] == "TIMED_OUT"
    assert value["outcome"] is None
    assert value["labels"] == {"team": "a"}
    assert value["create_time"] == "2023-11-14T22:13:20.005Z"
    assert value["end_time"] is None
    assert value["output"] == {"big": 2**60, "part": 0.5}
    assert value["input"] is None
    assert value["failures"][0]["attempt"] == 2
    assert value["failures"][0]["retryable"] is False
    assert list(value) == [field.name for field in run_pb2.Run.DESCRIPTOR.fields]


def test_a_blob_prints_as_its_digest() -> None:
    """A value past 32 KiB is not there, but where it is."""
    payload = payload_pb2.Payload(blob="0f" * 32, metadata={"size_bytes": "70000"})

    assert plain(payload) == {"$blob": "0f" * 32, "size_bytes": 70000}


def test_numbers_of_64_bits_stay_numbers() -> None:
    """Also in maps: protobuf's own JSON would make texts of them."""
    info = admin_service_pb2.SystemInfo(limits={"value_bytes": 1 << 20}, runs_in_memory=3)

    assert plain(info)["limits"] == {"value_bytes": 1 << 20}
    assert plain(info)["runs_in_memory"] == 3


def test_json_inside_texts_prints_as_json() -> None:
    """A component's schema and a trigger's cursor are JSON texts on the wire; what is none stays text."""
    schema = plugin_service_pb2.ComponentSchema(schema='{"type": "object"}', sample="")
    broken = trigger_service_pb2.Trigger(cursor="{")

    assert plain(schema)["schema"] == {"type": "object"}
    assert plain(schema)["sample"] == ""
    assert plain(broken)["cursor"] == "{"


def test_of_a_choice_only_the_chosen_shows() -> None:
    """A oneof has one member; an optional field is null while it is not set."""
    started = run_service_pb2.StartRunsResult(started=run_service_pb2.StartRunResponse(run_id="r"))

    assert plain(started) == {"started": {"run_id": "r", "existing": False, "version": ""}}


def test_a_word_of_a_newer_daemon_prints_as_its_number() -> None:
    """An enum value this hostd does not know does not stop it."""
    assert plain(run_pb2.Run.FromString(b"\x30\x63"))["state"] == 99


def test_a_payload_that_is_not_json_prints_its_bytes() -> None:
    """Nothing that a daemon sends makes a command fail."""
    payload = payload_pb2.Payload(data=b"\xff", content_type="image/png")

    assert plain(payload) == {"$data": "/w==", "content_type": "image/png"}
