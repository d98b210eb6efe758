"""Lines that start runs."""

import pytest

from hostd.cli.bulk_starts import spec_of
from hostd.cli.record_filter import kind_number
from hostd.errors.base import HostdError
from hostd.v1 import run_pb2
from hostd.v1 import run_service_pb2 as pb


def test_a_line_goes_over_what_options_said() -> None:
    """Every key of a start; what the line leaves out is as the options have it."""
    defaults = pb.StartSpec(workflow="w", version="1.0.0", labels={"team": "a", "x": "1"})
    line = b'{"key": "k", "input": {"n": 9007199254740993}, "labels": {"x": "2"}, "on_open": "use-existing"}'
    spec = spec_of(line, defaults)

    assert (spec.workflow, spec.version, spec.key) == ("w", "1.0.0", "k")
    assert spec.input.data == b'{"n":9007199254740993}'
    assert dict(spec.labels) == {"team": "a", "x": "2"}
    assert spec.on_open == pb.ON_OPEN_USE_EXISTING
    assert spec_of(b'{"workflow": "v"}', defaults).workflow == "v"
    assert defaults.key == ""


@pytest.mark.parametrize(
    "line,says",
    [
        (b"[1]", "object"),
        (b'{"wrkflow": "w"}', "wrkflow"),
        (b'{"key": 1}', "`key` is a text"),
        (b'{"workflow": "w", "labels": ["a"]}', "labels"),
        (b'{"workflow": "w", "on_open": "never"}', "use_existing"),
        (b"{}", "names a workflow"),
        (b"{", "JSON"),
    ],
)
def test_a_wrong_line_says_what_is_wrong(line: bytes, says: str) -> None:
    """Each is an error with a reason."""
    with pytest.raises(HostdError, match=says):
        spec_of(line, pb.StartSpec())


def test_kinds_of_records_by_name() -> None:
    """In any case; a slip is answered with the nearest."""
    assert kind_number("attempt-failed") == run_pb2.RECORD_KIND_ATTEMPT_FAILED
    assert kind_number("RECORD_KIND_PAUSED") == run_pb2.RECORD_KIND_PAUSED
    with pytest.raises(HostdError, match="did you mean ATTEMPT_FAILED"):
        kind_number("attempt_fail")
