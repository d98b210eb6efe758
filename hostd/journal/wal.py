"""Looking at SQLite's write-ahead log from outside, before SQLite opens it and silently drops what it can't verify.

The file: a header of 32 bytes, then frames of 24 bytes and a page. Header and frames carry two salts; SQLite raises
the first and redraws the second each time it begins again at the front, so frames with the header's salts belong to
this pass and others are left over. A frame that ends a transaction holds the database's size, others 0. SQLite takes
frames up to the first whose checksum is wrong. Source: sqlite.org/fileformat2.html#walformat.

The journal flushes every commit and acknowledges only then, and its WAL file is grown at start and never shrinks while
open. Hence, for a journal that was not closed in order:
- Two or more transactions of this pass beyond what SQLite took: at least one of them was flushed, so it was damaged.
- One: either damaged, or the power went while it was written (and then nobody was told it is durable).
- The file shorter than it was, and its last frame of this pass: what came after was cut off.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

_HEADER = struct.Struct(">IIIIIIII")
_FRAME = struct.Struct(">IIIIII")
FRAMES_MAX = 1_000_000


class WalFrames(NamedTuple):
    """What the file shows. `transactions` holds the numbers (from 1) of frames of this pass that end a transaction."""

    size_bytes: int
    page_bytes: int
    frames: int
    last_of_pass: int
    transactions: tuple[int, ...]

    def lost_after(self, taken: int) -> int:
        """Return how many whole transactions of this pass lie beyond the frames that SQLite took."""
        return sum(1 for number in self.transactions if number > taken)

    def was_cut(self, wal_bytes: int) -> bool:
        """Say whether the file is shorter than it was (`wal_bytes`) and this pass goes up to the cut."""
        return self.size_bytes < wal_bytes and self.last_of_pass >= self.frames


def read_wal(path: Path) -> WalFrames:
    """Return what a WAL file shows; nothing where it has no header, size -1 where there is none."""
    try:
        size_bytes = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size:
                return WalFrames(size_bytes, 0, 0, 0, ())
            _, _, page_bytes, _, salt1, salt2, _, _ = _HEADER.unpack(head)
            if not 512 <= page_bytes <= 65536:
                return WalFrames(size_bytes, 0, 0, 0, ())
            stride = _FRAME.size + page_bytes
            count = min((size_bytes - _HEADER.size) // stride, FRAMES_MAX)
            last, transactions = 0, []
            for number in range(1, count + 1):
                file.seek(_HEADER.size + (number - 1) * stride)
                _, pages, frame_salt1, frame_salt2, _, _ = _FRAME.unpack(file.read(_FRAME.size))
                if salt1 != frame_salt1 and salt2 != frame_salt2:  # one may be damaged
                    continue
                last = number
                if pages:
                    transactions.append(number)
    except FileNotFoundError:
        return WalFrames(-1, 0, 0, 0, ())
    return WalFrames(size_bytes, page_bytes, count, last, tuple(transactions))


def grow_wal(path: Path, size_bytes: int) -> int:
    """Fill the WAL file with zeros up to a size, so that commits overwrite blocks instead of adding them.

    Zeros are no frames (their salts fit no header). Only by the process that has the journal open. Returns the size.
    """
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        while end < size_bytes:
            end += file.write(bytes(min(1 << 20, size_bytes - end)))
    return end
