"""Starting a plugin once, out of sight, to see whether it can serve: its imports, its options, its settings."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError, Kind
from hostd.host.found import Found, PluginReport, PluginState
from hostd.host.process.launch import ProcessLimits
from hostd.host.process.processes import Processes

START = timedelta(minutes=2)  # the first start compiles everything the plugin imports
LOOK_S = 0.05


async def probe(
    found: Found, *, clock: Clock, random: Random, limits: ProcessLimits, settings: Mapping[str, Any], within: Path
) -> PluginReport:
    """Return what a plugin says it serves. Raises HostdError PLUGIN_FAILED where it does not.

    Args:
        within: a folder to work in; what a kill leaves there is whoever clears it to see to.
    """
    if found.launch is not None:  # what a manifest promises does not count here
        found = found._replace(launch=found.launch._replace(provides=()))
    patient = msgspec.structs.replace(limits, start=max(limits.start, START))
    processes = Processes(
        clock=clock,
        random=random,
        limits=patient,
        data_dir=None,
        settings=settings,
        changed=lambda: None,
        within=within,
    )
    adding = spawn(processes.add(found), name=f"probe of {found.id}")
    try:
        async with asyncio.timeout(2 * patient.start.total_seconds()):
            return await _word(processes, found)
    except TimeoutError:
        raise _failed(found, "it did not say what it serves in time") from None
    except OSError as error:
        raise _failed(found, f"it cannot be started: {error}") from None
    finally:
        adding.cancel()
        await processes.stop()


async def _word(processes: Processes, found: Found) -> PluginReport:
    """Wait until the process says what it serves, or how it failed; one crash is enough to know."""
    while True:
        process = processes.process(found.id)
        if process is not None:
            report = processes.report(found.id)
            if report.state is PluginState.LOADED and not process.restarts:
                return report
            if process.restarts or report.state in (PluginState.FAILED, PluginState.QUARANTINED):
                printed = " / ".join(process.printed[-3:]) if process.restarts else ""
                said = ": ".join(part for part in (report.message or process.message, printed) if part)
                raise _failed(found, said, report.traceback)
        await asyncio.sleep(LOOK_S)


def _failed(found: Found, message: str, traceback: str = "") -> HostdError:
    told = f"plugin {found.id} {found.version} cannot serve: {message}"
    details = {"traceback": traceback} if traceback else {}
    return HostdError(Kind.INVALID, "PLUGIN_FAILED", told[:2_000], details=details)
