"""How a plugin process begins, loses its host, finds it again, and ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import grpc
import pytest
from plugin_child import PluginChild, TestHost, attempt_id, start_of

from hostd.plugin.v1 import host_pb2 as pb

MINIMAL = """
from hostd.plugin import *

class NoOptions(Options): ...

class One(Action[NoOptions]):
    id = "small.one"
    async def run(self, ctx, options):
        from {name} import inner
        return inner.VALUE

@hookimpl
def hostd_register(registry): registry.action(One)
"""

BROKEN = {
    "raises": ("raise RuntimeError('at import')", "PLUGIN_FAILED", "RuntimeError: at import"),
    "exits": ("import sys; sys.exit(3)", "PLUGIN_FAILED", "SystemExit"),
    "strange": ("class S(BaseException): pass\nraise S('odd')", "PLUGIN_FAILED", "S: odd"),
    "forgets": (MINIMAL.replace("@hookimpl\n", ""), "NOTHING_REGISTERED", "did you forget @hookimpl?"),
    "newer": (MINIMAL + "\napi = '>=2.0'\n", "PLUGIN_FAILED", "plugin API >=2.0"),
    "constructor": (
        MINIMAL.replace("    async def run", "    def __init__(self): raise ValueError('in init')\n    async def run"),
        "PLUGIN_FAILED",
        "ValueError: in init",
    ),
    "schema": (MINIMAL.replace("NoOptions(Options): ...", "NoOptions(Options): x: object()"), "PLUGIN_FAILED", ""),
}


def folder_of(tmp_path: Path, name: str, source: str) -> Path:
    """Write a plugin's folder."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text(source.replace("{name}", name))
    (folder / "inner.py").write_text("VALUE = 'inner'\n")
    return folder


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_plugin_says_why_and_goes(host: TestHost, tmp_path: Path, name: str) -> None:
    """Hello with reason, message and traceback of the plugin's own frames, then the end, with exit code 1."""
    source, reason, words = BROKEN[name]
    child = await PluginChild.start(host, folder_of(tmp_path, f"plug_{name}", source))
    hello = await host.hello()
    assert (hello.broken.reason, words in hello.broken.message) == (reason, True), hello.broken
    assert not hello.components
    if name in ("raises", "exits", "strange", "constructor"):
        assert f"plug_{name}" in hello.broken.traceback
        assert "hostd/plugin" not in hello.broken.traceback
    assert await child.exit_code() == 1
    assert reason in child.output


async def test_a_broken_plugin_goes_though_the_host_turns_it_away(host: TestHost, tmp_path: Path) -> None:
    """A host that ends the stream instead of saying Welcome has heard it all the same."""
    host.refuse = (grpc.StatusCode.FAILED_PRECONDITION, "broken")
    child = await PluginChild.start(host, folder_of(tmp_path, "plug_sick", "1/0"))
    assert (await host.hello()).broken.reason == "PLUGIN_FAILED"
    assert await child.exit_code() == 1


@pytest.mark.parametrize("name", ["plain", "json", "with-dash"])
async def test_folders_load_whatever_they_are_called(host: TestHost, tmp_path: Path, name: str) -> None:
    """A folder that is a package, one named like a module of Python's own, and one whose name Python cannot write."""
    source = MINIMAL.replace("from {name} import inner", "from . import inner")
    folder = folder_of(tmp_path, name, source)
    child = await PluginChild.start(host, folder)
    connection = await host.connection()
    await connection.say(start_attempt=start_of("small.one"))
    assert json.loads((await connection.hear("outcome")).output) == "inner"
    await child.close()


async def test_a_folder_that_holds_the_package(host: TestHost, tmp_path: Path) -> None:
    """The package inside is imported under its own name; two of them are one too many."""
    outer = tmp_path / "outer"
    outer.mkdir()
    folder_of(outer, "small_pack", MINIMAL)
    child = await PluginChild.start(host, outer)
    connection = await host.connection()
    await connection.say(start_attempt=start_of("small.one"))
    assert json.loads((await connection.hear("outcome")).output) == "inner"
    await child.close()
    folder_of(outer, "another", MINIMAL)
    child = await PluginChild.start(host, outer)
    assert "small_pack" in (await host.hello() and await host.hello()).broken.message
    await child.close()


