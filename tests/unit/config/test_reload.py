"""From what holds and what was read to what holds next."""

from pathlib import Path

import pytest

from hostd.config.load import Loaded, load_config
from hostd.config.reference import config_keys
from hostd.config.reload import Change, changes_between, given_by_program, next_config, value_at
from hostd.config.rooms import Config, is_live

LIVE = ("env", "http.", "retention.", "limits.", "log.")


def loaded(tmp_path: Path, text: str) -> Loaded:
    """Load a file of the given text, which lies where the one before lay."""
    file = tmp_path / "hostd.yaml"
    file.write_text(text)
    return load_config(env={"HOME": "/nowhere"}, file=file)


def test_what_is_reloadable_is_swapped_and_the_rest_waits(tmp_path: Path) -> None:
    """Of one file some keys hold at once; the others keep value and origin, and the change says so."""
    held = loaded(tmp_path, "lua: {workers: 3}\nlimits: {threads: 7}\n")
    read = loaded(tmp_path, "limits:\n  threads: 9\nlua:\n  workers: 5\n")

    following = next_config(held, read)

    assert changes_between(held, read) == [
        Change("lua.workers", 3, 5, f"{tmp_path}/hostd.yaml:4", restart_needed=True),
        Change("limits.threads", 7, 9, f"{tmp_path}/hostd.yaml:2", restart_needed=False),
    ]
    assert (following.config.limits.threads, following.config.lua.workers) == (9, 3)
    assert following.origins["limits.threads"] == f"{tmp_path}/hostd.yaml:2"
    assert following.origins["lua.workers"] == f"{tmp_path}/hostd.yaml:1"
    assert [change.key for change in changes_between(following, read)] == ["lua.workers"]


def test_a_key_that_is_taken_out_of_the_file_goes_back_to_its_default(tmp_path: Path) -> None:
    """The origin is the default again."""
    held = loaded(tmp_path, "retention: {logs: 2d}\n")

    following = next_config(held, loaded(tmp_path, ""))

    assert value_at(following.config, "retention.logs") == Config().retention.logs
    assert "retention.logs" not in following.origins


def test_a_changed_secret_is_a_change_that_shows_nothing(tmp_path: Path) -> None:
    """Neither a declared secret nor one of a plugin's settings is in what is logged and sent."""
    before = "tls: {certificate: c, key: k, key_password: hunter1}\nplugins: {settings: {x: {password: hunter1}}}\n"
    held = loaded(tmp_path, before)

    changes = changes_between(held, loaded(tmp_path, before.replace("hunter1", "hunter2")))

    assert [change.key for change in changes] == ["tls.key_password", "plugins.settings"]
    assert "hunter" not in repr(changes)


def test_what_a_program_decided_has_no_file() -> None:
    """An embedded host shows where its values come from, too."""
    found = given_by_program(Config.model_validate({"limits": {"threads": 3}}))

    assert (found.origins, found.file) == ({"limits.threads": "program"}, None)


@pytest.mark.parametrize("key", [key for key, field in config_keys() if is_live(field)])
def test_only_what_rooms_read_as_they_go_is_reloadable(key: str) -> None:
    """A key is not marked by accident: the rooms that take new values are these; where to listen is none of them."""
    assert key == "plugins.install" or key.startswith(LIVE)
    assert key != "http.listen"
