"""A disk whose every step is known: what a process did to the files of a folder, and what a power cut may leave of it.

`faulty_disk.c`, preloaded into the process, records each call; `Disk` plays the record back. It promises what a disk
that honours flushes promises, and no more:
- what was written before a flush of its file is there; what came after may be there, in any order, whole or torn at
  sectors of 512 bytes, or not at all;
- a file that was flushed has its name; other names appear and go in order, up to some point;
- a folder's flush keeps all names.
"""

from __future__ import annotations

import functools
import random
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from requires import require_tool

SOURCE = Path(__file__).with_name("faulty_disk.c")
SECTOR = 512
_HEAD = struct.Struct("<cBIq")
WRITES, SYNCS = 1, 2


@functools.cache
def layer() -> Path:
    """Compile the layer, once a process. Skips the test where there is no C compiler."""
    compiler = require_tool("cc")
    target = Path(tempfile.mkdtemp(prefix="hostd-faulty-disk-")) / "faulty_disk.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(target), str(SOURCE)]
    subprocess.run(command, check=True, capture_output=True)
    return target


class Step(NamedTuple):
    """One call that succeeded.

    kind: O made, W written at `offset`, T cut to `offset` bytes, S flushed (name "/": the folder), U removed,
    R renamed to `data`, A told: from here on `data` is acknowledged.
    """

    kind: str
    name: str
    offset: int
    data: bytes


def read_record(path: Path) -> list[Step]:
    """Return the steps of a record."""
    raw, at, steps = path.read_bytes(), 0, []
    while at + _HEAD.size <= len(raw):
        kind, name_bytes, data_bytes, offset = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        name = raw[at : at + name_bytes].decode()
        data = raw[at + name_bytes : at + name_bytes + data_bytes]
        at += name_bytes + data_bytes
        steps.append(Step(kind.decode(), name, offset, data))
    return steps


class _File:
    """A file's bytes that are safe, and what is done to it that is not yet."""

    def __init__(self, data: bytes = b"") -> None:
        self.safe = bytearray(data)
        self.waiting: list[Step] = []

    def flush(self) -> None:
        for step in self.waiting:
            _apply(self.safe, step)
        self.waiting.clear()


class Disk:
    """The files of one folder, step by step."""

    def __init__(self, folder: Path | None = None) -> None:
        self._names = {file.name: _File(file.read_bytes()) for file in folder.iterdir()} if folder else {}
        self._safe_names = dict(self._names)
        self._waiting: list[tuple[str, _File | None]] = []  # names that appear or go
        self.told = b""

    def do(self, step: Step) -> None:
        """Take one step."""
        if step.kind == "A":
            self.told += step.data
        elif step.kind == "S":
            self._flush(step.name)
        elif step.kind == "O":
            self._name(step.name, _File())
        elif step.kind == "U":
            self._name(step.name, None)
        elif step.kind == "R":
            self._name(step.data.decode(), self._names[step.name])
            self._name(step.name, None)
        else:
            self._names[step.name].waiting.append(step)

    def _name(self, name: str, file: _File | None) -> None:
        self._waiting.append((name, file))
        _rename(self._names, name, file)

    def _flush(self, name: str) -> None:
        last = len(self._waiting) if name == "/" else 0
        if name != "/":
            file = self._names[name]
            file.flush()
            last = max((place for place, (_, made) in enumerate(self._waiting, 1) if made is file), default=0)
        for entry in self._waiting[:last]:
            _rename(self._safe_names, *entry)
        del self._waiting[:last]

    @property
    def is_quiet(self) -> bool:
        """Whether a power cut now leaves only one thing."""
        return not self._waiting and not any(file.waiting for file in self._names.values())

    def leave(self, folder: Path, how: str, chance: random.Random) -> None:
        """Write into a folder what is left.

        Args:
            how: all = the process was killed; none = nothing that was not flushed; last = all, the newest write torn;
                some = any of it, any of that torn.
        """
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        names = dict(self._safe_names)
        count = {"all": len(self._waiting), "last": len(self._waiting), "none": 0}.get(how)
        for entry in self._waiting[: chance.randint(0, len(self._waiting)) if count is None else count]:
            _rename(names, *entry)
        for name, file in names.items():
            data = bytearray(file.safe)
            for step in _surviving(file.waiting, how, chance):
                _apply(data, step)
            (folder / name).write_bytes(data)


def _rename(names: dict[str, _File], name: str, file: _File | None) -> None:
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file


def _apply(data: bytearray, step: Step) -> None:
    if step.kind == "T":
        del data[step.offset :]
    end = step.offset + len(step.data)
    if len(data) < end:
        data.extend(bytes(end - len(data)))
    data[step.offset : end] = step.data


def _surviving(waiting: list[Step], how: str, chance: random.Random) -> Iterator[Step]:
    for place, step in enumerate(waiting):
        if how == "none":
            return
        if how == "last" and place == len(waiting) - 1:
            yield from _torn(step, chance)
        elif how != "some" or chance.random() < 0.4:
            yield step
        elif chance.random() < 0.5:
            yield from _torn(step, chance)


def _torn(step: Step, chance: random.Random) -> Iterator[Step]:
    """Yield some of the sectors of a write; a cut happens or not."""
    if step.kind == "T" and chance.random() < 0.5:
        yield step
    at, end = step.offset, step.offset + len(step.data)
    while at < end:
        stop = min(end, (at // SECTOR + 1) * SECTOR)
        if chance.random() < 0.5:
            yield step._replace(offset=at, data=step.data[at - step.offset : stop - step.offset])
        at = stop
