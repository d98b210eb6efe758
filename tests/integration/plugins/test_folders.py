"""Plugins as folders: dropped in, changed, broken and taken away while the daemon runs."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, of_kind

from hostd.host.found import PluginReport, PluginState, Source
from hostd.model.records import AttemptSucceeded
from hostd.values.json_text import parse_json

GREET = '''
from hostd.plugin import Action, Field, Options, Registry, hookimpl

class GreetOptions(Options):
    name: str = Field("you", description="Who is greeted.")

class Greet(Action[GreetOptions]):
    """Greets."""

    id, since, stability, effects, executors = "greet.say", "0.1", "stable", "none", ("inline", "process")

    async def run(self, ctx, options):
        return {"text": f"WORD {options.name}"}

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Greet)
'''
SHOUT = """
manifest: 1
id: shouting
version: 1.2.0
runtime: lua
actions:
  text.shout:
    file: shout.lua
    description: Says it louder.
    options:
      text: {type: string, required: true, max: 10, description: What is said.}
      times: {type: integer, default: 1, min: 1}
"""
CALL = "workflow: w\nsteps:\n  a: {uses: %s, with: {%s}}\n"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A core that watches a folder of plugins."""
    opened = await Lab(tmp_path / "data").open()
    yield opened
    await opened.core.lua.close()
    await opened.close()


def folder(tmp_path: Path, name: str, **files: str) -> Path:
    """Write a plugin's folder, as a copy would put it there."""
    path = tmp_path / "data" / "plugins" / name
    path.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (path / file.replace("_dot_", ".").replace("_dash_", "-")).write_text(text)
    return path


def python(tmp_path: Path, text: str, name: str = "greeter") -> Path:
    """Write a Python plugin."""
    return folder(tmp_path, name, __init___dot_py=text)


def report(lab: Lab, plugin: str) -> PluginReport | None:
    """Return what became of a plugin."""
    return next((one for one in lab.core.host.registry.plugins if one.id == plugin), None)


async def there(lab: Lab, action: str) -> Any:
    """Wait until an action can be used."""
    return await lab.until(lambda: lab.core.host.registry.action(action))


async def output(lab: Lab, action: str, options: str) -> Any:
    """Run one step; return its output."""
    row, records = await lab.run(CALL % (action, options))
    done = of_kind(records, AttemptSucceeded)
    return parse_json(done[0].output) if done else row.reason


async def test_a_python_folder_serves_at_once_and_its_next_version_after_it(lab: Lab, tmp_path: Path) -> None:
    """Dropped in, used, changed, used: each version in a process of its own, none of them inside the daemon."""
    path = python(tmp_path, GREET.replace("WORD", "hello"))
    await there(lab, "greet.say")
    assert await output(lab, "greet.say", "name: Ada") == {"text": "hello Ada"}

    served = lab.core.host.registry.action("greet.say")
    (path / "__init__.py").write_text(GREET.replace("WORD", "good day"))
    await lab.until(lambda: lab.core.host.registry.action("greet.say") is not served)
    assert await output(lab, "greet.say", "name: Ada") == {"text": "good day Ada"}


async def test_a_broken_next_version_leaves_the_old_one_serving(lab: Lab, tmp_path: Path) -> None:
    """The mistake is shown beside the plugin; mending the folder mends it."""
    path = python(tmp_path, GREET.replace("WORD", "hello"))
    await there(lab, "greet.say")
    (path / "__init__.py").write_text("this is no Python")

    found = await lab.until(lambda: (one := report(lab, "greeter")) and "does not serve" in one.message and one)
    assert "SyntaxError" in found.message
    assert found.state is PluginState.LOADED
    assert await output(lab, "greet.say", "name: Ada") == {"text": "hello Ada"}

    (path / "__init__.py").write_text(GREET.replace("WORD", "again"))
    await lab.until(lambda: (one := report(lab, "greeter")) and not one.message)
    assert await output(lab, "greet.say", "name: Ada") == {"text": "again Ada"}


async def test_a_folder_that_is_taken_away_takes_its_actions_with_it(lab: Lab, tmp_path: Path) -> None:
    """Who still uses it hears that nothing provides it."""
    path = python(tmp_path, GREET)
    await there(lab, "greet.say")
    workflow = await lab.register(CALL % ("greet.say", "name: Ada"))

    shutil.rmtree(path)
    await lab.until(lambda: lab.core.host.registry.action("greet.say") is None)

    assert (await lab.ended(await lab.start(workflow))).reason == "ACTION_UNKNOWN"
    assert report(lab, "greeter") is None


