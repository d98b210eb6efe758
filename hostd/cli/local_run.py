"""Running a document, and evaluating an expression, in the command's own process.

Like local.py it reaches into the rooms below.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostd.errors.base import HostdError, Kind
from hostd.values.json_text import JsonValue, dump_json, parse_json

if TYPE_CHECKING:
    from hostd.config.rooms import Config
    from hostd.core import Core

NAMESPACE = "default"
PRINCIPAL = "cli"
STARTING_LOOK_S = 0.02


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
