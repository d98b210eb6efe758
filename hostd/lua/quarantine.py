"""Sources that crashed their worker too often are refused for a while: a crash is an attack, or a bug worth knowing."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

CRASHES = 3
WINDOW_S = 3_600.0
_REMEMBERED = 1_000


def source_digest(source: str) -> str:
    """Return the name under which logs and quarantine know a source."""
    return hashlib.blake2b(source.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class Quarantine:
    """Counts crashes by source; the least recently crashed are forgotten first. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._crashes: OrderedDict[str, list[float]] = OrderedDict()

    def note_crash(self, digest: str, now_s: float) -> int:
        """Count a crash and return how many fell into the last hour."""
        recent = [at for at in self._crashes.pop(digest, []) if now_s - at < WINDOW_S]
        recent.append(now_s)
        self._crashes[digest] = recent[-CRASHES:]
        if len(self._crashes) > _REMEMBERED:
            self._crashes.popitem(last=False)
        return len(recent)

    def holds_for_s(self, digest: str, now_s: float) -> float:
        """Return for how long the source is still refused; 0 when it may run."""
        crashes = self._crashes.get(digest)
        if crashes is None or len(crashes) < CRASHES:
            return 0.0
        return max(0.0, WINDOW_S - (now_s - crashes[0]))