async def test_a_folder_of_folders_that_vanishes_takes_nothing_with_it(
    lab: Lab, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that is away is no order to let go of every plugin, nor is a link to itself; it is told once."""
    path = folder(tmp_path, "shouting", hostd_dash_plugin_dot_yaml=SHOUT, shout_dot_lua="return input.text:upper()")
    await lab.until(lambda: lab.core.host.registry.action("text.shout"))
    (path.parent / "loop").symlink_to(path.parent / "loop")
    folders = lab.core.host.folders
    assert folders is not None
    for away in (False, True):
        if away:
            path.parent.rename(tmp_path / "away")
        for _ in range(3):
            await folders.look()
        assert lab.core.host.registry.action("text.shout") is not None
    told = [line for line in caplog.messages if line.startswith("plugins_dir_unreadable")]
    assert len(told) == 1
    assert "bring the folder back" in told[0]

    (tmp_path / "away").rename(path.parent)
    shutil.rmtree(path)
    await lab.until(lambda: lab.core.host.registry.action("text.shout") is None)


async def test_a_folder_that_is_exchanged_is_a_new_version(lab: Lab, tmp_path: Path) -> None:
    """It is missed for one look: nothing is let go."""
    path = folder(tmp_path, "shouting", hostd_dash_plugin_dot_yaml=SHOUT, shout_dot_lua="return input.text:upper()")
    await lab.until(lambda: lab.core.host.registry.action("text.shout"))
    folders = lab.core.host.folders
    assert folders is not None
    assert folders._watch is not None
    folders._watch.cancel()  # the test looks itself
    path.rename(tmp_path / "old")
    await folders.look()
    (tmp_path / "old").rename(path)
    await folders.look()
    assert not folders._known["shouting"].busy
    assert lab.core.host.registry.action("text.shout") is not None


async def test_a_lua_plugin_is_a_manifest_and_files(lab: Lab, tmp_path: Path) -> None:
    """Its options are typed, have defaults, and are checked before the script sees them."""
    folder(
        tmp_path,
        "shouting",
        hostd_dash_plugin_dot_yaml=SHOUT,
        shout_dot_lua="return {said = input.text:upper():rep(input.times)}",
    )
    entry = await there(lab, "text.shout")

    assert entry.schema["properties"]["text"]["description"] == "What is said."
    assert await output(lab, "text.shout", "text: hi, times: 2") == {"said": "HIHI"}
    assert await output(lab, "text.shout", "text: '${{ \"far too long for it\" }}'") == "OPTION_INVALID"
    found = report(lab, "shouting")
    assert found is not None
    assert (found.isolation, found.version, found.components) == ("lua", "1.2.0", ("action text.shout",))


async def test_a_lua_plugin_may_use_what_its_manifest_asks_for(lab: Lab, tmp_path: Path) -> None:
    """`kv` grants all calls of keys; what is not asked for is refused, whatever the workflow may do."""
    folder(
        tmp_path,
        "counting",
        hostd_dash_plugin_dot_yaml="manifest: 1\nid: counting\nruntime: lua\npermissions: [kv]\n"
        "actions: {count.up: {file: up.lua}}\n",
        up_dot_lua='local n = kv.add{key = "n"}.value\nreturn {n, pcall(event.publish, {topic = "t"})}',
    )
    await there(lab, "count.up")
    n, published, why = await output(lab, "count.up", "")
    assert (n, published, why.split(":")[0]) == (1, False, "CAPABILITY_DENIED")


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ("manifest: 1\nid: Bad\nruntime: python\n", "id (line 2)"),
        ("manifest: 1\nid: bad\nruntime: python\nnope: 1\n", "nope (line 4): is no key of a manifest"),
        ("manifest: 2\nid: bad\nruntime: python\n", "manifest (line 1)"),
        ("manifest: 1\nid: bad\nruntime: exec\n", "`command` goes with `runtime: exec`"),
        ("manifest: 1\nid: bad\nruntime: exec\ncommand: [./nothing]\n", "is no program that may be run"),
        ("manifest: 1\nid: bad\nruntime: lua\nactions: {a.b: {file: ../x.lua}}\n", "a path inside the plugin's folder"),
        ("manifest: 1\nid: bad\nruntime: lua\nactions: {a.b: {file: x.lua}}\n", "x.lua cannot be read"),
        (
            "manifest: 1\nid: bad\nruntime: lua\nactions:\n  a.b:\n    file: x.lua\n    codes: {busy: Wait.}\n",
            "actions.a.b.codes (line 7): 'busy' is no code such as CARD_DECLINED",
        ),
        ("manifest: 1\nid: bad\nruntime: python\napi: '>=9'\n", "it asks for the plugin API >=9"),
        (f"manifest: 1\nid: bad\nruntime: python\ndigest: {'0' * 64}\n", "its files have the digest"),
        ("manifest: [", "(line 2): did not find expected node content"),
    ],
)
async def test_a_broken_folder_is_listed_with_what_is_wrong(lab: Lab, tmp_path: Path, manifest: str, why: str) -> None:
    """Every mistake is named; nothing else is disturbed."""
    folder(tmp_path, "bad", hostd_dash_plugin_dot_yaml=manifest)
    found = await lab.until(lambda: report(lab, "bad"))
    assert found.state is PluginState.FAILED
    assert found.reason in ("MANIFEST_INVALID", "PLUGIN_FAILED")
    assert why in found.message
    assert await output(lab, "mock.echo", "value: 1") == 1


async def test_two_plugins_do_not_share_an_id_or_an_action(lab: Lab, tmp_path: Path) -> None:
    """The first keeps it; the second is listed as failed, with the owner's name."""
    python(tmp_path, GREET)
    await there(lab, "greet.say")
    python(tmp_path, GREET, "other")
    found = await lab.until(lambda: (one := report(lab, "other")) and one.state is PluginState.FAILED and one)
    assert found.message == "greet.say is provided by plugin greeter already; take one of the two away"

    folder(
        tmp_path,
        "third",
        hostd_dash_plugin_dot_yaml="manifest: 1\nid: greeter\nruntime: python\n",
        __init___dot_py=GREET,
    )
    found = await lab.until(lambda: report(lab, "third"))
    assert found.message == "another plugin has the id greeter already"


def _pipe(path: Path) -> None:
    os.mkfifo(path / "pipe")


def _endless(path: Path) -> None:
    (path / "endless.bin").symlink_to("/dev/zero")


def _everything(path: Path) -> None:
    (path / "all").symlink_to("/")


@pytest.mark.parametrize("thing", [_pipe, _endless, _everything])
async def test_what_is_no_file_in_a_folder_is_not_read(thing: Callable[[Path], None], lab: Lab, tmp_path: Path) -> None:
    """A pipe, a device or a link to everything keeps nobody waiting."""
    path = tmp_path / "away" / "greeter"
    path.mkdir(parents=True)
    (path / "__init__.py").write_text(GREET)
    thing(path)
    (tmp_path / "data" / "plugins").mkdir(exist_ok=True)
    path.rename(tmp_path / "data" / "plugins" / "greeter")
    await there(lab, "greet.say")


async def test_a_manifest_that_does_not_end_is_refused(lab: Lab, tmp_path: Path) -> None:
    """It is listed with that; the daemon goes on."""
    path = tmp_path / "data" / "plugins" / "bomb"
    path.mkdir(parents=True)
    (path / "hostd-plugin.yaml").symlink_to("/dev/zero")
    found = await lab.until(lambda: report(lab, "bomb"))
    assert (found.reason, found.message.rpartition(": ")[2]) == ("MANIFEST_INVALID", "it is no file")


@pytest.mark.parametrize("name", [b"\xff\xfe", b"a.b", b"*", b"new\nline"])
async def test_a_folder_whose_name_is_no_id_is_listed_as_text(name: bytes, lab: Lab, tmp_path: Path) -> None:
    """What a file system takes as a name need not be text; pipes and notes of plugins are found by their ids."""
    path = tmp_path / "data" / "plugins"
    path.mkdir(parents=True, exist_ok=True)
    os.mkdir(os.path.join(os.fsencode(path), name))
    (path / os.fsdecode(name) / "__init__.py").write_text(GREET)
    plugins = lambda: lab.core.host.registry.plugins  # noqa: E731
    found = await lab.until(lambda: next((one for one in plugins() if one.source is Source.FOLDER), None))
    assert found.reason == "PLUGIN_FAILED"
    assert "is no id of a plugin" in found.message
    f"{found.id} {found.origin} {found.message}".encode()


async def test_reloads_at_once_leave_one_process(lab: Lab, tmp_path: Path) -> None:
    """However many ask, and whoever of them goes away: the processes of versions before are ended, also by a stop."""
    python(tmp_path, GREET)
    await there(lab, "greet.say")
    reloads = [asyncio.ensure_future(lab.core.host.reload("greeter")) for _ in range(4)]
    await asyncio.sleep(0)
    reloads[1].cancel()
    await asyncio.gather(*reloads, return_exceptions=True)
    assert await output(lab, "greet.say", "name: Ada") == {"text": "WORD Ada"}
    assert lab.core.host.processes is not None
    (process,) = lab.core.host.processes.known.values()
    await lab.until(lambda: len(process_notes(tmp_path)) == 1)
    assert process.supervisor.child is not None
    assert process_notes(tmp_path) == [process.supervisor.child.pid]


async def test_a_reload_while_the_daemon_stops_leaves_nothing_behind(lab: Lab, tmp_path: Path) -> None:
    """The process that serves and the one that was to follow it are both ended."""
    python(tmp_path, GREET)
    await there(lab, "greet.say")
    reload = asyncio.ensure_future(lab.core.host.reload("greeter"))
    await lab.until(lambda: len(process_notes(tmp_path)) == 2)
    assert lab.core.host.processes is not None
    await lab.core.host.processes.stop()
    await asyncio.gather(reload, return_exceptions=True)
    assert process_notes(tmp_path) == []


def process_notes(tmp_path: Path) -> list[int]:
    """Return the ids of processes that a next daemon would take over."""
    return [json.loads(note.read_text())["pid"] for note in (tmp_path / "data" / "run" / "plugins").glob("*.json")]