async def test_an_entry_point_is_loaded(host: TestHost, tmp_path: Path) -> None:
    """`module` and `module:attr` lead to the hook; a wrong one is told as broken."""
    source = MINIMAL.replace(
        "@hookimpl\ndef hostd_register(registry)", "class Here:\n  @hookimpl\n  def hostd_register(self, registry)"
    )
    folder_of(tmp_path, "packed", source + "\nhere = Here()\n")
    child = await PluginChild.start(host, tmp_path / "x", "--entry-point", "packed:here", PYTHONPATH=str(tmp_path))
    assert [one.id for one in (await host.hello()).components] == ["small.one"]
    await child.close()
    child = await PluginChild.start(host, tmp_path / "x", "--entry-point", "packed:gone", PYTHONPATH=str(tmp_path))
    assert "leads nowhere" in (await host.hello()).broken.message
    assert await child.exit_code() == 1


@pytest.mark.parametrize("how", ["version", "cookie"])
async def test_a_host_that_does_not_want_it_ends_it(host: TestHost, tmp_path: Path, how: str) -> None:
    """No common version, a wrong cookie: one line, exit code 3, no second try."""
    if how == "version":
        host.protocol = 2
    else:
        host.refuse = (grpc.StatusCode.UNAUTHENTICATED, "the cookie is not one this host gave")
    child = await PluginChild.start(host, folder_of(tmp_path, "small", MINIMAL))
    assert await child.exit_code() == 3
    (line,) = child.output.splitlines()
    assert ("protocol 2" if how == "version" else "the cookie is not one") in line


async def test_a_wrong_command_line_is_told(host: TestHost, tmp_path: Path) -> None:
    """Exit code 2 and how it is used."""
    child = await PluginChild.start(host, tmp_path / "x", "--nonsense")
    assert await child.exit_code() == 2
    assert "--entry-point MODULE" in child.output
    child = await PluginChild.start(host, tmp_path / "y", "--folder", "x", HOSTD_PLUGIN_ORPHAN_S="soon")
    assert await child.exit_code() == 2
    assert "HOSTD_PLUGIN_ORPHAN_S" in child.output


async def test_attempts_outlive_the_host(host: TestHost, sample: PluginChild, tmp_path: Path) -> None:
    """What runs and what is not recorded is listed in the next Hello; outcomes come again until they are recorded."""
    first = await host.connection()
    await first.say(start_attempt=start_of("sample.wait"))
    await first.say(start_attempt=start_of("sample.beat"))
    await first.say(start_attempt=start_of("sample.greet", {"name": "x"}))
    outcomes = {(await first.hear("outcome")).id.step for _ in range(2)}
    assert outcomes == {"sample.beat", "sample.greet"}
    await first.say(recorded=pb.Recorded(ids=[attempt_id("sample.greet")]))
    await first.ask(ping=pb.Ping())
    await host.stop()
    await host.start()
    second = await host.connection()
    assert list(second.hello.running) == [attempt_id("sample.wait"), attempt_id("sample.beat")]
    assert json.loads((await second.hear("heartbeat")).progress) == {"n": 999}
    assert (await second.hear("outcome")).id.step == "sample.beat"
    await host.stop()
    (tmp_path / "gate").touch()
    while "waiting" not in sample.output:
        await asyncio.sleep(0.01)
    await host.start()
    third = await host.connection()
    again = {(await third.hear("outcome")).id.step for _ in range(2)}
    assert again == {"sample.wait", "sample.beat"}
    await third.say(start_attempt=start_of("sample.wait"))  # asked twice: not run twice
    assert json.loads((await third.hear("outcome")).output) == "went on"
    assert sample.output.count("waiting") == 1


async def test_a_question_is_asked_again_only_where_that_is_safe(host: TestHost, sample: PluginChild) -> None:
    """A lost connection fails `kv.add`, which may have been done; reading a secret is asked again."""
    first = await host.connection()
    await first.say(start_attempt=start_of("sample.ask", {"how": "add"}, step="add"))
    await first.say(start_attempt=start_of("sample.ask", {"how": "secret"}, step="secret"))
    assert {(await first.hear("host_call")).method for _ in range(2)} == {"kv.add", "secrets.get"}
    await host.stop()
    await host.start()
    second = await host.connection()
    assert json.loads((await second.hear("outcome")).output) == {"reason": "UNREACHABLE", "kind": "UNAVAILABLE"}
    asked = await second.heard("host_call")
    assert asked.host_call.method == "secrets.get"
    await second.reply(asked, host_answer=pb.HostAnswer(result=b'{"value": "s"}'))
    assert json.loads((await second.hear("outcome")).output) == "s"


