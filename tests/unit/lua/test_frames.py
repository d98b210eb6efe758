"""Frames: whole, cut anywhere, and hostile."""

from __future__ import annotations

import struct

import pytest

from hostd.lua.frames import FrameDecoder, FrameError, encode_frame


def test_frames_survive_any_cut() -> None:
    """Two frames fed byte by byte come out as they went in, empty parts included."""
    decoder = FrameDecoder(1000)
    stream = encode_frame(b"run", b"", b"\0\xff" * 50) + encode_frame()
    frames = [frame for index in range(len(stream)) for frame in decoder.feed(stream[index : index + 1])]
    assert frames == [[b"run", b"", b"\0\xff" * 50], []]


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<I", 1001),
        struct.pack("<IB", 1, 200),
        struct.pack("<IBI", 5, 1, 99),
        struct.pack("<IBII", 9, 2, 0xFFFFFFFF, 1),
        struct.pack("<I", 0),
    ],
)
def test_frames_that_lie_are_refused(data: bytes) -> None:
    """A length past the limit, past the frame, or no count at all is an error, never an allocation."""
    with pytest.raises(FrameError):
        FrameDecoder(1000).feed(data)
