"""What the command line does without a daemon. With its kind, local_*.py, it alone reaches lower."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hostd.errors.base import HostdError, Kind, Violation
from hostd.values.json_text import JsonValue, dump_json, parse_json

if TYPE_CHECKING:
    from hostd.config.load import Loaded
    from hostd.config.rooms import Config
    from hostd.core import Core
    from hostd.definition.ports import CodeFault, CodeSource
    from hostd.lua.script import LuaPool

NAMESPACE = "default"
PRINCIPAL = "cli"
STARTING_LOOK_S = 0.02


def run_daemon(flags: dict[str, Any], config_file: Path | None) -> int:
    """Run the daemon until a signal; return its exit code. Raises CONFIG_INVALID and what keeps it from starting."""
    from hostd.config.load import load_config

    def read() -> Loaded:
        return load_config(flags=flags, file=config_file)

    loaded = read()
    from hostd.serving import serve

    return serve(loaded, read)


def configuration(flags: dict[str, Any], config_file: Path | None) -> list[dict[str, Any]]:
    """Return every key with value and origin. Raises CONFIG_INVALID."""
    from hostd.config.load import load_config
    from hostd.config.shown import shown_values

    return [shown._asdict() for shown in shown_values(load_config(flags=flags, file=config_file))]


class Checked(NamedTuple):
    """What is wrong with a configuration, what is doubtful, and the file that was read."""

    mistakes: list[Violation]
    warnings: list[str]
    file: Path | None


def check_configuration(flags: dict[str, Any], config_file: Path | None) -> Checked:
    """Return every mistake that would keep `hostd serve` from starting with a configuration, or a plugin from loading.

    What is deeper (files that are named, plugins' settings) is looked at once everything else is right.
    """
    from hostd.config.load import load_config

    try:
        loaded = load_config(flags=flags, file=config_file)
    except HostdError as error:
        return Checked(list(error.violations), [], config_file)
    faults, warnings = _settings_faults(loaded)
    faults = sorted([*_tls_faults(loaded), *faults], key=lambda fault: (fault.line, fault.column))
    return Checked(faults, warnings, loaded.file)


def _tls_faults(loaded: Loaded) -> list[Violation]:
    from hostd.api.listening import read_credentials
    from hostd.daemon import http_tls

    try:
        http_tls(loaded.config)
        read_credentials(loaded.config.tls)
    except HostdError as error:
        return [_fault_at(loaded, ("tls",), error.reason, error.message)]
    return []


def _settings_faults(loaded: Loaded) -> tuple[list[Violation], list[str]]:
    """Return the mistakes in plugins' settings, and the settings that nothing takes."""
    import logging

    from hostd.host.host import PluginHost
    from hostd.runtime.room_options import plugin_choices

    logging.getLogger("hostd").setLevel(logging.CRITICAL)  # what would be logged is in the answer
    host = PluginHost(plugin_choices(loaded.config))
    reports = host.load().plugins
    faults = []
    for report in reports:
        owner, _, said = report.message.partition(": ")
        if report.reason == "OPTION_INVALID" and owner.startswith("plugins.settings."):
            for one in said.split("; "):
                option, plugin = one.partition(": ")[0], f"plugins.settings.{report.id}"
                keys = (f"{owner}.{option}", f"{plugin}.{option}", owner, plugin)
                faults.append(_fault_at(loaded, keys, "OPTION_INVALID", one))
    failed = {report.id for report in reports if report.reason}
    unused = [key for key in host.unused_settings() if key.partition(".")[0] not in failed]
    told = "no built-in or installed plugin takes them; one in the plugins folder may"
    return faults, [f"plugins.settings.{key}: {told}" for key in unused]


def _fault_at(loaded: Loaded, keys: tuple[str, ...], reason: str, message: str) -> Violation:
    """Return a mistake of the first key, at the place of the first of all that the file has."""
    place = next((loaded.marks[key] for key in keys if key in loaded.marks), (0, 0))
    return Violation(keys[0], reason, message, "", str(loaded.file or "") if place[0] else "", *place)


# -- documents


def check_documents(text: bytes, file: str) -> tuple[list[Violation], list[str]]:
    """Return every mistake of a text's documents, and the warnings where there is none."""
    from hostd.definition.compile import compile_text
    from hostd.host.host import PluginHost

    try:
        plans = compile_text(text, file=file, catalogue=PluginHost().load(may_wait=True), code=_CodeHere())
    except HostdError as error:
        if error.reason != "DOCUMENT_INVALID":
            raise
        return list(error.violations), []
    return [], [warning for plan in plans for warning in plan.warnings]


class _CodeHere:
    """Compiles Lua in a pool of its own, which lives as long as one check."""

    def faults(self, sources: Sequence[CodeSource]) -> list[CodeFault]:
        """Return what is wrong with scripts, by the default limits."""
        return asyncio.run(self._faults(sources))

    async def _faults(self, sources: Sequence[CodeSource]) -> list[CodeFault]:
        from hostd.lua.check import code_faults
        from hostd.lua.limits import DEFAULT_LIMITS

        async with _pool_here() as pool:
            return await code_faults(pool, sources, DEFAULT_LIMITS)


def is_trigger_text(text: str) -> bool:
    """Say whether a text is one document of a trigger of its own; one that cannot be read is none."""
    from hostd.definition.document import read_documents
    from hostd.definition.trigger_document import is_trigger_document

    documents, _ = read_documents(text)
    return len(documents) == 1 and is_trigger_document(documents[0].root)


def document_value(text: str, file: str) -> JsonValue:
    """Return the first document of a text as values of JSON. Raises DOCUMENT_INVALID."""
    from hostd.definition.document import load_documents
    from hostd.definition.nodes import value_of

    documents = load_documents(text, file=file)
    if not documents:
        raise HostdError(Kind.INVALID, "DOCUMENT_INVALID", f"{file} holds no document")
    value: JsonValue = value_of(documents[0].root)
    return value


def differences(first: str, second: str) -> list[dict[str, Any]]:
    """Return how two documents differ, as the daemon tells it. Raises DOCUMENT_INVALID."""
    import msgspec

    from hostd.definition.differences import document_differences

    found = document_differences(first.encode(), second.encode())
    return [msgspec.to_builtins(difference) for difference in found]


def schema_text(what: str) -> bytes:
    """Return the JSON Schema of `workflow` or `trigger` documents, of case files (`tests`), or of the `config`."""
    import json

    from hostd.config.schema import config_schema
    from hostd.definition.schema import trigger_schema, workflow_schema
    from hostd.testing.cases.schema import cases_schema

    known = {"trigger": trigger_schema, "config": config_schema, "tests": cases_schema}
    made = known.get(what, workflow_schema)()
    return json.dumps(made, indent=2, ensure_ascii=False).encode() + b"\n"


def run_here(
    text: bytes,
    value: JsonValue,
    *,
    file: str,
    config_file: Path | None,
    log_level: str,
    flags: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Run a document in this process, on a journal in memory; return {state, output, failure}.

    Args:
        flags: keys of the configuration that were said on the command line.

    Raises:
        HostdError: CONFIG_INVALID, DOCUMENT_INVALID, INPUT_INVALID.
    """
    from hostd.config.load import load_config
    from hostd.telemetry.logs import configure_logs

    config = load_config(flags={"journal.store": "memory", **(flags or {})}, file=config_file).config
    configure_logs(level=log_level, style=config.log.format)
    return asyncio.run(run_document(text, value, file=file, config=config))


async def run_document(text: bytes, value: JsonValue, *, file: str, config: Config) -> dict[str, Any]:
    """Run a document in this event loop to its end. Cancelling ends the run with everything that is its."""
    from hostd.core import Core

    core = Core(config, data=None)
    await core.open()
    try:
        await _plugins_there(core)
        key = await _start(core, text, value, file)
        return await _end_of(core, key)
    finally:
        await core.close()


async def _plugins_there(core: Core) -> None:
    """Wait until no plugin is starting any more: what cannot start fails by its own time limit."""
    while core.host.registry.starting:
        await core.clock.sleep(STARTING_LOOK_S)


async def _start(core: Core, text: bytes, value: JsonValue, file: str) -> int:
    import msgspec

    plan = await core.workflows.compiling.one(text, file=file)
    plan = msgspec.structs.replace(plan, version=plan.version or "0.0.1")
    core.workflows.plans.add(NAMESPACE, plan)
    prepared = core.starts.prepare(
        await core.workflows.plans.resolve(NAMESPACE, plan.workflow),
        namespace=NAMESPACE,
        input_json=dump_json(value),
        now_ms=core.clock.wall_ms(),
        principal=PRINCIPAL,
    )
    (started,) = await core.intake.start([prepared])
    if isinstance(started, HostdError):
        raise started
    return started.key


async def _end_of(core: Core, key: int) -> dict[str, Any]:
    """Wait for a run's end; fold its history into what is shown."""
    from hostd.engine.scope import failures_of
    from hostd.model.payload import BlobRef
    from hostd.model.states import RunState, run_is_final
    from hostd.runtime.ring.snapshots import fold_run
    from hostd.runtime.runs.run_reads import run_held

    end = core.hub.end_of(key)
    row = core.journal.run_row(key)
    if row is not None and run_is_final(row.state):
        core.hub.forget_end(key, end)
    else:
        await end
        row = core.journal.run_row(key)
    if row is None:
        raise HostdError(Kind.BUG, "BUG", "the run is gone from the journal")
    if row.state == RunState.HELD:
        raise run_held(row)
    run = fold_run(core.journal, core.workflows.plans, row)
    output = run.output
    if isinstance(output, BlobRef):  # nobody could ask for the blob later
        output = await core.residence.blob(NAMESPACE, output.digest)
    failures = failures_of(run)
    return {
        "state": RunState(run.state).name,
        "output": parse_json(output) if output else None,
        "failure": failures[0] if failures else _own_failure(run) if run.state != RunState.SUCCEEDED else None,
    }


def _own_failure(run: Any) -> dict[str, Any]:
    """Return why a run without failed steps did not succeed: it was canceled, or ended on purpose."""
    from hostd.engine.scope import failure_value
    from hostd.model.records import Failure

    return failure_value(Failure(run.reason, run.message), attempt=0, step="")


# -- expressions and scripts


def evaluate(expression: str, context: JsonValue) -> JsonValue:
    """Return the value of an expression, bare or as text with `${{ }}`, over a map of roots.

    Raises:
        HostdError: EXPRESSION_INVALID, EXPRESSION_FAILED, EXPRESSION_LIMIT; PAYLOAD_INVALID for another context.
    """
    from hostd.aio import SystemClock
    from hostd.definition.expressions.plain import PlainScope, evaluate_plain
    from hostd.definition.expressions.template import compile_template, has_expression

    now_ms, seed = SystemClock().wall_ms(), random.SystemRandom().randbytes(16)
    if isinstance(context, dict) and has_expression(expression):
        rendered: JsonValue = compile_template(expression).render(PlainScope(context, now_ms=now_ms, seed=seed))
        return rendered
    value: JsonValue = evaluate_plain(expression, context, now_ms=now_ms, seed=seed)
    return value


class LuaValue(NamedTuple):
    """What a script returned."""

    value: JsonValue


def run_lua(
    source: str, value: JsonValue, *, name: str, limits: dict[str, int]
) -> tuple[LuaValue | HostdError, tuple[tuple[str, str], ...]]:
    """Run a script without capabilities; return its result or failure, and its log lines as (level, message).

    Raises:
        HostdError: OPTION_INVALID for a limit, SCRIPTS_UNAVAILABLE, SCRIPT_LOST.
    """
    from hostd.aio import SystemClock
    from hostd.lua.call import ScriptCall
    from hostd.lua.limits import raised
    from hostd.lua.script import run_alone
    from hostd.runtime.attempts.scripts import script_error

    call = ScriptCall(
        source=source,
        input=dump_json(value),
        chunk_name=name,
        limits=raised(limits),
        time_ms=SystemClock().wall_ms(),
        seed=random.SystemRandom().randbytes(16),
    )
    result = asyncio.run(run_alone(call))
    if result.failure is not None:
        return script_error(result.failure), result.logs
    return LuaValue(parse_json(result.output or b"null")), result.logs


def check_lua(sources: dict[str, str]) -> list[Violation]:
    """Return why scripts do not compile; keys are the names of their files."""
    return asyncio.run(_check_lua(sources))


async def _check_lua(sources: dict[str, str]) -> list[Violation]:
    found = []
    async with _pool_here() as pool:
        await pool.start()
        for file, source in sources.items():
            failure = await pool.validate(source, file)
            if failure is not None:
                _, _, behind_place = failure.message.partition(f":{failure.line}: ")
                said = behind_place or failure.message
                found.append(Violation("", failure.reason.value, said, "", file, failure.line, 1))
    return found


@asynccontextmanager
async def _pool_here() -> AsyncIterator[LuaPool]:
    """Have one worker while something is compiled."""
    from hostd.lua.pool import PoolOptions
    from hostd.lua.script import LuaPool

    pool = LuaPool(PoolOptions(workers_max=1, spare=0, running_max=1))
    try:
        yield pool
    finally:
        await pool.close()


# -- the journal


def check_journal(path: str, *, repair: bool) -> Iterator[str]:
    """Yield a line for each fault of a journal; with repair, for each thing done and each fault left."""
    from hostd.journal.tools import check_file

    yield from check_file(path, repair)


def back_up_journal(path: Path, target: str) -> int:
    """Copy a journal that no daemon has open; return the size in bytes."""
    from hostd.journal.tools import backup_file

    return backup_file(path, target)


def compact_journal(data: Path, progress: Callable[[str, int], None]) -> dict[str, int]:
    """Compact the journal of a data folder that no daemon serves; return what came of it.

    Raises JOURNAL_LOCKED where one does, JOURNAL_FULL, CONFIG_INVALID.
    """
    from hostd.aio import SystemClock
    from hostd.config.load import load_config
    from hostd.journal.tools import compact_file
    from hostd.runtime.room_options import retention_of

    retention = retention_of(load_config(flags={"data": str(data)}, file=None).config)
    now_ms = SystemClock().wall_ms()
    return compact_file(data / "journal.db", retention=retention, now_ms=now_ms, progress=progress)._asdict()


def new_token(data: Path) -> str:
    """Put a new token into a data folder that no daemon serves; return its file. Raises JOURNAL_LOCKED."""
    from hostd.api.auth import new_owner_token
    from hostd.journal.lock import JournalLock

    lock = JournalLock(data / "journal.lock")
    try:
        lock.take(make=False)
        new_owner_token(data / "token")
    except OSError as error:
        message = f"{data / 'token'} cannot be written: {error.strerror}"
        raise HostdError(Kind.UNAVAILABLE, "JOURNAL_READ_ONLY", message) from None
    finally:
        lock.release()
    return str(data / "token")
