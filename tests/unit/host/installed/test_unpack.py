"""Archives that want more than they hold."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from hostd.errors.base import HostdError
from hostd.host.installed import unpack
from hostd.host.installed.offer import offer_of_wheel

ENTRY = "<IHHHHHHIIIHHHHHII"
END = "<IHHHHIIH"
MIB = 1024 * 1024


def packed(file: Path, method: int, mib: int, name: str = "x") -> Path:
    """Write an archive of one file of zeros."""
    with zipfile.ZipFile(file, "w", method) as opened, opened.open(name, "w") as member:
        for _ in range(mib):
            member.write(bytes(MIB))
    return file


def refusal(file: Path, target: Path) -> str:
    """Return why an archive is not unpacked; it must not take much memory to find that out."""
    tracemalloc.start()
    try:
        with pytest.raises(HostdError) as caught:
            unpack.unpack(file, target)
        assert tracemalloc.get_traced_memory()[1] < 32 * MIB
    finally:
        tracemalloc.stop()
    assert caught.value.reason == "PACKAGE_INVALID"
    return caught.value.message


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_cannot_be_unpacked_piece_by_piece_is_refused(tmp_path: Path, method: int) -> None:
    """A kilobyte of bzip2 is gigabytes in one piece; wheels are refused like folders."""
    file = packed(tmp_path / "greet-1.0-py3-none-any.whl", method, 64)
    assert "packed in another way than `deflate`" in refusal(file, tmp_path / "target")
    with pytest.raises(HostdError, match="packed in another way"):
        offer_of_wheel(file, tmp_path)


def test_a_list_of_a_million_files_is_not_read(tmp_path: Path) -> None:
    """Whatever number the archive itself says."""
    one = struct.pack(ENTRY, 0x02014B50, 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"x"
    listed = one * 200_000
    file = tmp_path / "many.zip"
    file.write_bytes(listed + struct.pack(END, 0x06054B50, 0, 0, 1, 1, len(listed), 0, 0))
    assert "lists more than 10,000 files" in refusal(file, tmp_path / "target")


def test_a_file_that_grows_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says of its size is not believed, nor written."""
    monkeypatch.setattr(unpack, "BYTES_MAX", 4 * MIB)
    file = packed(tmp_path / "big.zip", zipfile.ZIP_DEFLATED, 64)
    assert "more than 4 MiB" in refusal(file, tmp_path / "target")
    assert (tmp_path / "target" / "x").stat().st_size <= 4 * MIB


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "a\\..\\out", "x" * 1_001])
def test_nothing_lands_outside(tmp_path: Path, name: str) -> None:
    """Nor is a name taken that no file system has."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        opened.writestr(zipfile.ZipInfo(name), "x")
    assert "no path inside the folder" in refusal(tmp_path / "a.zip", tmp_path / "target")
    assert os.listdir(tmp_path / "target") == []
    assert not (tmp_path / "out").exists()


def test_links_are_refused(tmp_path: Path) -> None:
    """And what is to be written through one never is."""
    link = zipfile.ZipInfo("door")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        opened.writestr(link, str(tmp_path))
        opened.writestr("door/out", "x")
    assert "links and devices are not taken" in refusal(tmp_path / "a.zip", tmp_path / "target")
    assert not (tmp_path / "out").exists()


def test_one_name_for_a_file_and_a_folder(tmp_path: Path) -> None:
    """Is damage, not a fault of the disk."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        opened.writestr("a", "x")
        opened.writestr("a/b", "x")
    assert "names a file twice" in refusal(tmp_path / "a.zip", tmp_path / "target")
