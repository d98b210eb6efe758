"""The schema that editors get."""

from typing import Any

import jsonschema_rs
import pytest

from hostd.config.load import load_config
from hostd.config.reference import config_keys
from hostd.config.schema import config_schema
from hostd.config.shown import shown_values

CHECK = jsonschema_rs.validator_for(config_schema())


def at(key: str, value: Any) -> Any:
    """Return a file that says one value."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def test_every_default_may_be_written() -> None:
    """What `config show` prints of a daemon without a file is valid as a file."""
    for line in shown_values(load_config(env={"HOME": "/nowhere"})):
        CHECK.validate(at(line.key, line.value))


@pytest.mark.parametrize("key", [key for key, _ in config_keys()])
def test_every_key_is_described(key: str) -> None:
    """Each has its sentence, and says whether a reload changes it."""
    node: Any = config_schema()
    for part in key.split("."):
        node = node["properties"][part]
    assert node["description"].count(".") >= 2
    assert ("A reload changes it." in node["description"]) != ("needs a restart" in node["description"])


@pytest.mark.parametrize(
    ("file", "valid"),
    [
        ({"limits": {"threads": "${THREADS}"}}, True),
        ({"limits": None, "plugins": {"settings": {"http": None}}}, True),
        ({"http": {"body_max": 65536}, "retention": {"runs": "1h30m"}}, True),
        ({"listn": "x"}, False),
        ({"limits": {"threads": 0}}, False),
        ({"limits": {"threads": "many"}}, False),
        ({"retention": {"runs": 5}}, False),
        ({"http": {"body_max": "64 kilobytes"}}, False),
        ({"log": {"level": "loud"}}, False),
    ],
)
def test_an_editor_sees_what_the_daemon_would_refuse(file: Any, valid: bool) -> None:
    """Misspelt keys, wrong units, values out of bounds; a variable may stand for anything."""
    assert CHECK.is_valid(file) == valid
