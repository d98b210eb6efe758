"""What plugins said is remembered, and nothing is believed that is not exactly that."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hostd.host.process import hellos
from hostd.host.process.hellos import MAGIC, Hellos, Said, difference
from hostd.plugin.v1 import host_pb2 as pb

GREET = pb.Component(kind="action", id="greet.say", effects="none", options_schema=b'{"type":"object"}')
TELL = pb.Component(kind="trigger", id="greet.tell", instances="ONE")
SAID = Said((GREET, TELL), ">=1.0")


@pytest.fixture
def memory(tmp_path: Path) -> Hellos:
    """One that knows a plugin."""
    kept = Hellos(tmp_path)
    kept.keep("greet", "d1", SAID)
    return kept


@pytest.fixture
def file(memory: Hellos, tmp_path: Path) -> Path:
    """Where it is written down."""
    return tmp_path / "cache" / "plugins" / "greet.hello"


def test_what_was_said_is_known_while_the_plugin_is_the_same(memory: Hellos) -> None:
    """Another content is another plugin; what is said later takes the place of what was said before."""
    assert memory.recall("greet", "d1") == SAID
    assert memory.recall("greet", "d2") is None
    assert memory.recall("other", "d1") is None
    memory.keep("greet", "d2", Said((TELL,)))
    assert memory.recall("greet", "d2") == Said((TELL,))
    assert memory.recall("greet", "d1") is None


def test_nobody_else_may_read_it_and_it_goes_with_the_plugin(memory: Hellos, file: Path) -> None:
    """Schemas of private plugins are nobody's business."""
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0
    memory.sweep({"greet"})
    assert file.exists()
    memory.sweep(set())
    assert not file.exists()


def _other(components: list[pb.Component]) -> Callable[[Path], None]:
    """Write, with the right sum, what no process could say."""

    def write(file: Path) -> None:
        body = pb.Hello(components=components).SerializeToString()
        file.write_bytes(MAGIC + hellos._sum("greet", "d1", body) + body)

    return write


def _linked(file: Path) -> None:
    file.rename(file.with_suffix(".real"))
    file.symlink_to(file.with_suffix(".real"))


def _piped(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: file.write_bytes(file.read_bytes() + b"x"),
        lambda file: file.write_bytes(file.read_bytes().replace(b"greet.say", b"greet.pay")),
        lambda file: file.write_bytes(file.read_bytes().replace(b"hostd-hello-1", b"hostd-hello-2")),
        lambda file: os.truncate(file, hellos.BYTES_MAX + 1),
        _linked,
        _piped,
        _other([]),
        _other([pb.Component(kind="action", id="flow.wait", effects="none")]),
        _other([pb.Component(kind="action", id="a.b", effects="none", options_schema=b"{")]),
    ],
)
def test_what_was_altered_counts_as_nothing(memory: Hellos, file: Path, spoil: Callable[[Path], None]) -> None:
    """Damaged, changed, replaced, or never said by any process: the plugin is asked."""
    spoil(file)
    assert memory.recall("greet", "d1") is None


def test_another_hostd_asks_anew(memory: Hellos, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may read more into the same plugin."""
    monkeypatch.setattr(hellos, "VERSION", "99.0")
    assert memory.recall("greet", "d1") is None


def test_differences_are_told_where_they_matter() -> None:
    """New, gone, changed; words alone, and the order of keys in a schema, are no change."""
    schema = b'{"type":"object","properties":{"n":{"type":"integer"}}}'
    turned = b'{"properties":{"n":{"type":"integer"}},"type":"object"}'
    before = (pb.Component(kind="action", id="a.b", effects="none", options_schema=schema), TELL)
    assert (
        difference(before, (pb.Component(kind="action", id="a.b", effects="none", options_schema=turned), TELL)) == ""
    )
    worded = pb.Component(kind="trigger", id="greet.tell", instances="ONE", description="Tells.")
    assert difference(before, (before[0], worded)) == ""
    after = (pb.Component(kind="action", id="a.b", effects="at_most_once", options_schema=schema), GREET)
    assert difference(before, after) == "new: action greet.say; gone: trigger greet.tell; changed: action a.b"
