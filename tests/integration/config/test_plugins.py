"""Keys of plugins and their processes: from the configuration to what loads, and what a process may take."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from clocks import HandClock
from daemon_kit import running, state_name
from effects import configured, opened, shows
from http_kit import serving
from plugin_processes import bad_child, kept, open_switchboard, until

from hostd.config.rooms import Config
from hostd.host.found import Found, PluginState, Source
from hostd.host.host import PluginHost
from hostd.host.process.child import Child
from hostd.host.process.launch import Launch
from hostd.host.process.states import ProcessState
from hostd.host.process.watchdog import CPU_WINDOW_S, Watchdog
from hostd.runtime.room_options import plugin_choices, process_limits

CRASHED = (ProcessState.BACKING_OFF, ProcessState.QUARANTINED)
STARTER = "manifest: 1\nid: dropped\nversion: 0.1.0\nruntime: lua\nactions:\n  - {id: dropped.act, script: act.lua}\n"


def loaded(config: Config) -> dict[str, tuple[PluginState, str]]:
    """Return what became of each plugin, by its id: state and isolation."""
    reports = PluginHost(plugin_choices(config)).load().plugins
    return {report.id: (report.state, report.isolation) for report in reports}


@shows("plugins.allow", "plugins.deny")
def test_only_what_the_operator_allows_loads() -> None:
    """A list of those that may, or of those that may not."""
    allowed = loaded(configured("plugins.allow", ["cron", "http"]))
    denied = loaded(configured("plugins.deny", ["cron"]))

    assert {name for name, (state, _) in allowed.items() if state is PluginState.LOADED} == {"cron", "http"}
    assert {name for name, (state, _) in denied.items() if state is not PluginState.LOADED} == {"cron"}


@shows("plugins.thread", "plugins.process")
def test_plugins_run_where_the_operator_puts_them() -> None:
    """On a loop of their own, or in a process of their own."""
    assert loaded(configured("plugins.thread", ["mock"]))["mock"] == (PluginState.LOADED, "thread")
    assert loaded(configured("plugins.process", ["mock"]))["mock"][0] is PluginState.NEEDS_PROCESS
    assert loaded(Config())["mock"] == (PluginState.LOADED, "inline")


@shows("plugins.inline")
def test_installed_plugins_run_inside_only_where_they_are_trusted() -> None:
    """All others run outside."""
    stranger = Found("stranger", "1.0", Source.INSTALLED, "here", lambda: None, Launch(("program",)))

    outside = [
        plugin_choices(config).outside(stranger) for config in (Config(), configured("plugins.inline", ["stranger"]))
    ]

    assert outside == [True, False]


@shows("plugins.dir", "plugins.safe_mode")
async def test_plugins_lie_in_a_folder_of_the_operators(tmp_path: Path) -> None:
    """What lies there is served; in safe mode it is not even looked at."""
    folder = tmp_path / "mine" / "dropped"
    folder.mkdir(parents=True)
    (folder / "hostd-plugin.yaml").write_text(STARTER)
    (folder / "act.lua").write_text("return 1")
    plugins: dict[str, Any] = {"dir": str(tmp_path / "mine")}
    lab = await opened("start", {"plugins": plugins}, data=tmp_path / "d")
    await lab.until(lambda: any(report.id == "dropped" for report in lab.core.host.registry.plugins))
    await lab.close()

    lab = await opened("start", {"plugins": {**plugins, "safe_mode": True}}, data=tmp_path / "e")
    assert lab.core.host.folders is None
    await lab.close()


@shows("plugins.settings")
async def test_a_plugin_gets_its_settings() -> None:
    """The mock plugin does harm only where the operator allows it."""
    workflow = "workflow: w\nsteps:\n  a: {uses: mock.block, with: {duration: 1ms}}"
    ends = []
    for settings in ({"mock": {"harmful": True}}, {}):
        lab = await opened("start", {"plugins": {"settings": settings}})
        row, _ = await lab.run(workflow)
        ends.append(row.reason)
        await lab.close()

    assert ends[0] == "" != ends[1]


@shows("plugins.trace")
def test_calls_into_plugins_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """As they register."""
    with caplog.at_level(logging.INFO, "hostd"):
        loaded(configured("plugins.trace", True))

    assert any("hook_called plugin=mock" in record.getMessage() for record in caplog.records)


# -- what a process may take


def limits_of(key: str, value: object) -> dict[str, Any]:
    """Return the limits of a process by a configuration that says one key."""
    return msgspec.structs.asdict(process_limits(configured(f"plugins.limits.{key}", value)))


@pytest.mark.parametrize(
    ("key", "value", "name", "expected"),
    [
        ("memory", "128MiB", "Max data size", 128 << 20),
        ("files", 99, "Max open files", 99),
        ("file_size", "2MiB", "Max file size", 2 << 20),
    ],
)
@shows("plugins.limits.memory", "plugins.limits.files", "plugins.limits.file_size")
async def test_the_system_holds_a_process_to_its_limits(key: str, value: object, name: str, expected: int) -> None:
    """The kernel knows them."""
    async with open_switchboard(**limits_of(key, value)) as home, kept(home, bad_child("good")) as process:
        await until(process, ProcessState.READY)
        lines = Path(f"/proc/{process.pid}/limits").read_text().splitlines()

    (line,) = [line for line in lines if line.startswith(name)]
    assert int(line.removeprefix(name).split()[0]) == expected


@shows("plugins.limits.orphan")
async def test_a_process_knows_how_long_to_wait_for_the_next_daemon() -> None:
    """It is told as it starts."""
    async with open_switchboard(**limits_of("orphan", "7s")) as home, kept(home, bad_child("good")) as process:
        await until(process, ProcessState.READY)
        environment = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")

    assert b"HOSTD_PLUGIN_ORPHAN_S=7" in environment


@shows("plugins.limits.attempts")
async def test_so_many_attempts_of_an_action_are_given_to_a_process() -> None:
    """The rest waits in the daemon."""
    async with open_switchboard(**limits_of("attempts", 3)) as home, kept(home, bad_child("good")) as process:
        assert process.attempts_max == 3


@pytest.mark.parametrize(
    ("key", "mode", "why"),
    [("start", "silent", "it did not connect within 1 s"), ("answer", "mute", "its loop has not answered for 1 s")],
)
@shows("plugins.limits.start", "plugins.limits.answer")
async def test_a_process_that_is_not_there_in_time_is_ended(key: str, mode: str, why: str) -> None:
    """At its start, and while it serves."""
    async with open_switchboard(**limits_of(key, "1s")) as home, kept(home, bad_child(mode)) as process:
        await until(process, *CRASHED)
        assert process.message == why


@shows("plugins.limits.idle")
async def test_a_process_that_has_nothing_to_do_ends() -> None:
    """And is started when there is something again."""
    async with open_switchboard(**limits_of("idle", "500ms")) as home, kept(home, bad_child("good")) as process:
        await until(process, ProcessState.READY)
        await until(process, ProcessState.IDLE)


@shows("plugins.limits.cpu")
def test_a_process_that_computes_more_than_it_may_is_ended() -> None:
    """On average over a while."""
    clock = HandClock()
    watchdog = Watchdog(process_limits(configured("plugins.limits.cpu", 1.5)), clock)
    used_s = 0.0

    class Busy:
        def cpu_s(self) -> float:
            return used_s

    busy: Child = Busy()  # type: ignore[assignment]
    said = [watchdog._processor(busy, 0.0)]
    used_s = 1.4 * CPU_WINDOW_S
    said.append(watchdog._processor(busy, CPU_WINDOW_S))
    used_s += 1.6 * CPU_WINDOW_S
    said.append(watchdog._processor(busy, 2 * CPU_WINDOW_S))

    assert said[:2] == ["", ""]
    assert "it may use 1.5" in said[2]


# -- where they may connect to


@pytest.mark.parametrize(
    ("egress", "state"),
    [
        ({}, "FAILED"),
        ({"private": True}, "SUCCEEDED"),
        ({"allow": ["127.0.0.0/8"]}, "SUCCEEDED"),
        ({"private": True, "deny": ["127.0.0.1"]}, "FAILED"),
    ],
)
@shows("egress.private", "egress.allow", "egress.deny")
async def test_requests_go_only_where_the_operator_lets_them(
    egress: dict[str, Any], state: str, tmp_path: Path
) -> None:
    """To this machine they do not, by default."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text="hello")

    async with serving(hello=answer) as address, running(tmp_path / "d", egress=egress) as kit:
        await kit.register(f"workflow: w\nsteps:\n  a: {{uses: http.request, with: {{url: {address}/hello}}}}")
        run = await kit.execute("w")

    assert state_name(run) == state
