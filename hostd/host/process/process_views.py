"""A plugin's process as it is shown."""

from __future__ import annotations

from collections.abc import Iterable

from hostd.host.process.plugin_process import PluginProcess
from hostd.model.views import OldVersionView, ProcessView

SHOWN_LINES = 50


def view_of(process: PluginProcess, old: Iterable[PluginProcess]) -> ProcessView:
    """Return the process that serves, and those of versions before it, oldest first."""
    return ProcessView(
        state=process.state.value.lower(),
        pid=process.pid,
        restarts=process.restarts,
        attempts=len(process.desk.attempts),
        triggers=len(process.desk.triggers),
        message=process.message,
        printed=process.printed[-SHOWN_LINES:],
        draining=tuple(
            OldVersionView(one.version, one.pid, len(one.desk.attempts), len(one.desk.triggers)) for one in old
        ),
    )
