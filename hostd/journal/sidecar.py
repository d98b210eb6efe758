"""The sidecar: what the journal had acknowledged, written outside SQLite.

SQLite drops a damaged end of its WAL without a word. So a small file beside the journal says, each second and at
close, after the commit it names, which batch was the last; at start the journal must reach it. 512 bytes, rewritten in
place: one sector, so it is old or new, and a checksum says when it is neither.
"""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32

import msgspec

SIZE_BYTES = 512


class LastSeen(msgspec.Struct, frozen=True, gc=False):
    """What was durable when the sidecar was written.

    `first_pos` is where the batch `number` begins, `link` its chain link, `wal_bytes` the least size of the WAL file
    while the journal is open, `clean` that the journal was closed in order.
    """

    journal_id: str
    number: int
    link: bytes
    next_pos: int
    next_run: int
    wal_bytes: int = 0
    clean: bool = False


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(LastSeen).decode


class Sidecar:
    """The file. Written by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._written: LastSeen | None = None

    def read(self) -> LastSeen | None:
        """Return what it says; None where there is none or it is damaged (then it proves nothing)."""
        try:
            text = self._path.read_bytes()[:SIZE_BYTES].rstrip()
        except FileNotFoundError:
            return None
        checksum, _, body = text.partition(b" ")
        if checksum != b"%08x" % crc32(body):
            return None
        try:
            return _decode(body)
        except msgspec.DecodeError:
            return None

    def write(self, seen: LastSeen) -> None:
        """Write and flush. Raises OSError."""
        if seen == self._written:
            return
        if self._file < 0:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        body = _encode(seen)
        text = b"%08x %b" % (crc32(body), body)
        os.pwrite(self._file, text.ljust(SIZE_BYTES), 0)
        os.fsync(self._file)
        self._written = seen

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
