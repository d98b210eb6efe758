"""What an outcome of a plugin's process means, however odd it is."""

from __future__ import annotations

from typing import Any

import pytest

from hostd.errors.base import HostdError
from hostd.host.process.held import result_of
from hostd.plugin import ActionError
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.json_text import parse_json
from hostd.values.limits import OUTPUT_BYTES_MAX


def meaning(**outcome: Any) -> Any:
    """Return an outcome's output, or raise what it means."""
    return result_of(pb.Outcome(**outcome), parse_json, lambda line: None)


def test_details_that_are_no_json_do_not_hide_the_failure() -> None:
    """The action's own words count; its details are left out."""
    fault = pb.Fault(reason="ACTION_FAILED", message="no money", code="CARD", details=b"{bad")
    with pytest.raises(ActionError, match="no money") as caught:
        meaning(fault=fault)
    assert (caught.value.code, caught.value.details) == ("CARD", {})


def test_an_outcome_that_says_nothing_is_the_plugins_failure() -> None:
    """In a sentence."""
    with pytest.raises(HostdError, match="PLUGIN_FAILED: .*neither an output nor a failure"):
        meaning()


def test_an_output_that_is_too_large_is_not_read() -> None:
    """Nor is its JSON looked at."""
    with pytest.raises(HostdError, match="OUTPUT_TOO_LARGE"):
        meaning(output=b"[" * (OUTPUT_BYTES_MAX + 1))
