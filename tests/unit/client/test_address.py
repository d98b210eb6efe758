"""Finding the daemon: flags, environment, data folder."""

from pathlib import Path

import pytest

from hostd.client.address import Door, checked_address, data_folder, find_door, is_local
from hostd.config.load import default_data_folder
from hostd.errors.base import HostdError


def folder(path: Path) -> Path:
    """Return a data folder with a token."""
    (path / "run").mkdir(parents=True)
    (path / "token").write_text("folder-token\n")
    return path


def test_a_flag_wins_over_the_environment_and_that_over_the_folder(tmp_path: Path) -> None:
    """--address, else HOSTD_ADDRESS, else the socket of the data folder."""
    env = {"HOSTD_ADDRESS": "127.0.0.1:2", "HOSTD_DATA": str(folder(tmp_path))}

    assert find_door(address="127.0.0.1:1", env=env).address == "127.0.0.1:1"
    assert find_door(env=env).address == "127.0.0.1:2"
    del env["HOSTD_ADDRESS"]
    assert find_door(env=env) == Door(f"unix:{tmp_path}/run/hostd.sock", "folder-token")


def test_a_folder_says_where_its_socket_lies_when_not_in_it(tmp_path: Path) -> None:
    """A path too long for a socket: `run/address` names another, bare or as unix:."""
    data = folder(tmp_path)
    for written in ("/run/user/1/hostd.sock\n", "unix:/run/user/1/hostd.sock"):
        (data / "run/address").write_text(written)
        assert find_door(data=data, env={}).address == "unix:/run/user/1/hostd.sock"


def test_the_token_comes_from_variable_file_or_folder(tmp_path: Path) -> None:
    """HOSTD_TOKEN, else HOSTD_TOKEN_FILE, else <data>/token."""
    data = folder(tmp_path)
    (tmp_path / "other").write_text(" file-token \n")
    env = {"HOSTD_TOKEN": "variable-token", "HOSTD_TOKEN_FILE": str(tmp_path / "other")}

    assert find_door(data=data, env=env).token == "variable-token"
    del env["HOSTD_TOKEN"]
    assert find_door(data=data, env=env).token == "file-token"
    assert find_door(data=data, env={}).token == "folder-token"
    with pytest.raises(HostdError, match="HOSTD_TOKEN_FILE"):
        find_door(data=data, env={"HOSTD_TOKEN_FILE": str(tmp_path / "absent")})


def test_the_default_folders_token_is_not_shown_to_strangers(tmp_path: Path) -> None:
    """A token is sent beyond this machine only when its folder was named."""
    data = folder(tmp_path / "hostd")
    env = {"XDG_DATA_HOME": str(tmp_path)}

    assert find_door(address="example.org:7420", env=env).token == ""
    assert find_door(address="[::1]:7420", env=env).token == "folder-token"
    assert find_door(address="example.org:7420", data=data, env=env).token == "folder-token"


def test_a_token_with_a_line_break_is_refused() -> None:
    """It would break the header it travels in."""
    with pytest.raises(HostdError, match="token"):
        find_door(address="127.0.0.1:1", token="a\nb", env={})


@pytest.mark.parametrize(
    "given,plain",
    [
        ("127.0.0.1:7420", "127.0.0.1:7420"),
        ("[::1]:7420", "[::1]:7420"),
        ("box.example:1", "box.example:1"),
        ("unix:/a/b.sock", "unix:/a/b.sock"),
        ("unix:///a/b.sock", "unix:/a/b.sock"),
        ("/a/b.sock", "unix:/a/b.sock"),
    ],
)
def test_addresses_are_taken_in_plain_forms(given: str, plain: str) -> None:
    """Host and port, or a socket's path."""
    assert checked_address(given) == plain


@pytest.mark.parametrize(
    "text", ["", "localhost", ":7420", "::1:7420", "a:0", "a:99999", "a:x", "http://a:1", "unix:", "a:१"]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    """The message shows a right one."""
    with pytest.raises(HostdError, match="such as 127.0.0.1:7420") as caught:
        checked_address(text)
    assert caught.value.reason == "ARGUMENT_INVALID"


def test_only_loopback_and_sockets_are_local() -> None:
    """What decides about proxies and tokens."""
    assert all(is_local(text) for text in ("unix:/a", "127.0.0.9:1", "[::1]:1", "localhost:1"))
    assert not any(is_local(text) for text in ("10.0.0.1:1", "localhost.example:1", "[2001:db8::1]:1"))


@pytest.mark.parametrize(
    "env", [{"HOME": "/h"}, {"HOME": "/h", "XDG_DATA_HOME": "/x"}, {"STATE_DIRECTORY": "/var/lib/hostd:/b"}]
)
def test_clients_and_daemon_mean_the_same_folder(env: dict[str, str]) -> None:
    """The default data folder is the daemon's."""
    assert data_folder(env=env) == default_data_folder(env)
