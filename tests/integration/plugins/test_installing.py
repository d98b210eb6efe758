"""`hostd plugin install` inside a host: versions beside each other, what fails, who may, and what a restart finds."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from effects import shows
from lab import NAMESPACE, Lab, of_kind
from wheelhouse import PLUGIN, dependencies_of_the_sdk, plugin_wheel, write_wheel

from hostd.errors.base import HostdError
from hostd.host.doctor import examine_served
from hostd.host.installed import environment
from hostd.model.installs import FOLDER, REQUIREMENT, WHEEL, InstallOrder, InstallView
from hostd.model.records import AttemptSucceeded
from hostd.values.json_text import parse_json

CALL = "workflow: w\nsteps:\n  a: {uses: %s, with: {%s}}\n"
SHOUT = """
manifest: 1
id: shouting
version: "%s"
runtime: lua
permissions: [net]
actions:
  text.shout: {file: shout.lua, options: {text: {type: string, required: true}}}
"""


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What hostd-sdk needs, as wheels."""
    return dependencies_of_the_sdk(tmp_path_factory.mktemp("links"))


@pytest.fixture
async def lab(tmp_path: Path, links: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    """A core on a data folder; pip reaches no index."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    opened = await Lab(tmp_path / "data").open()
    yield opened
    await opened.core.lua.close()
    await opened.close()


def archive(**files: str) -> bytes:
    """Return a folder as it is sent."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for name, text in files.items():
            opened.writestr(name.replace("_dot_", ".").replace("_dash_", "-"), text)
    return packed.getvalue()


def shouting(version: str, word: str = "", **more: str) -> bytes:
    """Return a plugin in Lua."""
    manifest = SHOUT % version
    script = f"return {{said = input.text:upper() .. '{word}'}}"
    return archive(hostd_dash_plugin_dot_yaml=manifest, shout_dot_lua=script, **more)


async def sent(data: bytes) -> AsyncIterator[bytes]:
    """Send in pieces."""
    for at in range(0, len(data), 100_000):
        yield data[at : at + 100_000]


async def install(
    lab: Lab, data: bytes | Path, name: str = "shouting", *, local: bool = True, **how: Any
) -> InstallView:
    """Install a folder's archive, or a wheel."""
    kind, name = (WHEEL, data.name) if isinstance(data, Path) else (FOLDER, name)
    content = data.read_bytes() if isinstance(data, Path) else data
    order = InstallOrder(kind, name, **({"all_permissions": True} | how))
    return await lab.core.front.installs.install(NAMESPACE, order, sent(content), principal="owner", local=local)


async def refused(lab: Lab, data: bytes | Path, name: str = "shouting", **how: Any) -> HostdError:
    """Return why an install was refused."""
    with pytest.raises(HostdError) as caught:
        await install(lab, data, name, **how)
    return caught.value


async def output(lab: Lab, action: str, options: str) -> Any:
    """Run one step; return its output."""
    row, records = await lab.run(CALL % (action, options))
    done = of_kind(records, AttemptSucceeded)
    return parse_json(done[0].output) if done else row.reason


def folders(tmp_path: Path) -> list[str]:
    """Return what lies in the folder of installed plugins, two levels deep."""
    root = tmp_path / "data" / "plugins-installed"
    return sorted(path.relative_to(root).as_posix() for path in [*root.glob("*"), *root.glob("*/*")])


@pytest.mark.timeout(400)
async def test_a_wheel_serves_in_an_environment_of_its_own(lab: Lab, tmp_path: Path) -> None:
    """Its interpreter, its packages, hostd-sdk of this version; the next version takes over, a rollback returns."""
    first = await install(lab, plugin_wheel(tmp_path / "w"))
    assert (first.plugin.id, first.plugin.version, first.plugin.source) == ("greet", "1.0", "installed")
    said = await output(lab, "greet.say", "name: Ada")
    assert said["text"] == "hello Ada"
    assert said["python"] == str(tmp_path / "data/plugins-installed/greet/1/environment/bin/python")

    second = await install(lab, plugin_wheel(tmp_path / "w", version="2.0", word="good day"))
    assert (second.replaced_version, second.plugin.version, second.plugin.rollback_version) == ("1.0", "2.0", "1.0")
    assert (await output(lab, "greet.say", "name: Ada"))["text"] == "good day Ada"

    await lab.core.front.installs.rollback(NAMESPACE, "greet", principal="owner")
    assert (await output(lab, "greet.say", "name: Ada"))["text"] == "hello Ada"
    await lab.restart()
    assert (await output(lab, "greet.say", "name: Ada"))["text"] == "hello Ada"
    assert lab.core.front.plugins.get("greet").rollback_version == "2.0"


MANIFEST = """
manifest: 1
id: greet
runtime: python
permissions: [net]
provides:
  greet.say: {kind: action, effects: none, options: {type: object, properties: {name: {type: string}}}}
"""


@pytest.mark.timeout(400)
async def test_a_wheels_manifest_stands_for_it_until_it_runs_and_the_doctor_compares(lab: Lab, tmp_path: Path) -> None:
    """What it provides is listed before its process is needed; examined where it lies, it is found to say more."""
    await install(lab, plugin_wheel(tmp_path / "w", manifest=MANIFEST))
    shown = lab.core.front.plugins.get("greet")
    assert (shown.permissions, [part.id for part in shown.components]) == (("net",), ["greet.say"])
    process = lab.core.host.process("greet")
    assert process is not None
    assert (process.state, process.pid) == ("idle", 0)

    examined = await examine_served("greet", "installed", Path(shown.origin))
    assert examined is not None
    assert {part.id for part in examined.components} == {"greet.say", "greet.every"}
    [mistake] = [fault for fault in examined.mistakes if fault.path == "provides"]
    assert "the plugin itself says otherwise" in mistake.message


@pytest.mark.timeout(400)
async def test_what_fails_leaves_the_old_version_serving(lab: Lab, tmp_path: Path) -> None:
    """It raises at import, or needs what no index has: each says why and leaves nothing but a row in the audit."""
    await install(lab, plugin_wheel(tmp_path / "w"))
    before = folders(tmp_path)
    raising = plugin_wheel(tmp_path / "a", version="2", code="raise OSError('no such feed')")
    needing = plugin_wheel(tmp_path / "b", version="2", needs=["hostd-sdk", "not-to-be-had>=3"])
    for wheel, reason, why in (
        (raising, "PLUGIN_FAILED", "no such feed"),
        (needing, "INSTALL_FAILED", "not-to-be-had>=3"),
    ):
        error = await refused(lab, wheel)
        assert error.reason == reason
        assert why in error.message
        assert folders(tmp_path) == before
    assert (await output(lab, "greet.say", "name: Ada"))["text"] == "hello Ada"
    told = await lab.core.front.admin.audit(NAMESPACE, after=0, limit=100)
    installs = [each.details for each in told if each.verb == "plugin.install"]
    assert [each.get("outcome", "") for each in installs] == ["", "PLUGIN_FAILED", "INSTALL_FAILED"]
    assert installs[0]["version"] == "1.0"


async def test_versions_of_a_lua_plugin(lab: Lab, tmp_path: Path) -> None:
    """A folder without an environment: replaced, rolled back to and fro, there after a restart; two are kept."""
    for version in ("1", "2", "3"):
        await install(lab, shouting(version, version))
    assert await output(lab, "text.shout", "text: hi") == {"said": "HI3"}
    assert folders(tmp_path) == ["shouting", "shouting/2", "shouting/3", "shouting/state.json"]

    desk = lab.core.front.installs
    view = await desk.rollback(NAMESPACE, "shouting", principal="owner")
    assert (view.version, view.rollback_version) == ("2", "3")
    await lab.restart()
    assert await output(lab, "text.shout", "text: hi") == {"said": "HI2"}
    desk = lab.core.front.installs
    assert (await desk.rollback(NAMESPACE, "shouting", principal="owner")).version == "3"

    await desk.uninstall(NAMESPACE, "shouting", principal="owner")
    assert folders(tmp_path) == []
    assert lab.core.host.registry.action("text.shout") is None
    with pytest.raises(HostdError, match="PLUGIN_MISSING"):
        await desk.uninstall(NAMESPACE, "shouting", principal="owner")


async def test_only_one_version_cannot_be_rolled_back(lab: Lab) -> None:
    """Nor can what came from elsewhere be uninstalled."""
    await install(lab, shouting("1"))
    desk = lab.core.front.installs
    with pytest.raises(HostdError, match="NO_OLDER_VERSION"):
        await desk.rollback(NAMESPACE, "shouting", principal="owner")
    with pytest.raises(HostdError, match="PLUGIN_NOT_INSTALLED"):
        await desk.uninstall(NAMESPACE, "mock", principal="owner")


async def test_a_reload_does_not_bring_back_what_is_uninstalled(lab: Lab, tmp_path: Path) -> None:
    """Both at once, whoever is first: nothing of it serves, nothing is left."""
    await install(lab, shouting("1"))
    desk = lab.core.front.installs
    reloads = [asyncio.create_task(lab.core.host.reload("shouting")) for _ in range(5)]
    await desk.uninstall(NAMESPACE, "shouting", principal="owner")
    await asyncio.gather(*reloads, return_exceptions=True)
    assert lab.core.host.registry.action("text.shout") is None
    assert [one.id for one in lab.core.host.registry.plugins if one.id == "shouting"] == []
    assert folders(tmp_path) == []


async def test_permissions_are_shown_and_have_to_be_accepted(lab: Lab, tmp_path: Path) -> None:
    """An examination installs nothing; what was not accepted is refused; what is accepted is what it gets."""
    seen = await install(lab, shouting("1"), all_permissions=False, examine_only=True)
    assert (seen.plugin.id, seen.plugin.version, seen.plugin.permissions) == ("shouting", "1", ("net",))
    error = await refused(lab, shouting("1"), all_permissions=False, permissions=frozenset({"kv"}))
    assert (error.reason, error.details) == ("PERMISSIONS_NOT_ACCEPTED", {"permissions": "net"})
    assert folders(tmp_path) == []
    await install(lab, shouting("1"), all_permissions=False, permissions=frozenset({"net", "kv"}))
    assert await output(lab, "text.shout", "text: hi") == {"said": "HI"}


async def test_a_disabled_plugin_stays_out_until_it_is_enabled(lab: Lab, tmp_path: Path) -> None:
    """Installed or dropped in, through a restart and a newer version; what is built in cannot be."""
    dropped = tmp_path / "data" / "plugins" / "whispering"
    dropped.mkdir(parents=True)
    (dropped / "hostd-plugin.yaml").write_text((SHOUT % "1").replace("shout", "whisper"))
    (dropped / "whisper.lua").write_text("return input.text:lower()")
    await install(lab, shouting("1"))
    await lab.until(lambda: lab.core.host.registry.action("text.whisper"))
    for plugin in ("shouting", "whispering"):
        view = await lab.core.front.installs.disable(NAMESPACE, plugin, principal="owner")
        assert (view.state, view.reason) == ("DISABLED", "PLUGIN_DISABLED")
    await lab.restart()
    await install(lab, shouting("2"))
    assert lab.core.front.plugins.get("shouting").state == "DISABLED"
    assert lab.core.front.plugins.get("whispering").state == "DISABLED"
    assert lab.core.host.registry.action("text.shout") is None

    for plugin in ("shouting", "whispering"):
        view = await lab.core.front.installs.enable(NAMESPACE, plugin, principal="owner")
        assert (view.state, view.reason) == ("LOADED", "")
    assert await output(lab, "text.shout", "text: hi") == {"said": "HI"}
    assert await output(lab, "text.whisper", "text: HI") == "hi"
    with pytest.raises(HostdError, match="PLUGIN_NOT_RELOADABLE"):
        await lab.core.front.installs.disable(NAMESPACE, "mock", principal="owner")


async def test_ids_belong_to_who_came_first(lab: Lab, tmp_path: Path) -> None:
    """A built-in plugin's id and a folder's are taken for installs, an installed one's for folders."""
    taken = await refused(lab, archive(hostd_dash_plugin_dot_yaml=(SHOUT % "1").replace("shouting", "mock")))
    assert taken.reason == "PLUGIN_ID_TAKEN"
    await install(lab, shouting("1"))
    dropped = tmp_path / "data" / "plugins" / "other"
    dropped.mkdir(parents=True)
    (dropped / "hostd-plugin.yaml").write_text(SHOUT % "9")
    found = await lab.until(lambda: next((one for one in lab.core.host.registry.plugins if one.id == "other"), None))
    assert found.message == "another plugin has the id shouting already"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"readme_dot_md": "hello"}, "holds neither hostd-plugin.yaml nor a Python package"),
        ({"hostd_dash_plugin_dot_yaml": "manifest: 1\nid: Bad\nruntime: lua\n"}, "id (line 2)"),
        ({"hostd_dash_plugin_dot_yaml": SHOUT % "1"}, "shout.lua cannot be read"),
        ({"../out_dot_txt": "x"}, "is no path inside the folder"),
        ({"pyproject_dot_toml": "[project"}, "pyproject.toml cannot be read"),
        (
            {"pyproject_dot_toml": "[project]\nname='x'\n[project.entry-points.'hostd.plugins']\na='a'\nb='b'\n"},
            "declares 2 plugins (a, b)",
        ),
    ],
)
async def test_what_is_no_plugin_is_refused(lab: Lab, tmp_path: Path, files: dict[str, str], why: str) -> None:
    """The mistake is named; nothing is left behind."""
    error = await refused(lab, archive(**files))
    assert why in error.message
    assert folders(tmp_path) == []
    assert not list(tmp_path.rglob("out.txt"))


