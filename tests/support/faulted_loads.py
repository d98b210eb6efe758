"""Starting loads under the faulty disk: one process that forks them, so that each costs a few milliseconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from faulty_disk import Step, layer, read_record

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("faulted_load.py")


class Loads:
    """A process that does loads, one after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, folder: Path, **spec: Any) -> int:
        """Do a load in a folder, made where it is not there; return the exit code."""
        folder.mkdir(exist_ok=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"folder": str(folder), **spec}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def recorded(self, folder: Path, **spec: Any) -> list[Step]:
        """Do a load without faults; return all its steps."""
        record = folder.with_name(folder.name + ".record")
        assert self.run(folder, record=str(record), **spec) == 0
        return read_record(record)


def calls(folder: Path) -> tuple[int, int]:
    """Return how many writes and flushes the load of a folder made."""
    writes, syncs = json.loads(folder.with_name(folder.name + ".counts").read_text())
    return writes, syncs


@contextmanager
def loads() -> Iterator[Loads]:
    """Start the process; end it afterwards. Skips the test where the layer cannot be compiled."""
    paths = os.pathsep.join([str(ROOT), str(PROGRAM.parent)])
    env = os.environ | {"LD_PRELOAD": str(layer()), "PYTHONPATH": paths}
    pipe = subprocess.PIPE
    command = [sys.executable, str(PROGRAM)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=env, text=True) as process:
        yield Loads(process)
        assert process.stdin is not None
        process.stdin.close()
