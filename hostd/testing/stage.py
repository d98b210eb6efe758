"""A plugin on a real host, in memory: the same core that a daemon runs, without its ports."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from hostd.config.rooms import Config
from hostd.core import Core
from hostd.errors.base import HostdError, invalid
from hostd.host.found import Found, PluginState, Source
from hostd.journal.codec import decode_records
from hostd.journal.port import RunQuery, RunRow
from hostd.model.messages import Cancel
from hostd.model.payload import BlobRef
from hostd.model.records import AnyRecord, AttemptFailed, AttemptSucceeded, Failure
from hostd.model.states import RunState, run_is_final
from hostd.plugin import WebhookRequest, WebhookResponse
from hostd.plugin.process.source import import_folder
from hostd.runtime.ring.intake import Started
from hostd.testing.data_folder import checked_id, found_folder, id_of_folder, write_secrets
from hostd.values.json_text import JsonValue, dump_json, parse_json

MODES = ("inline", "thread", "process")
NAMESPACE = "default"
LOADED_S = 30.0
FIXED = datetime(2026, 3, 28, 12, tzinfo=UTC)  # a change of clocks is near in most zones that have any


class Outcome(NamedTuple):
    """What became of a run of one step. `failure` names are those of `failure.*` in a workflow; `logs` are lines."""

    state: str
    output: JsonValue = None
    reason: str = ""
    message: str = ""
    code: str = ""
    retryable: bool = False
    details: JsonValue = None
    attempts: int = 1
    logs: tuple[str, ...] = ()


class Slots(NamedTuple):
    """When a trigger would fire, on the clocks of its time zone; or the reason why that cannot be said."""

    times: tuple[str, ...] = ()
    timezone: str = ""
    more: bool = False
    reason: str = ""


class Stage:
    """A host that runs a plugin, whose id `plugin` is. `core` is its insides, without any promise."""

    def __init__(self, core: Core, plugin: str = "") -> None:
        self.core = core
        self.plugin = plugin
        self._count = 0

    async def attempt(
        self,
        action: str,
        options: Mapping[str, Any] | None = None,
        *,
        retry: Mapping[str, Any] | None = None,
        timeout: str = "",
        cancel_when: Callable[[], bool] | None = None,
    ) -> Outcome:
        """Run a workflow of one step to its end.

        Args:
            retry, timeout: as a step has them.
            cancel_when: the run is cancelled once this holds.
        """
        self._count += 1
        step: dict[str, Any] = {"uses": action, "with": dict(options or {})}
        if retry is not None:
            step["retry"] = dict(retry)
        if timeout:
            step["timeout"] = timeout
        started = await self.start(await self.register({"workflow": f"stage-{self._count}", "steps": {"it": step}}))
        if cancel_when is not None:
            await self.until(cancel_when)
            await self.core.loop.ask(started.key, Cancel(), "stage")
        row = await self.ended(started)
        return await self.outcome(started, row)

    async def next_slots(
        self, trigger: str, options: Mapping[str, Any] | None = None, *, after: datetime = FIXED, count: int = 10
    ) -> Slots:
        """Return when a trigger with these options would fire, as PreviewSchedule says."""
        after_us = round(after.timestamp()) * 1_000_000
        schedules = self.core.front.schedules
        try:
            view = await schedules.preview_options(trigger, dict(options or {}), after_us=after_us, count=count)
        except HostdError as error:
            return Slots(reason=error.reason)
        return Slots(tuple(slot.local for slot in view.slots), view.timezone, view.more)

    # -- workflows

    async def register(self, document: str | Mapping[str, Any]) -> str:
        """Register and activate a workflow, its triggers too; return its name. Raises HostdError DOCUMENT_INVALID."""
        text = document.encode() if isinstance(document, str) else dump_json(dict(document))
        registered = await self.core.workflows.register(NAMESPACE, text, activate=True, principal="stage")
        return registered.workflow.workflow

    async def start(self, workflow: str, value: JsonValue = None) -> Started:
        """Start a run. Raises HostdError."""
        ready = await self.core.workflows.plans.resolve(NAMESPACE, workflow)
        made = self.core.starts.prepare(
            ready, namespace=NAMESPACE, input_json=dump_json(value), now_ms=self.core.clock.wall_ms()
        )
        (started,) = await self.core.intake.start([made])
        if isinstance(started, HostdError):
            raise started
        return started

    async def ended(self, started: Started) -> RunRow:
        """Return a run's row once it is final."""
        end = self.core.hub.end_of(started.key)
        row = self.core.journal.run_row(started.key)
        if row is None or not run_is_final(row.state):
            await end
            row = self.core.journal.run_row(started.key)
        self.core.hub.forget_end(started.key, end)
        if row is None:
            raise invalid("ARGUMENT_INVALID", "the run is gone")
        return row

    def runs(self, workflow: str) -> list[RunRow]:
        """Return every run of a workflow."""
        rows = self.core.journal.query_runs(RunQuery(NAMESPACE, limit=100_000))
        return [row for row in rows if row.workflow == workflow]

    async def outcome(self, started: Started, row: RunRow) -> Outcome:
        """Return what became of a run of one step."""
        return await asyncio.to_thread(self._outcome, started, row)

    def _outcome(self, started: Started, row: RunRow) -> Outcome:
        rows = self.core.journal.history(started.key, max_bytes=1 << 30)
        records = [record for each in rows for record in decode_records(each.body)]
        files = self.core.log_files
        self.core.log_writer.flush()
        found = files.read(started.run_id) if files is not None else ()
        return _outcome(row, records, tuple(line for log in found for line in log.lines))

    # -- the outside

    async def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> WebhookResponse | None:
        """Send a request to `/hooks/...`; None where nobody answers."""
        entry = self.core.routes.find(path, method)
        if entry is None:
            return None
        return await entry.handler(WebhookRequest(method, path, headers=headers, body=body))

    def trigger(self, workflow: str, name: str) -> tuple[str, str]:
        """Return a trigger's state and message."""
        live = self.core.triggers.get((NAMESPACE, workflow, name))
        return live.state, live.message

    async def until(self, condition: Callable[[], Any], timeout_s: float = 20.0) -> Any:
        """Wait until a condition holds; return what it returns. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not (found := condition()):  # noqa: ASYNC110 whatever it is, it tells nobody
                await asyncio.sleep(0.005)
        return found


def _outcome(row: RunRow, records: list[AnyRecord], logs: tuple[str, ...]) -> Outcome:
    state = RunState(row.state).name
    attempts = [record for record in records if isinstance(record, AttemptFailed | AttemptSucceeded)]
    last = attempts[-1] if attempts else None
    number = last.attempt if last is not None else 0
    if isinstance(last, AttemptSucceeded):
        value = last.output
        output: JsonValue
        output = {"$blob": value.digest.hex()} if isinstance(value, BlobRef) else parse_json(value or b"null")
        return Outcome(state, output, attempts=number, logs=logs)
    failure = last.failure if last is not None else Failure(row.reason, "")
    details = parse_json(failure.details) if failure.details else None
    return Outcome(
        state,
        None,
        failure.reason,
        failure.message,
        failure.code,
        failure.retryable,
        details,
        number,
        logs,
    )


@asynccontextmanager
async def on_stage(
    plugin: Path | str,
    *,
    mode: str = "process",
    settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    config: Mapping[str, Any] | None = None,
) -> AsyncIterator[Stage]:
    """Put a plugin on a host of its own; everything is gone afterwards.

    Args:
        plugin: its folder, or the id of one that is built in or installed.
        mode: `inline`, `thread` or `process`; a folder in Lua or of another language knows only `process`.
        settings: the operator's `plugins.settings`.
        secrets: secrets of the namespace.
        config: any other configuration.

    Raises:
        HostdError: the plugin does not load, with what is wrong with it; ARGUMENT_INVALID for what is no plugin.
    """
    with tempfile.TemporaryDirectory(prefix="hostd-stage-") as home:
        core, plugin_id = await asyncio.to_thread(_core, Path(home), plugin, mode, settings, secrets, config)
        try:
            await core.open()
            await core.triggers.start()
            stage = Stage(core, plugin_id)
            await _loaded(stage, plugin_id)
            yield stage
        finally:
            await core.triggers.stop()
            await core.close()


def _core(
    home: Path,
    plugin: Path | str,
    mode: str,
    settings: Mapping[str, Any] | None,
    secrets: Mapping[str, str] | None,
    config: Mapping[str, Any] | None,
) -> tuple[Core, str]:
    if mode not in MODES:
        raise invalid("ARGUMENT_INVALID", f"{mode!r} is no mode; there are {', '.join(MODES)}")
    data = home / "data"
    (data / "run").mkdir(parents=True, mode=0o700)
    write_secrets(data, secrets)
    also: list[Found] = []
    if isinstance(plugin, Path):
        plugin = found_folder(plugin)
        plugin_id = id_of_folder(plugin)
        if mode == "process":
            shutil.copytree(plugin, data / "plugins" / plugin.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            also.append(Found(plugin_id, "0", Source.PACKAGE, str(plugin), partial(import_folder, plugin, plugin_id)))
    else:
        plugin_id = checked_id(plugin)
    chosen: dict[str, Any] = {"settings": dict(settings or {})}
    if mode != "process" or not isinstance(plugin, Path):
        chosen[mode] = [plugin_id]
    given = dict(config or {})
    chosen |= given.pop("plugins", {})
    core = Core(Config.model_validate({"journal": {"store": "memory"}, "plugins": chosen, **given}), data=data)
    core.host.also = also
    return core, plugin_id


async def _loaded(stage: Stage, plugin_id: str) -> None:
    """Wait until the plugin serves. Raises HostdError with why it does not."""
    waits = (PluginState.STARTING, PluginState.NEEDS_PROCESS)

    def settled() -> Any:
        found = next((one for one in stage.core.host.registry.plugins if one.id == plugin_id), None)
        return found if found is not None and found.state not in waits else None

    report = await stage.until(settled, LOADED_S)
    if report.state is not PluginState.LOADED:
        message = f"plugin {plugin_id}: {report.message}\n{report.traceback}".strip()
        raise invalid(report.reason or "PLUGIN_FAILED", message)