@shows("plugins.install")
async def test_installing_is_for_those_who_may(lab: Lab) -> None:
    """By default over the Unix socket only; `always` lets everybody with the token, `never` nobody."""
    assert (await refused(lab, shouting("1"), local=False)).reason == "INSTALL_REFUSED"
    await lab.restart(plugins={"install": "never"})
    assert (await refused(lab, shouting("1"))).reason == "INSTALL_REFUSED"
    await lab.restart(plugins={"install": "always"})
    assert (await install(lab, shouting("1"), local=False)).plugin.state == "LOADED"


async def test_one_install_at_a_time(lab: Lab, tmp_path: Path) -> None:
    """Who comes meanwhile is told to come back; an upload that is broken off leaves nothing."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        begun.set()
        yield b"PK"
        await go_on.wait()

    order = InstallOrder(FOLDER, "slow", all_permissions=True)
    first = asyncio.create_task(
        lab.core.front.installs.install(NAMESPACE, order, slowly(), principal="owner", local=True)
    )
    await begun.wait()
    error = await refused(lab, shouting("1"))
    assert error.reason == "INSTALL_BUSY"
    assert error.retry_after_s
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert folders(tmp_path) == []
    await install(lab, shouting("1"))


async def test_a_start_clears_away_what_did_not_come_to_its_end(lab: Lab, tmp_path: Path) -> None:
    """Whatever instant an install was killed at: what counts serves, everything else is gone."""
    await install(lab, shouting("1"))
    root = tmp_path / "data" / "plugins-installed"
    for rubbish in (".incoming-0a", "shouting/7", "half/1"):
        (root / rubbish).mkdir(parents=True)
        (root / rubbish / "file").write_text("x")
    (root / "shouting" / "state.partial").write_text("{")
    await lab.restart()
    assert folders(tmp_path) == ["shouting", "shouting/1", "shouting/state.json"]
    assert await output(lab, "text.shout", "text: hi") == {"said": "HI"}


PROGRAM = """#!%s -u
import sys
sys.exit("no feed today")
"""
PROMISES = """
manifest: 1
id: promising
version: "1"
runtime: exec
command: [./run]
provides:
  feed.read: {kind: action, description: Reads., effects: none}
