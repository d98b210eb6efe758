"""Plugins that were installed: as a package beside hostd, and by `hostd plugin install`, in a real daemon."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import HOSTD, DaemonProcess, wait_until
from wheelhouse import plugin_wheel

pytestmark = pytest.mark.timeout(240)  # a dozen commands, each a process, on whatever machine

MANIFEST = """
manifest: 1
id: greet
version: "%s"
runtime: lua
permissions: [net]
actions:
  greet.shout: {file: shout.lua}
"""
GREETED = """
workflow: greeted
inputs: {type: object, properties: {name: {type: string}}}
triggers:
  clock: {uses: greet.every, with: {period: 200ms}, input: {name: "${{ event.data.name }}"}}
steps:
  say: {uses: greet.say, with: {name: "${{ input.name }}"}}
output: ${{ steps.say.output.text }}
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    """A data folder and a daemon that is not started yet."""
    process = DaemonProcess(tmp_path)
    yield process
    if process.process is not None and process.process.poll() is None:
        process.stop()
    process.close()


def lua_folder(folder: Path, version: str) -> Path:
    """Write a plugin in Lua that shouts its version."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hostd-plugin.yaml").write_text(MANIFEST % version)
    (folder / "shout.lua").write_text(f'return "{version}"')
    return folder


def plugin(daemon: DaemonProcess, plugin_id: str = "greet") -> dict[str, Any]:
    """Return a plugin as the daemon shows it."""
    return daemon.json("plugin", "show", plugin_id)  # type: ignore[no-any-return]


def shouted(daemon: DaemonProcess, folder: Path) -> Any:
    """Run the action of the plugin in Lua; return its output."""
    file = folder / "shout.yaml"
    file.write_text("workflow: shout\nsteps:\n  a: {uses: greet.shout}\noutput: ${{ steps.a.output }}\n")
    daemon.ok("workflow", "register", str(file))
    return daemon.json("runs", "start", "shout", "--wait")["output"]


def test_a_package_runs_in_a_process_of_the_environment_it_is_in(daemon: DaemonProcess, tmp_path: Path) -> None:
    """pip puts a wheel where the daemon's interpreter looks; its trigger starts runs, its action runs in them."""
    site = tmp_path / "site"
    wheel = plugin_wheel(tmp_path / "wheels")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(pip, check=True, timeout=120, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    daemon.env["PYTHONPATH"] = str(site)
    daemon.start()

    wait_until(lambda: plugin(daemon)["state"] == "LOADED", "the plugin")
    shown = plugin(daemon)
    assert (shown["source"], shown["version"], shown["isolation"]) == ("package", "1.0", "process")
    assert {part["id"] for part in shown["components"]} == {"greet.say", "greet.every"}
    file = tmp_path / "greeted.yaml"
    file.write_text(GREETED)
    daemon.ok("workflow", "register", str(file))
    found = wait_until_some(lambda: daemon.json("runs", "list", "--filter", 'state == "SUCCEEDED"', "--limit", "1"))
    run = daemon.json("runs", "show", found["run_id"])
    assert (run["output"], run["trigger"]) == ("hello tick", "clock")
    pid = plugin(daemon)["process"]["pid"]
    assert pid not in (0, daemon.process.pid if daemon.process else 0)
    assert b"hostd_greet" in Path(f"/proc/{pid}/cmdline").read_bytes()

    daemon.ok("plugin", "disable", "greet")
    assert plugin(daemon)["state"] == "DISABLED"
    assert not Path(f"/proc/{pid}").exists()
    daemon.ok("plugin", "enable", "greet")
    wait_until(lambda: plugin(daemon)["state"] == "LOADED", "the plugin")


def wait_until_some(ask: Any) -> Any:
    """Ask until there is something; return it."""
    found: list[Any] = []
    wait_until(lambda: found.append(ask()) or found[-1], "an answer")
    return found[-1]


def test_the_commands(daemon: DaemonProcess, tmp_path: Path) -> None:
    """What it asks for is shown and has to be accepted; versions, their order, and the way back."""
    daemon.start()
    one, two = lua_folder(tmp_path / "one", "1"), lua_folder(tmp_path / "two", "2")
    asked = daemon.run("plugin", "install", str(one))
    assert asked.returncode == 6
    assert "plugin greet 1 asks for: net" in asked.stderr
    assert "PERMISSIONS_NOT_ACCEPTED" in asked.stderr
    assert daemon.json("plugin", "install", str(one), "--dry-run")["plugin"]["permissions"] == ["net"]
    refused = daemon.run("plugin", "install", str(one), "--allow", "kv")
    assert "asks for net, which was not accepted" in refused.stderr

    daemon.ok("plugin", "install", str(one), "--allow", "net")
    assert shouted(daemon, tmp_path) == "1"
    assert daemon.json("plugin", "install", str(two), "--yes")["replaced_version"] == "1"
    assert shouted(daemon, tmp_path) == "2"
    assert "# greet.shout\n" in daemon.ok("plugin", "docs", "greet.shout")
    assert "uses: greet.shout" in daemon.ok("plugin", "sample", "greet.shout", "--from", "greet")
    assert "plugin greet 2 is well" in daemon.ok("plugin", "doctor", "greet")
    missing = daemon.run("plugin", "doctor", "gret")
    assert (missing.returncode, "the daemon has none of that name" in missing.stderr) == (4, True), missing.stderr
    rows = [line.split() for line in daemon.ok("plugin", "list").splitlines()]
    assert ["greet", "2", "installed", "LOADED"] in [row[:4] for row in rows]
    daemon.ok("plugin", "rollback", "greet")
    assert shouted(daemon, tmp_path) == "1"
    assert plugin(daemon)["rollback_version"] == "2"

    far = {"HOSTD_ADDRESS": daemon.listen, "HOSTD_TOKEN": (daemon.data / "token").read_text()}
    remote = subprocess.run(
        [*HOSTD, "plugin", "install", str(two), "--yes"], env={**daemon.env, **far}, capture_output=True, text=True
    )
    assert (remote.returncode, "INSTALL_REFUSED" in remote.stderr) == (3, True), remote.stderr
    daemon.ok("plugin", "uninstall", "greet")
    assert daemon.run("plugin", "show", "greet").returncode == 4
    verbs = [row["verb"] for row in daemon.json("audit", "list")]
    assert {"plugin.install", "plugin.rollback", "plugin.uninstall"} <= set(verbs)


def test_a_person_is_asked(daemon: DaemonProcess, tmp_path: Path) -> None:
    """On a terminal what it asks for is shown, and only a yes installs it."""
    daemon.start()
    command = [*HOSTD, "plugin", "install", str(lua_folder(tmp_path / "one", "1"))]
    for answer, code in ((b"n\n", 12), (b"y\n", 0)):
        ours, theirs = pty.openpty()
        os.write(ours, answer)
        done = subprocess.run(command, env=daemon.env, stdin=theirs, capture_output=True, text=True, timeout=120)
        os.close(ours)
        os.close(theirs)
        assert done.returncode == code, done.stderr
        assert "plugin greet 1 asks for: net" in done.stderr
        assert (daemon.run("plugin", "show", "greet").returncode == 0) is (code == 0)


def test_a_daemon_killed_while_it_installs_comes_back_with_the_old_version(
    daemon: DaemonProcess, tmp_path: Path
) -> None:
    """pip goes with the daemon; the next start serves what served before, and clears away the rest."""
    with socket.create_server(("127.0.0.1", 0)) as index:  # takes connections, and never answers
        daemon.env["PIP_INDEX_URL"] = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
        daemon.env |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        daemon.env.pop("PIP_NO_INDEX", None)
        daemon.start()
        daemon.ok("plugin", "install", str(lua_folder(tmp_path / "one", "1")), "--yes")
        wheel = plugin_wheel(tmp_path / "wheels", version="2.0")
        with subprocess.Popen(
            [*HOSTD, "plugin", "install", str(wheel), "--yes"], env=daemon.env, stderr=subprocess.PIPE
        ) as asking:
            index.settimeout(120)
            connection, _ = index.accept()
            pips = installers(daemon)
            assert pips
            daemon.stop(9)
            assert asking.wait(timeout=120) != 0
        wait_until(lambda: not installers(daemon), "the end of pip")
        connection.close()

    assert (daemon.data / "plugins-installed" / "greet" / "2").is_dir()
    daemon.start()
    assert shouted(daemon, tmp_path) == "1"
    left = sorted(path.name for path in (daemon.data / "plugins-installed").rglob("*") if path.is_dir())
    assert left == ["1", "greet", "one"]


def installers(daemon: DaemonProcess) -> list[str]:
    """Return the processes that work in the folder of installed plugins."""
    root, found = str(daemon.data / "plugins-installed").encode(), []
    for entry in Path("/proc").iterdir():
        try:
            alive = entry.name.isdigit() and "Z" not in (entry / "stat").read_text().rpartition(")")[2].split()[0]
            if alive and root in (entry / "cmdline").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found
