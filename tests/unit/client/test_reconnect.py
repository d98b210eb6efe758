"""How long a watch keeps trying."""

import pytest

from hostd.client.reconnect import Patience, cut_off
from hostd.errors.base import HostdError, Kind

GONE = HostdError(Kind.UNAVAILABLE, "UNREACHABLE", "gone")


class Watch:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_waits_grow_and_stop_at_the_limit() -> None:
    """It waits twice as long each time, never past the limit, then raises what happened."""
    clock = Watch()
    patience = Patience(5, seen=True, now=clock)
    waits: list[float] = []

    def go_on() -> None:
        while True:
            waits.append(patience.wait_s(GONE))
            clock.now_s += waits[-1]

    with pytest.raises(HostdError) as caught:
        go_on()

    assert caught.value is GONE
    assert waits[:5] == [0.1, 0.2, 0.4, 0.8, 1.6]
    assert sum(waits) == pytest.approx(5)


def test_a_sign_of_life_begins_anew() -> None:
    """The limit counts from the last answer, not from the beginning."""
    clock = Watch()
    patience = Patience(1, seen=True, now=clock)
    patience.wait_s(GONE)
    clock.now_s = 0.9
    patience.alive()
    clock.now_s = 10

    assert patience.wait_s(GONE) == 0.1


def test_who_never_answered_is_not_waited_for() -> None:
    """A wrong address is told at once."""
    with pytest.raises(HostdError, match="gone"):
        Patience(60, seen=False).wait_s(GONE)


def test_an_answer_that_says_no_is_final() -> None:
    """Only what passes is tried again: a missing run stays missing."""
    patience = Patience(60, seen=True)
    with pytest.raises(HostdError, match="none"):
        patience.wait_s(HostdError(Kind.MISSING, "RUN_MISSING", "none"))


def test_a_slow_consumer_waits_as_it_is_told() -> None:
    """WATCH_TOO_SLOW carries its own time."""
    slow = HostdError(Kind.EXHAUSTED, "WATCH_TOO_SLOW", "slow", retry_after_s=0.5)

    assert Patience(60, seen=True).wait_s(slow) == 0.5
    assert Patience(60, seen=True).wait_s(cut_off("here")) == 0.1
