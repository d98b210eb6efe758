"""What the figures were measured on: they mean little without."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import sys
import time
from pathlib import Path

import grpc
import msgspec

from hostd.values.version import VERSION

SYNCS = 400


class Machine(msgspec.Struct, frozen=True):
    """Notes on the machine. Load averages are of one minute, before and after."""

    hostd: str
    python: str
    sqlite: str
    grpcio: str
    system: str
    processors: int
    fdatasync_p50_us: float
    load_before: float
    load_after: float

    def line(self) -> str:
        """Return the notes in one line."""
        versions = f"Python {self.python}, SQLite {self.sqlite}, grpcio {self.grpcio}, hostd {self.hostd}"
        load = f"load {self.load_before:g} to {self.load_after:g}"
        disk = f"fdatasync p50 {self.fdatasync_p50_us:g} µs"
        return f"{versions}; {self.system}, {self.processors} processors, {disk}, {load}"


def load_average() -> float:
    """Return the load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def notes(folder: Path, load_before: float) -> Machine:
    """Return notes on this machine and the disk that holds `folder`."""
    return Machine(
        hostd=VERSION,
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        grpcio=grpc.__version__,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processors=os.cpu_count() or 1,
        fdatasync_p50_us=round(fdatasync_p50_us(folder), 1),
        load_before=load_before,
        load_after=load_average(),
    )


def fdatasync_p50_us(folder: Path) -> float:
    """Return the median of a write of 60 bytes and its flush, into a file that is there already."""
    sync = os.fdatasync if sys.platform == "linux" else os.fsync
    file = os.open(folder / "fdatasync", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.write(file, bytes(1 << 20))
        os.fsync(file)
        took_s = []
        for number in range(SYNCS):
            started_s = time.perf_counter()
            os.pwrite(file, b"x" * 60, number * 64)
            sync(file)
            took_s.append(time.perf_counter() - started_s)
    finally:
        os.close(file)
    return statistics.median(took_s) * 1e6
