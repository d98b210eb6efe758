"""What is done with documents without a daemon. Like local.py it reaches into the rooms below."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hostd.errors.base import HostdError, Kind, Violation
from hostd.values.json_text import JsonValue

if TYPE_CHECKING:
    from hostd.definition.ports import CodeFault, CodeSource
    from hostd.host.registry import HostRegistry

STARTING_LOOK_S = 0.02


class Known(NamedTuple):
    """Actions and triggers that documents may use, and which plugins could not bring theirs, and why."""

    registry: HostRegistry
    missing: list[str]


def known_here() -> Known:
    """Return what is built in and installed."""
    from hostd.host.host import PluginHost

    return Known(PluginHost().load(may_wait=True), [])


def known_with(plugins: Path) -> Known:
    """Return what is known here and what the plugins in the folders of a folder serve: each is started, and asked.

    Raises CONFIG_INVALID.
    """
    return asyncio.run(_asked(plugins.absolute()))


async def _asked(plugins: Path) -> Known:
    import logging

    from hostd.aio import SystemClock
    from hostd.config.load import load_config
    from hostd.host.found import PluginState
    from hostd.host.host import PluginHost
    from hostd.runtime.room_options import plugin_choices, process_limits

    logging.getLogger("hostd").setLevel(logging.CRITICAL)  # what would be logged is in the answer
    config = load_config(flags={"journal.store": "memory"}, file=None).config
    clock = SystemClock()
    host = PluginHost(plugin_choices(config), clock=clock, limits=process_limits(config), plugins_dir=plugins)
    try:
        host.load(may_wait=True)
        await host.start_processes()
        while host.registry.starting:  # one that cannot start fails by its own time limit
            await clock.sleep(STARTING_LOOK_S)
        registry = host.registry
    finally:
        await host.close()
    failed = [report for report in registry.plugins if report.state is PluginState.FAILED]
    return Known(registry, [f"plugin {one.id} does not load: {one.reason}: {one.message}" for one in failed])


def check_documents(text: bytes, file: str, known: Known | None = None) -> tuple[list[Violation], list[str]]:
    """Return every mistake of a text's documents, and the warnings where there is none.

    Args:
        known: what they may use; else what is known here.
    """
    from hostd.definition.compile import compile_text

    try:
        plans = compile_text(text, file=file, catalogue=(known or known_here()).registry, code=_CodeHere())
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
        from hostd.cli.local_scripts import pool_here
        from hostd.lua.check import code_faults
        from hostd.lua.limits import DEFAULT_LIMITS

        async with pool_here() as pool:
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