async def test_a_later_owner_takes_an_attempt_over(host: TestHost, sample: PluginChild, tmp_path: Path) -> None:
    """Begun again under a later epoch, the old one stops without an outcome; an earlier epoch is refused."""
    connection = await host.connection()
    await connection.say(start_attempt=start_of("sample.wait", epoch=7))
    await connection.say(start_attempt=start_of("sample.wait", epoch=8))
    await connection.say(start_attempt=start_of("sample.wait", epoch=6))
    stale = await connection.hear("outcome")
    assert (stale.id.epoch, stale.fault.reason, stale.fault.retryable) == (6, "STALE_ATTEMPT", False)
    (tmp_path / "gate").touch()
    assert (await connection.hear("outcome")).id.epoch == 8
    await connection.ask(ping=pb.Ping())
    assert connection.waiting("outcome") == 0


async def test_drain_lets_attempts_end(host: TestHost, sample: PluginChild, tmp_path: Path) -> None:
    """What runs goes on, what comes is refused as retryable; once all is recorded the process goes with exit code 0."""
    connection = await host.connection()
    await connection.say(start_attempt=start_of("sample.wait"))
    await connection.say(drain=pb.Drain(grace_ms=15_000))
    await connection.hear("leaving")
    await connection.say(start_attempt=start_of("sample.greet", {"name": "x"}))
    refused = await connection.hear("outcome")
    assert (refused.fault.reason, refused.fault.retryable) == ("DRAINING", True)
    (tmp_path / "gate").touch()
    outcome = await connection.hear("outcome")
    await connection.say(recorded=pb.Recorded(ids=[outcome.id]))
    await connection.closed_by_child.wait()
    assert await sample.exit_code() == 0


async def test_sigterm_drains_and_cuts_off_what_does_not_end(host: TestHost, sample: PluginChild) -> None:
    """It says that it leaves; a drain that runs out ends without an outcome, for the host knows what that means."""
    connection = await host.connection()
    await connection.say(start_attempt=start_of("sample.wait"))
    await connection.ask(ping=pb.Ping())
    await connection.say(drain=pb.Drain(grace_ms=100))
    await connection.closed_by_child.wait()
    assert connection.waiting("outcome") == 0
    assert await sample.exit_code() == 0
    assert "cancelled" in sample.output


async def test_sigterm_ends_a_drain_that_takes_long(host: TestHost, sample: PluginChild) -> None:
    """Whoever asked for the drain wants it over: it does not wait for the rest of the grace."""
    connection = await host.connection()
    await connection.say(start_attempt=start_of("sample.wait"))
    await connection.say(drain=pb.Drain(grace_ms=600_000))
    await connection.hear("leaving")
    os.kill(sample.process.pid, signal.SIGTERM)
    assert await sample.exit_code() == 0


async def test_sigterm_ends_an_idle_process(host: TestHost, sample: PluginChild) -> None:
    """Exit code 0."""
    connection = await host.connection()
    await connection.ask(ping=pb.Ping())
    os.kill(sample.process.pid, signal.SIGTERM)
    await connection.hear("leaving")
    assert await sample.exit_code() == 0


async def test_an_orphan_ends_by_itself(host: TestHost, tmp_path: Path) -> None:
    """When the host stays away, everything is cancelled and closed; the exit code is 4."""
    closes = "    async def close(self): print('closed', flush=True)\n"
    closes += "    async def provision(self, ctx): pass\n    async def run"
    source = MINIMAL.replace("    async def run", closes)
    child = await PluginChild.start(host, folder_of(tmp_path, "small", source), HOSTD_PLUGIN_ORPHAN_S="0.3")
    connection = await host.connection()
    await connection.say(start_attempt=start_of("small.one"))
    await connection.hear("outcome")
    await host.stop()
    assert await child.exit_code() == 4
    assert "closed" in child.output
    assert "did not come back within 0.3 s" in child.output


async def test_the_end_of_standard_input_is_the_end_of_the_host(host: TestHost, sample: PluginChild) -> None:
    """The process does not trust the connection any more and dials again; whoever listens there may take it over."""
    first = await host.connection()
    await first.say(start_attempt=start_of("sample.wait"))
    await first.ask(ping=pb.Ping())
    assert sample.process.stdin is not None
    sample.process.stdin.close()
    second = await host.connection()
    assert list(second.hello.running) == [attempt_id("sample.wait")]


async def test_a_blocked_loop_does_not_answer(host: TestHost, sample: PluginChild) -> None:
    """Ping tells a process that hangs from one that works; the host then kills it."""
    connection = await host.connection()
    await connection.say(start_attempt=start_of("sample.stuck"))
    while "stuck" not in sample.output:
        await asyncio.sleep(0.01)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await connection.ask(ping=pb.Ping())