"""


async def test_a_program_that_only_promises_is_not_installed(lab: Lab, tmp_path: Path) -> None:
    """Its manifest says what it serves; it is started all the same, and what it prints is told."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr("hostd-plugin.yaml", PROMISES)
        program = zipfile.ZipInfo("run")
        program.external_attr = 0o100755 << 16
        opened.writestr(program, PROGRAM % sys.executable)
    error = await refused(lab, packed.getvalue())
    assert error.reason == "PLUGIN_FAILED"
    assert "exit 1: no feed today" in error.message
    assert folders(tmp_path) == []


async def test_what_another_python_left_says_so(lab: Lab, tmp_path: Path) -> None:
    """An environment of another Python is of no use: the plugin is listed with what to do, the others serve."""
    home = tmp_path / "data" / "plugins-installed" / "old"
    (home / "1").mkdir(parents=True)
    (home / "state.json").write_text('{"serving": 1}')
    about = {"id": "old", "version": "4", "runtime": "python", "permissions": [], "digest": "", "entry_point": "a"}
    (home / "1" / "install.json").write_text(json.dumps(about | {"python": "3.9"}))
    await install(lab, shouting("1"))
    await lab.restart()
    shown = lab.core.front.plugins.get("old")
    assert (shown.state, shown.source) == ("FAILED", "installed")
    assert shown.message.startswith("it was installed for Python 3.9, this is 3.")
    assert await output(lab, "text.shout", "text: hi") == {"said": "HI"}


