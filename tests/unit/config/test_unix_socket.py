"""Where the Unix socket lies, and what must not be there."""

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostd.config.unix_socket import PATH_BYTES_MAX, prepare_socket
from hostd.errors.base import HostdError


def test_it_lies_in_the_data_folder(tmp_path: Path) -> None:
    """The folder is made, and only we may enter it."""
    path = prepare_socket(tmp_path)
    assert path == tmp_path / "run/hostd.sock"
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path: pytest's own are half as long as a socket's path may be."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_a_long_path_lies_elsewhere(tmp_path: Path, short: Path) -> None:
    """Past what the kernel takes it moves, and `run/address` says where; two data folders get two."""
    runtime = short
    data = tmp_path / ("x" * PATH_BYTES_MAX)
    data.mkdir()
    path = prepare_socket(data, {"XDG_RUNTIME_DIR": str(runtime)})
    assert path.is_relative_to(runtime)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert (data / "run/address").read_text() == f"unix:{path}\n"
    other = tmp_path / ("y" * PATH_BYTES_MAX)
    other.mkdir()
    assert prepare_socket(other, {"XDG_RUNTIME_DIR": str(runtime)}) != path


def test_an_open_folder_is_refused(tmp_path: Path) -> None:
    """Whoever could enter it would be trusted as the owner."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o755)
    with pytest.raises(HostdError, match="CONFIG_INVALID"):
        prepare_socket(tmp_path)


def test_a_link_is_refused(tmp_path: Path) -> None:
    """A link could lead to a folder of somebody else."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HostdError, match="CONFIG_INVALID"):
        prepare_socket(tmp_path)


def test_a_dead_daemons_socket_goes(tmp_path: Path) -> None:
    """After kill -9 the socket is still there and in nobody's way; a file that is none is never deleted."""
    path = prepare_socket(tmp_path)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert path.exists()
    assert not prepare_socket(tmp_path).exists()
    path.write_text("mine")
    with pytest.raises(HostdError, match="CONFIG_INVALID"):
        prepare_socket(tmp_path)
    assert path.read_text() == "mine"
