"""What callers give becomes what the wire carries."""

from pathlib import Path
from typing import Any

import pytest

from hostd.client import RunHandle, Start, errors
from hostd.client.starts import document_of, run_ref
from hostd.v1.run_service_pb2 import OnClosed, OnOpen, RunRef


def test_each_start_has_an_id_of_its_own() -> None:
    """Made where none is given, kept through several tries."""
    one, two = Start("w"), Start("w")
    assert one.spec().request_id == one.request_id != two.spec().request_id
    assert Start("w", request_id="mine").spec().request_id == "mine"
    assert Start("w", request_id="").spec().request_id


def test_a_start_says_everything() -> None:
    """Every field arrives; nothing as input is nothing on the wire, and null is null."""
    spec = Start("w", {"a": [1]}, "1.0", "k", {"x": "y"}, "id", "USE_EXISTING", "REJECT").spec()
    assert (spec.workflow, spec.version, spec.key, spec.labels, spec.request_id) == ("w", "1.0", "k", {"x": "y"}, "id")
    assert (spec.on_open, spec.on_closed) == (OnOpen.ON_OPEN_USE_EXISTING, OnClosed.ON_CLOSED_REJECT)
    assert spec.input.data == b'{"a":[1]}'
    assert not Start("w").spec().HasField("input")
    assert Start("w", key="k").spec(signaled=True).on_open == OnOpen.ON_OPEN_UNSPECIFIED


@pytest.mark.parametrize(
    "start,error",
    [
        (Start("w", on_open="MAYBE"), errors.ArgumentInvalid),  # type: ignore[arg-type]
        (Start("w", {"n": float("nan")}), errors.NumberOutOfRange),
        (Start("w", {"n": object()}), errors.PayloadInvalid),
    ],
)
def test_what_cannot_be_sent_is_told_before(start: Start, error: type[Exception]) -> None:
    """The error has the class that the daemon's would have."""
    with pytest.raises(error):
        start.spec()


def test_a_run_is_named_in_four_ways() -> None:
    """By id, by workflow and key in one word or two, by a run, by a handle."""
    client: Any = None
    assert run_ref("r1") == run_ref(RunHandle(client, "r1")) == RunRef(run_id="r1")
    assert run_ref("w/k/1") == RunRef(workflow="w", key="k/1")
    assert run_ref(("w", "k/1")) == RunRef(workflow="w", key="k/1")
    for bad in ("", "/k", "w/", ("", "k"), ("w", "")):
        with pytest.raises(errors.ArgumentInvalid):
            run_ref(bad)


def test_a_document_is_text_a_file_or_itself(tmp_path: Path) -> None:
    """A text is never taken for the name of a file."""
    file = tmp_path / "w.yaml"
    file.write_text("workflow: ä")
    assert document_of(file) == ("workflow: ä", str(file))
    assert document_of("w.yaml") == ("w.yaml", "")
    assert document_of({"workflow": "w"}) == ('{"workflow":"w"}', "")
    file.write_bytes(b"\xff")
    for bad in (file, tmp_path / "none.yaml", tmp_path):
        with pytest.raises(errors.ArgumentInvalid, match=str(tmp_path)):
            document_of(bad)
