"""Run as a script, `leash.py COMMAND...`: runs a command, and ends it with all it started when the daemon is gone.

The end of standard input says that: the daemon holds the other end and never writes. The daemon starts it in a session
of its own. It imports nothing of hostd, so that it starts in an instant.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def _watch() -> None:
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGKILL)


def main() -> int:
    """Return the exit code of the command."""
    threading.Thread(target=_watch, daemon=True).start()
    with subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL) as command:  # noqa: S603 the daemon says what
        code = command.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the thread waits for ever
