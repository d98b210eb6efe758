"""Length-prefixed frames between the daemon and a script worker. Standard library only: the worker loads this too.

A frame is `u32 length, u8 count, count x u32 part length, parts`, little endian; `length` counts what follows it.
"""

from __future__ import annotations

import os
import struct

MAX_PARTS = 16
_LENGTH = struct.Struct("<I")


class FrameError(Exception):
    """The bytes are not a frame, or one larger than allowed."""


def encode_frame(*parts: bytes) -> bytes:
    """Return one frame holding the parts in order."""
    count = len(parts)
    length = 1 + 4 * count + sum(map(len, parts))
    head = struct.pack(f"<IB{count}I", length, count, *map(len, parts))
    return b"".join((head, *parts))


def split_frame(body: bytes) -> list[bytes]:
    """Return the parts of a frame, given the bytes after its length.

    Raises:
        FrameError: the part lengths do not add up.
    """
    if not body or body[0] > MAX_PARTS or len(body) < 1 + 4 * body[0]:
        raise FrameError("a frame with a broken head")
    count = body[0]
    lengths = struct.unpack_from(f"<{count}I", body, 1)
    position = 1 + 4 * count
    if position + sum(lengths) != len(body):
        raise FrameError("a frame whose parts do not add up")
    parts = []
    for length in lengths:
        parts.append(body[position : position + length])
        position += length
    return parts


class FrameDecoder:
    """Cuts a stream into frames.

    Args:
        max_bytes: a frame longer than this is an error, before its bytes are kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[list[bytes]]:
        """Return the frames that are complete now.

        Raises:
            FrameError: see the class; the stream is of no use afterwards.
        """
        self._buffer += data
        frames = []
        while len(self._buffer) >= 4:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > self._max_bytes:
                raise FrameError(f"a frame of {length} bytes; {self._max_bytes} are allowed")
            if len(self._buffer) < 4 + length:
                break
            frames.append(split_frame(bytes(self._buffer[4 : 4 + length])))
            del self._buffer[: 4 + length]
        return frames


def _read_exactly(fd: int, count: int) -> bytes:
    chunks = []
    while count:
        chunk = os.read(fd, min(count, 1 << 20))
        if not chunk:
            raise EOFError
        chunks.append(chunk)
        count -= len(chunk)
    return b"".join(chunks)


def read_frame(fd: int) -> list[bytes]:
    """Block until one frame has come, and return its parts. The other side is trusted.

    Raises:
        EOFError: the other side is gone.
    """
    (length,) = _LENGTH.unpack(_read_exactly(fd, 4))
    return split_frame(_read_exactly(fd, length))


def write_frame(fd: int, *parts: bytes) -> None:
    """Block until one frame is written."""
    rest = memoryview(encode_frame(*parts))
    while rest:
        rest = rest[os.write(fd, rest) :]
