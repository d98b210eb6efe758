"""The small parts of a plugin process, each by itself."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from hostd.errors.base import HostdError, Kind, Violation
from hostd.plugin import ActionError
from hostd.plugin.guard import fault_of
from hostd.plugin.loading import Refused
from hostd.plugin.process.__main__ import main
from hostd.plugin.process.birth import BadStartError, Birth, read_birth, read_births
from hostd.plugin.process.outbox import BATCH_BYTES, FRAMES_MAX, Outbox
from hostd.plugin.process.source import import_folder
from hostd.plugin.process.wire import error_of, fault_to_wire
from hostd.plugin.v1 import host_pb2 as pb

ENVIRONMENT = {"HOSTD_PLUGIN_ADDRESS": "unix:/x", "HOSTD_PLUGIN_COOKIE": "c", "HOSTD_PLUGIN_ID": "p"}


def test_what_a_process_is_told() -> None:
    """Environment and arguments are read whole, or refused in a sentence."""
    birth = read_birth(["--folder", "/f"], {**ENVIRONMENT, "HOSTD_PLUGIN_ORPHAN_S": "1.5"})
    assert birth == Birth("unix:/x", "c", "p", "", folder="/f", orphan_s=1.5)
    assert read_birth(["--entry-point", "a:b"], ENVIRONMENT).orphan_s == 30
    for arguments, environment, words in (
        ([], ENVIRONMENT, "usage"),
        (["--folder", ""], ENVIRONMENT, "usage"),
        (["--folder", "/f"], {}, "HOSTD_PLUGIN_ADDRESS, HOSTD_PLUGIN_COOKIE, HOSTD_PLUGIN_ID"),
        (["--folder", "/f"], {**ENVIRONMENT, "HOSTD_PLUGIN_ORPHAN_S": "nan"}, "seconds from 0"),
    ):
        with pytest.raises(BadStartError, match=words):
            read_birth(arguments, environment)


def test_a_process_may_be_told_to_be_several() -> None:
    """Each member has its own cookie, id, version and source; what is no list of members is refused."""
    member = {"arguments": ["--folder", "/f"], "HOSTD_PLUGIN_COOKIE": "c1", "HOSTD_PLUGIN_ID": "p1"}
    other = {**member, "arguments": ["--entry-point", "a:b"], "HOSTD_PLUGIN_ID": "p2", "HOSTD_PLUGIN_VERSION": "2"}
    told = json.dumps([{**member, "HOSTD_PLUGIN_VERSION": ""}, other])
    births = read_births(["--group"], {**ENVIRONMENT, "HOSTD_PLUGIN_GROUP": told})
    assert births == [
        Birth("unix:/x", "c1", "p1", "", folder="/f"),
        Birth("unix:/x", "c1", "p2", "2", entry_point="a:b"),
    ]
    assert len(read_births(["--folder", "/f"], ENVIRONMENT)) == 1
    for text in ("", "[]", "{}", "[1]", json.dumps([member]), json.dumps([other] * 101)):
        with pytest.raises(BadStartError):
            read_births(["--group"], {**ENVIRONMENT, "HOSTD_PLUGIN_GROUP": text})


def test_a_wrong_start_is_exit_code_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With one sentence on standard error."""
    monkeypatch.setattr(sys, "argv", ["x"])
    assert main() == 2
    assert "usage" in capsys.readouterr().err


def test_a_folder_leaves_other_modules_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its parent comes last on the path, and a module that is called the same stays what it was."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    folder = tmp_path / "colorsys"
    folder.mkdir()
    (folder / "__init__.py").write_text("MINE = True")
    module = import_folder(folder, "colors")
    assert (module.MINE, module.__name__, sys.path[-1]) == (True, "hostd_folder_colorsys", str(tmp_path))
    import colorsys

    assert not hasattr(colorsys, "MINE")
    with pytest.raises(Refused, match="there is no folder"):
        import_folder(tmp_path / "gone", "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refused, match="holds none"):
        import_folder(tmp_path / "empty", "empty")


async def test_the_outbox_is_bounded() -> None:
    """Whoever can wait waits while it is full; what must go is taken; room lets the next one in, in order."""
    outbox = Outbox()
    for _ in range(FRAMES_MAX):
        await outbox.put(pb.FromPlugin(call=1))
    late = asyncio.get_running_loop().create_task(outbox.put(pb.FromPlugin(call=2)))
    await asyncio.sleep(0)
    assert not late.done()
    outbox.push(pb.FromPlugin(call=3))
    calls = []
    for _ in range(FRAMES_MAX + 2):
        frame = (await outbox.next())[0].frame
        assert frame is not None
        calls.append(frame.call)
        await asyncio.sleep(0)
    assert calls[FRAMES_MAX:] == [3, 2]
    outbox.push(pb.FromPlugin(host_call=pb.HostCall(data=b"x" * 33 * 1024 * 1024)))
    assert outbox.full
    outbox.clear()
    assert not outbox.full


async def test_the_outbox_gives_what_goes_together() -> None:
    """As many as are asked for, bounded in bytes; the end comes by itself, after everything else."""
    outbox = Outbox()
    for call in (1, 2, 3):
        outbox.push(pb.FromPlugin(call=call))
    outbox.push(pb.FromPlugin(call=4, host_call=pb.HostCall(data=b"x" * BATCH_BYTES)))
    outbox.finish()
    together = [[leaf.frame.call if leaf.frame else 0 for leaf in await outbox.next(2)] for _ in range(4)]
    assert together == [[1, 2], [3], [4], [0]]


def test_faults_survive_the_wire() -> None:
    """An error of hostd's comes back with kind, details, violations and wait; an action's own with its code."""
    error = HostdError(
        Kind.EXHAUSTED, "INTAKE_FULL", "full", details={"a": "b"}, violations=(Violation("x", "R", "m"),),
        retry_after_s=2,
    )  # fmt: skip
    back = error_of(fault_to_wire(fault_of(error)))
    assert isinstance(back, HostdError)
    assert (back.kind, back.reason, back.message, back.details) == (Kind.EXHAUSTED, "INTAKE_FULL", "full", {"a": "b"})
    assert ([one.path for one in back.violations], back.retry_after_s) == (["x"], 2)
    own = error_of(fault_to_wire(fault_of(ActionError("\ud800", code="C", retryable=True, details={"n": 1}))))
    assert isinstance(own, ActionError)
    assert (own.message, own.code, own.retryable, own.details) == ("?", "C", True, {"n": 1})
    made_up = error_of(pb.Fault(reason="NEWER", message="m", retryable=True, details=b"no json"))
    assert isinstance(made_up, HostdError)
    assert (made_up.kind, made_up.reason) == (Kind.UNAVAILABLE, "NEWER")
