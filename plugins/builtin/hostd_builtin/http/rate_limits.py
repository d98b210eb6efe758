"""Token buckets: so many requests in a time, for all or for each sender, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from hostd_builtin.http.hook_options import RateLimit

KEY_CHARS_MAX = 256


class Buckets:
    """The buckets of one limit. A bucket that is not there is full, so forgetting one lets a sender through again."""

    def __init__(self, limit: RateLimit) -> None:
        self.by = limit.by
        self._rate = limit.count / limit.per.total_seconds()
        self._most = float(limit.burst or limit.count)
        self._buckets_max = limit.buckets_max
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when they were counted

    def __len__(self) -> int:
        return len(self._buckets)

    def wait_s(self, key: str, now_s: float) -> float:
        """Return the seconds until there is a token; 0 when there is one."""
        tokens = self._tokens(key[:KEY_CHARS_MAX], now_s)
        return 0.0 if tokens >= 1.0 else (1.0 - tokens) / self._rate

    def take(self, key: str, now_s: float) -> None:
        """Take a token, which must be there."""
        key = key[:KEY_CHARS_MAX]
        self._buckets[key] = (self._tokens(key, now_s) - 1.0, now_s)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._buckets_max:
            self._buckets.popitem(last=False)

    def _tokens(self, key: str, now_s: float) -> float:
        tokens, at_s = self._buckets.get(key, (self._most, now_s))
        return min(self._most, tokens + (now_s - at_s) * self._rate)


def enter(asked: Sequence[tuple[Buckets, str]], now_s: float) -> float:
    """Take a token of each bucket, or of none; return 0, or the seconds until every one has one."""
    wait_s = max((buckets.wait_s(key, now_s) for buckets, key in asked), default=0.0)
    if wait_s == 0.0:
        for buckets, key in asked:
            buckets.take(key, now_s)
    return wait_s
