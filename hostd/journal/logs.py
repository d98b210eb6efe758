"""Attempt logs: text files, one a attempt, in a folder per run under `<data>/logs/`. Written off the loop.

    logs/<2 characters of the run id's end>/<run id>/<step>.<attempt>.log

They are not part of the journal: a crash may lose their last lines. An attempt may write 1 MiB, a run 16 MiB; past
either a marker line says so, once an attempt, and the rest is dropped.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from hostd.errors.base import invariant
from hostd.model.ids import is_run_id, stored_id

ATTEMPT_BYTES_MAX = 1 << 20
RUN_BYTES_MAX = 16 << 20
ATTEMPT_MARK = "-- hostd: this attempt's log passed 1 MiB; the rest is dropped --"
RUN_MARK = "-- hostd: this run's logs passed 16 MiB; the rest is dropped --"
_REMEMBERED_RUNS = 10_000
_PAGE_RUNS = 500
OwnKeeps = Callable[[Sequence[bytes]], dict[bytes, int]]
"""Stored run ids to milliseconds, of those runs that have a time of their own."""
_STEP = re.compile(r"[A-Za-z0-9_.\-\[\]]{1,200}")
_FILE = re.compile(r"(.+)\.(\d+)\.log")


class AttemptLog(NamedTuple):
    """What one attempt wrote; lines without their line ends."""

    step: str
    attempt: int
    lines: list[str]


class AttemptLogs:
    """The files. Any thread; blocks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._run_bytes: OrderedDict[str, int] = OrderedDict()  # of runs that wrote lately

    def append(self, run_id: str, step: str, attempt: int, lines: Iterable[str]) -> None:
        """Add lines (scrubbed of secrets by the caller). Line ends inside a line become spaces. Raises OSError."""
        with self._lock:
            path = self._path(run_id, step, attempt)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            run_bytes = self._bytes_of(run_id, path.parent)
            size = path.stat().st_size if path.exists() else 0
            text = _fitting(lines, size_bytes=size, run_bytes=run_bytes)
            if text and not (size and _is_marked(path, size)):
                with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), "ab") as file:
                    file.write(text)
                self._run_bytes[run_id] = run_bytes + len(text)

    def read(self, run_id: str, step: str | None = None, attempt: int | None = None) -> Iterator[AttemptLog]:
        """Yield a run's logs by step name and attempt; those of one step or attempt where it is named."""
        folder = self._run_folder(run_id)
        found = []
        for path in folder.iterdir() if folder.is_dir() else ():
            match = _FILE.fullmatch(path.name)
            if match and step in (None, match[1]) and attempt in (None, int(match[2])):
                found.append((match[1], int(match[2]), path))
        for name, number, path in sorted(found):
            yield AttemptLog(name, number, path.read_text("utf-8", "replace").splitlines())

    def lines(self, run_id: str, step: str, attempt: int) -> list[str]:
        """Return the lines of one attempt; none where it wrote nothing."""
        try:
            text = self._path(run_id, step, attempt).read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return []
        return text.removesuffix("\n").split("\n")

    def delete(self, run_id: str) -> None:
        """Delete a run's logs; nothing happens where there are none."""
        with self._lock:
            self._run_bytes.pop(run_id, None)
            shutil.rmtree(self._run_folder(run_id), ignore_errors=True)

    def prune(self, *, now_ms: int, keep_ms: int, own: OwnKeeps = lambda _run_ids: {}, limit: int = 1_000) -> int:
        """Delete up to `limit` runs' logs that nothing was added to for `keep_ms` (0 = for ever); return how many.

        Args:
            own: returns the time of those runs (stored ids) that have one of their own, which goes before `keep_ms`.
        """
        gone = 0
        folders = (folder for folder in self._folder.glob("*/*") if is_run_id(folder.name))
        while page := list(islice(folders, _PAGE_RUNS)):
            keeps = own([stored_id(folder.name) for folder in page])
            for folder in page:
                keep = keeps.get(stored_id(folder.name), keep_ms)
                if gone < limit and keep and _newest_ms(folder) < now_ms - keep:
                    self.delete(folder.name)
                    gone += 1
        return gone

    def _bytes_of(self, run_id: str, folder: Path) -> int:
        known = self._run_bytes.pop(run_id, None)
        if known is None:
            known = sum(path.stat().st_size for path in folder.iterdir())
        self._run_bytes[run_id] = known
        if len(self._run_bytes) > _REMEMBERED_RUNS:
            self._run_bytes.popitem(last=False)
        return known

    def _run_folder(self, run_id: str) -> Path:
        invariant(is_run_id(run_id), "a log's run id is none")
        return self._folder / run_id[-2:] / run_id

    def _path(self, run_id: str, step: str, attempt: int) -> Path:
        invariant(_STEP.fullmatch(step) is not None and step not in (".", ".."), "a log's step name is none")
        return self._run_folder(run_id) / f"{step}.{attempt}.log"


def one_line(text: str) -> str:
    """Return a line as it is kept: line ends inside it become spaces."""
    return text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")


def _fitting(lines: Iterable[str], *, size_bytes: int, run_bytes: int) -> bytes:
    """Return the lines that both limits leave room for, with a marker where they do not."""
    text = bytearray()
    for line in lines:
        encoded = one_line(line).encode("utf-8", "replace") + b"\n"
        if size_bytes + len(text) + len(encoded) > ATTEMPT_BYTES_MAX:
            return bytes(text) + ATTEMPT_MARK.encode() + b"\n"
        if run_bytes + len(text) + len(encoded) > RUN_BYTES_MAX:
            return bytes(text) + RUN_MARK.encode() + b"\n"
        text += encoded
    return bytes(text)


def _newest_ms(folder: Path) -> float:
    return 1000 * max((path.stat().st_mtime for path in folder.iterdir()), default=folder.stat().st_mtime)


def _is_marked(path: Path, size_bytes: int) -> bool:
    """Say whether the file already ends with a marker: nothing comes after it."""
    longest = max(len(ATTEMPT_MARK), len(RUN_MARK)) + 1
    with path.open("rb") as file:
        file.seek(max(0, size_bytes - longest))
        end = file.read()
    return end.endswith((ATTEMPT_MARK.encode() + b"\n", RUN_MARK.encode() + b"\n"))
