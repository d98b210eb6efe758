"""Waits between attempts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostd.definition.plan import RetryPlan
from hostd.engine.retry import may_retry, wait_ms
from hostd.model.records import Failure


@pytest.mark.parametrize(
    ("tries", "wait"), [(1, 1_000), (2, 2_000), (3, 4_000), (4, 5_000), (5_000, 5_000), (10**9, 5_000)]
)
def test_waits_grow_to_their_bound(tries, wait):
    """initial × coefficient^(n-1), never above max_interval, and no number of tries overflows."""
    assert wait_ms(RetryPlan(initial_interval_ms=1_000, max_interval_ms=5_000, jitter=0.0), tries, 0.5) == wait


@given(
    st.integers(1, 10_000),
    st.floats(0, 1, exclude_max=True),
    st.integers(1, 10**9),
    st.floats(1, 1e6),
    st.floats(0, 1),
    st.integers(1, 10**6),
)
def test_a_wait_is_within_jitter_and_bound(tries, random, initial_ms, coefficient, jitter, factor):
    """uniform(1 ± jitter) around the base, at least a millisecond, at most max_interval."""
    retry = RetryPlan(
        initial_interval_ms=initial_ms,
        backoff_coefficient=coefficient,
        max_interval_ms=initial_ms * factor,
        jitter=jitter,
    )
    wait = wait_ms(retry, tries, random)
    assert 1 <= wait <= retry.max_interval_ms
    if tries == 1:
        assert initial_ms * (1 - jitter) - 1 <= wait <= initial_ms * (1 + jitter) + 1


def test_a_failure_is_retried_only_as_often_as_it_may():
    """Retryable by itself, not excluded by reason or code, and tries left."""
    retry = RetryPlan(max_attempts=3, non_retryable=frozenset({"R"}), non_retryable_codes=frozenset({"C"}))
    assert may_retry(retry, Failure("X", "", retryable=True), 2)
    assert not may_retry(retry, Failure("X", "", retryable=True), 3)
    assert not may_retry(retry, Failure("X", ""), 1)
    assert not may_retry(retry, Failure("R", "", retryable=True), 1)
    assert not may_retry(retry, Failure("X", "", code="C", retryable=True), 1)
    assert may_retry(RetryPlan(max_attempts=0), Failure("X", "", retryable=True), 10**6)
