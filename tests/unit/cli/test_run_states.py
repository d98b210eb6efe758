"""States of runs, as they are written on the command line."""

from __future__ import annotations

from typing import Any

import pytest

from hostd.cli.run_states import STATES, state_of
from hostd.errors.base import HostdError
from hostd.v1.run_pb2 import RunState


def test_they_are_those_of_the_wire() -> None:
    """Each, and no other."""
    assert set(STATES) == {name.removeprefix("RUN_STATE_") for name, number in RunState.items() if number}


def test_any_case_will_do_and_a_slip_is_told_with_the_nearest(hostd: Any) -> None:
    """Before a daemon is asked; a word that is near none gets all of them."""
    assert (state_of("failed"), state_of("timed-out")) == ("FAILED", "TIMED_OUT")
    done = hostd("runs", "list", "--state", "faild", "--address", "127.0.0.1:1")
    assert done.err == "error: ARGUMENT_INVALID: --state: there is no state 'faild' of runs; did you mean FAILED?\n"
    assert done.code == 2
    with pytest.raises(HostdError, match="there are PENDING, RUNNING, "):
        state_of("xyz")
