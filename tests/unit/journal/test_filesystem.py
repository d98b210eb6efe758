"""Where a journal may lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostd.errors.base import HostdError
from hostd.journal import filesystem

MOUNTS = """22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:26 / /home rw - nfs4 server:/home rw
31 30 0:27 / /home/me/local rw - xfs /dev/sdb rw
32 22 0:28 / /mnt/a\\040b rw - cifs //server/share rw
"""


@pytest.mark.parametrize(
    "path, kind",
    [
        ("/var/lib", "ext4"),
        ("/home/me", "nfs4"),
        ("/home/me/local/x", "xfs"),
        ("/homes", "ext4"),
        ("/mnt/a b/c", "cifs"),
    ],
)
def test_the_nearest_mount_decides(path: str, kind: str) -> None:
    """A path's file system is that of the longest mount point above it."""
    assert filesystem.mount_kind(MOUNTS, Path(path)) == kind


def test_network_file_systems_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder on NFS is refused before any file is made in it."""
    table = tmp_path / "mountinfo"
    table.write_text("22 1 259:1 / / rw,relatime shared:1 - nfs4 server:/ rw\n")
    monkeypatch.setattr(filesystem, "_MOUNTS", table)
    with pytest.raises(HostdError, match="JOURNAL_NETWORK_FS"):
        filesystem.prepare_folder(tmp_path / "data")


def test_a_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    """A missing data folder is made, readable by nobody else."""
    filesystem.prepare_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    """Where the data folder should be and a file is, the error says so."""
    (tmp_path / "data").write_text("x")
    with pytest.raises(HostdError, match="JOURNAL_READ_ONLY"):
        filesystem.prepare_folder(tmp_path / "data")
