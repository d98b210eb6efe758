"""The configuration through the socket: seeing it, reading it anew, and how much is logged."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from daemon_kit import Kit, refused, running

from hostd.client import from_payload
from hostd.config.load import Loaded, load_config
from hostd.v1 import admin_service_pb2 as pb


@pytest.fixture
async def followed(tmp_path: Path) -> AsyncIterator[tuple[Kit, Path]]:
    """Run a host that knows the file its configuration came from."""
    file = tmp_path / "hostd.yaml"
    file.write_text("limits: {watches: 3}\n")
    env = {"HOSTD_DATA": str(tmp_path / "data"), "HOSTD_TLS__KEY_PASSWORD": "hunter22"}
    async with running(tmp_path / "data", limits={"watches": 3}) as kit:
        kit.core.settings.follow(load_config(env=env, file=file), lambda: load_config(env=env, file=file))
        yield kit, file


async def values(kit: Kit) -> dict[str, Any]:
    """Return what the daemon says it is configured with."""
    answer = await kit.admin.GetConfig(pb.GetConfigRequest())
    return {line.key: line for line in answer.values}


async def audited(kit: Kit) -> list[tuple[str, str, str, dict[str, str]]]:
    """Return who changed what."""
    page = await kit.admin.ListAuditEvents(pb.ListAuditEventsRequest())
    return [(event.principal, event.verb, event.resource, dict(event.details)) for event in page.audit_events]


async def test_what_holds_is_shown_with_its_origin_and_without_secrets(followed: tuple[Kit, Path]) -> None:
    """Values as a person writes them; each says whether a reload changes it."""
    kit, file = followed

    shown = await values(kit)

    watches = shown["limits.watches"]
    assert (from_payload(watches.value), watches.origin, watches.reloadable) == (3, f"{file}:1", True)
    assert from_payload(shown["tls.key_password"].value) == "***"
    assert (from_payload(shown["lua.workers"].value), shown["lua.workers"].reloadable) == (4, False)


async def test_a_reload_swaps_names_what_waits_and_is_audited(followed: tuple[Kit, Path]) -> None:
    """Until the restart the old value is shown, with the note that another one waits."""
    kit, file = followed
    file.write_text("limits: {watches: 9}\nlua: {workers: 2}\n")

    answer = await kit.admin.ReloadConfig(pb.ReloadConfigRequest())

    found = [(one.key, from_payload(one.before), from_payload(one.after), one.restart_needed) for one in answer.changes]
    assert found == [("lua.workers", 4, 2, True), ("limits.watches", 3, 9, False)]
    assert answer.file == str(file)
    shown = await values(kit)
    assert [from_payload(shown[key].value) for key in ("limits.watches", "lua.workers")] == [9, 4]
    assert [shown[key].restart_needed for key in ("limits.watches", "lua.workers")] == [False, True]
    assert kit.core.config.limits.watches == 9
    details = {"changed": "limits.watches", "restart_needed": "lua.workers"}
    assert await audited(kit) == [("owner", "config.reload", str(file), details)]


async def test_a_broken_file_changes_nothing_and_says_what_is_wrong(
    followed: tuple[Kit, Path], caplog: pytest.LogCaptureFixture
) -> None:
    """Every mistake is in the answer and in the log; half of a file is no configuration."""
    kit, file = followed
    file.write_text("limits: {watches: 9, drian: 5s}\nlua: {workers: many}\n")

    error = await refused(kit.admin.ReloadConfig(pb.ReloadConfigRequest()))

    assert (error.reason, error.metadata["file"]) == ("CONFIG_INVALID", str(file))
    assert error.fields == {"limits.drian": "KEY_UNKNOWN", "lua.workers": "VALUE_INVALID"}
    logged = [record.getMessage() for record in caplog.records if "config_mistake" in record.getMessage()]
    assert len(logged) == 2
    assert f"{file}:1:22" in logged[0]
    assert from_payload((await values(kit))["limits.watches"].value) == 3
    assert await audited(kit) == []


async def test_a_reload_that_is_given_up_is_over(followed: tuple[Kit, Path]) -> None:
    """Who asked goes away while the file is read: nothing changes, and whoever waits for the end hears of it."""
    kit, file = followed
    desk, reading, go = kit.core.settings, threading.Event(), threading.Event()
    held = load_config(env={}, file=file)

    def read() -> Loaded:
        reading.set()
        go.wait(120)
        return held

    told: list[str] = []
    desk.reloaded = told.append
    desk.follow(held, read)
    asking = asyncio.ensure_future(desk.reload("default", principal="me"))
    await asyncio.to_thread(reading.wait, 120)
    asking.cancel()
    await asyncio.wait([asking])
    go.set()

    assert asking.cancelled()
    assert told == ["a reload was given up"]
    await desk.reload("default", principal="me")
    assert told[1] == "the configuration was reloaded: 0 changed, 0 wait for a restart"


async def test_a_host_that_a_program_configured_has_nothing_to_read(tmp_path: Path) -> None:
    """The error says so, and what it was given is shown as the program's."""
    async with running(tmp_path / "data", limits={"threads": 3}) as kit:
        error = await refused(kit.admin.ReloadConfig(pb.ReloadConfigRequest()))
        shown = await values(kit)

    assert error.reason == "CONFIG_NOT_READ"
    assert shown["limits.threads"].origin == "program"
    assert shown["limits.drain"].origin == "default"


async def test_the_log_level_changes_until_the_end_and_is_audited(followed: tuple[Kit, Path]) -> None:
    """Of one logger or of all; an empty level goes back; what nothing logs as is refused."""
    kit, _ = followed
    before = {name: logging.getLogger(name).level for name in ("", "hostd", "hostd.journal")}
    try:
        one = await kit.admin.SetLogLevel(pb.SetLogLevelRequest(level="debug", logger="hostd.journal"))
        assert dict(one.log_levels) == {"hostd.journal": "debug"}
        assert logging.getLogger("hostd.journal").level == logging.DEBUG
        await kit.admin.SetLogLevel(pb.SetLogLevelRequest(level="error"))
        assert dict((await kit.admin.GetConfig(pb.GetConfigRequest())).log_levels) == {
            "": "error",
            "hostd.journal": "debug",
        }
        wrong = await refused(kit.admin.SetLogLevel(pb.SetLogLevelRequest(level="debug", logger="hostd.jurnal")))
        assert (wrong.reason, "hostd.journal" in wrong.message) == ("ARGUMENT_INVALID", True)
        back = await kit.admin.SetLogLevel(pb.SetLogLevelRequest())
        assert dict(back.log_levels) == {}
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
    assert [(verb, resource, details) for _, verb, resource, details in await audited(kit)] == [
        ("log.set_level", "hostd.journal", {"level": "debug"}),
        ("log.set_level", "", {"level": "error"}),
        ("log.set_level", "", {"level": "configured"}),
    ]
