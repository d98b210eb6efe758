"""The sidecar: small, checked, and proof of nothing when damaged."""

from __future__ import annotations

from pathlib import Path

from hostd.journal.sidecar import SIZE_BYTES, LastSeen, Sidecar

SEEN = LastSeen("a" * 32, 12, b"link12", 99, 7, 4_120_000, True)


def test_it_says_what_was_written_last(tmp_path: Path) -> None:
    """What is written is read, by another object too, and the file does not grow."""
    sidecar = Sidecar(tmp_path / "journal.last")
    assert sidecar.read() is None
    for number in (12, 123_456, 13):
        sidecar.write(LastSeen("a" * 32, number, b"link12", 99, 7))
    assert Sidecar(tmp_path / "journal.last").read() == LastSeen("a" * 32, 13, b"link12", 99, 7)
    assert (tmp_path / "journal.last").stat().st_size == SIZE_BYTES
    sidecar.close()
    sidecar.close()


def test_a_damaged_sidecar_proves_nothing(tmp_path: Path) -> None:
    """Any changed byte of it, or a cut, makes it unreadable or leaves it as it was."""
    path = tmp_path / "journal.last"
    sidecar = Sidecar(path)
    sidecar.write(SEEN)
    sidecar.close()
    whole = path.read_bytes()
    for index in range(0, len(whole), 7):
        path.write_bytes(whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :])
        assert Sidecar(path).read() in (None, SEEN)
        path.write_bytes(whole[:index])
        assert Sidecar(path).read() in (None, SEEN)