BACKEND = """
import shutil

def build_wheel(folder, config_settings=None, metadata_directory=None):
    return shutil.copy(%r, folder).rpartition("/")[2]
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "hostd-plugin-greet"
dynamic = ["version"]
[project.entry-points."hostd.plugins"]
greet = "hostd_greet"
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_projects_folders_and_names(
    lab: Lab, links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project is built, a folder gets an environment with what it requires, a name is fetched; without pip, too."""
    backend = BACKEND % str(plugin_wheel(tmp_path / "built", version="3.1", word="built"))
    built = await install(lab, archive(pyproject_dot_toml=PROJECT, backend_dot_py=backend), "greet")
    assert (built.plugin.id, built.plugin.version) == ("greet", "3.1")
    assert (await output(lab, "greet.say", "name: Ada"))["text"] == "built Ada"

    write_wheel(tmp_path / "more", "feed-reader", "1.0", {"feed_reader.py": "WORD = 'read'"})
    monkeypatch.setenv("PIP_FIND_LINKS", f"{links} {tmp_path / 'more'}")
    code = "import feed_reader\n" + PLUGIN.replace("greet.", "folder.").replace("WORD {", "{feed_reader.WORD} {")
    folder = {"folder_plugin/__init__.py": code, "requirements_dot_txt": "feed-reader\n"}
    manifest = 'manifest: 1\nid: folder\nversion: "0.2"\nruntime: python\n'
    served = await install(lab, archive(hostd_dash_plugin_dot_yaml=manifest, **folder), "anything")
    assert (served.plugin.id, served.plugin.version, served.plugin.permissions) == ("folder", "0.2", ())
    assert (await output(lab, "folder.say", "name: Ada"))["text"] == "read Ada"

    plugin_wheel(tmp_path / "more", version="4.0", word="fetched")
    plugin_wheel(tmp_path / "more", version="5.0", word="too new")
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)  # type: ignore[attr-defined]
    order = InstallOrder(REQUIREMENT, "hostd-plugin-greet<5", all_permissions=True)
    desk = lab.core.front.installs
    fetched = await desk.install(NAMESPACE, order, sent(b""), principal="owner", local=True)
    assert (fetched.plugin.version, fetched.replaced_version) == ("4.0", "3.1")
    monkeypatch.undo()
    assert (await output(lab, "greet.say", "name: Ada"))["text"] == "fetched Ada"
