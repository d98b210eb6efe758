"""What a daemon writes down about a plugin's process, so that the next one can take it over."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import NamedTuple

from hostd.host.process.child import Identity, kill_orphans


class Remembered(NamedTuple):
    """A process that was started, its cookie and its pipe's name. `reaped`: it is a reaper, which runs the plugin."""

    identity: Identity
    cookie: str
    output: str
    reaped: bool = False

    def write(self, path: Path) -> None:
        """Keep it, readable by us only. Raises OSError."""
        text = json.dumps({**self._asdict(), **self.identity._asdict(), "identity": None})
        partial = path.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        partial.replace(path)


def remembered(path: Path) -> Remembered | None:
    """Return what is known of a plugin's process that still lives, None when there is none.

    What a process that is gone has left behind is ended.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        identity = Identity(int(found["pid"]), int(found["began"]))
        known = Remembered(identity, str(found["cookie"]), Path(str(found["output"])).name, found.get("reaped") is True)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not known.identity.began or known.identity.pid <= 1:
        return None
    if not known.identity.lives():
        kill_orphans(known.identity)
        return None
    return known


def forget(path: Path) -> None:
    """The process is gone, and a file about it of no use."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
