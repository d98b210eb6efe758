"""Whether and when a failed attempt is tried again (definition.md, `retry`)."""

from __future__ import annotations

from hostd.definition.plan import RetryPlan
from hostd.model.records import Failure


def wait_ms(retry: RetryPlan, tries: int, random: float) -> int:
    """Return the wait before the next attempt after `tries` attempts that counted (1 for the first failure).

    min(max_interval, initial * coefficient^(n-1)) * uniform(1 - jitter, 1 + jitter), never above max_interval.

    Args:
        random: uniform in [0, 1).
    """
    try:
        base = retry.initial_interval_ms * retry.backoff_coefficient ** (tries - 1)
    except OverflowError:
        base = float(retry.max_interval_ms)
    base = min(base, retry.max_interval_ms)
    spread = 1 + retry.jitter * (2 * random - 1)
    return max(1, min(retry.max_interval_ms, round(base * spread)))


def may_retry(retry: RetryPlan, failure: Failure, tries: int) -> bool:
    """Say whether the policy, but for its `if`, allows another attempt after `tries` that counted."""
    if not failure.retryable or failure.reason in retry.non_retryable:
        return False
    if failure.code and failure.code in retry.non_retryable_codes:
        return False
    return retry.max_attempts == 0 or tries < retry.max_attempts
