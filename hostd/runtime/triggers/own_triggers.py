"""Triggers of their own: taking their documents, replacing and deleting them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from hostd.aio import to_its_end
from hostd.definition.document import load_documents
from hostd.definition.ports import Catalogue
from hostd.definition.trigger_document import OwnTrigger, compile_trigger_document
from hostd.errors.base import HostdError, Kind, invalid
from hostd.journal.port import Journal, OwnTriggerRow
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.repeats import Note
from hostd.runtime.ring.turn import Turn
from hostd.runtime.triggers.trigger_source import KeptRow
from hostd.runtime.triggers.triggers import Triggers
from hostd.runtime.workflows.workflows import Workflows


class OwnTriggers:
    """Takes documents of triggers in; what lives follows."""

    def __init__(
        self,
        *,
        triggers: Triggers,
        workflows: Workflows,
        loop: EngineLoop,
        journal: Journal,
        readers: Readers,
    ) -> None:
        self._triggers = triggers
        self._workflows = workflows
        self._loop = loop
        self._journal = journal
        self._readers = readers
        self._writing = asyncio.Lock()

    async def find(self, namespace: str, name: str) -> OwnTriggerRow | None:
        """Return what is kept of a trigger."""
        rows: list[OwnTriggerRow] = await self._readers.call(self._journal.own_triggers, namespace, name)
        return rows[0] if rows else None

    async def compile(self, namespace: str, text: bytes, *, file: str = "") -> OwnTrigger:
        """Return the trigger of a text that holds one trigger document, checked against what it starts.

        Raises:
            HostdError: DOCUMENT_INVALID with every mistake, WORKFLOW_MISSING, VERSION_MISSING.
        """
        own: OwnTrigger = await self._workflows.compiling.compiled(lambda loaded: _compile(text, file, loaded, None))
        try:
            ready = await self._workflows.plans.resolve(namespace, own.workflow, own.version)
        except HostdError as error:
            if error.reason != "WORKFLOW_INACTIVE":  # it may be activated later
                raise
            return own
        if ready.plan.inputs is None:
            return own
        inputs = ready.plan.inputs
        checked: OwnTrigger = await self._workflows.compiling.compiled(
            lambda loaded: _compile(text, file, loaded, inputs)
        )
        return checked

    async def create(
        self,
        namespace: str,
        text: bytes,
        *,
        file: str,
        replace: bool,
        principal: str,
        note: Callable[[Turn, str, bool], None],
    ) -> tuple[str, bool]:
        """Take a document in; return the trigger's name, and whether anything changed.

        Args:
            note: called with the turn, to write a request id beside it.

        Raises:
            HostdError: DOCUMENT_INVALID, WORKFLOW_MISSING, VERSION_MISSING, TRIGGER_EXISTS.
        """
        own = await self.compile(namespace, text, file=file)
        row = OwnTriggerRow(namespace, own.plan.name, own.digest, own.document, text, principal=principal)
        changed = await to_its_end(self._take_in(row, replace=replace, note=note), name="trigger-create")
        return row.name, changed

    async def _take_in(self, row: OwnTriggerRow, *, replace: bool, note: Callable[[Turn, str, bool], None]) -> bool:
        async with self._writing:
            before = await self.find(row.namespace, row.name)
            changed = before is None or before.digest != row.digest
            if before is not None and changed and not replace:
                message = f"there is another trigger named {row.name}; replace it, or choose another name"
                raise HostdError(Kind.EXISTS, "TRIGGER_EXISTS", message)
            begins = await self._readers.call(self._journal.last_event)

            def fill(turn: Turn) -> None:
                if changed:
                    kept = msgspec.structs.replace(row, applied_event=begins, applied_at_ms=turn.batch.at_ms)
                    turn.batch.own_triggers.append(kept)
                note(turn, row.name, changed)

            await self._loop.write(fill)
            self._triggers.own_changed(row.namespace, row.name)
            await self._triggers.refresh()
        return changed

    async def delete(self, namespace: str, name: str, *, note: Note | None = None) -> None:
        """Delete a trigger with its cursor. Raises HostdError TRIGGER_MISSING."""

        async def write(kept: KeptRow) -> None:
            def fill(turn: Turn) -> None:
                turn.batch.own_trigger_deletes.append((namespace, name))
                kept.forget(turn)
                if note is not None:
                    note(turn)

            await self._loop.write(fill)

        async def forget() -> None:
            async with self._writing:
                await self._triggers.forget((namespace, "", name), write)
                self._triggers.own_changed(namespace, name)

        await to_its_end(forget(), name="trigger-delete")


def _compile(text: bytes, file: str, catalogue: Catalogue, inputs: Any) -> OwnTrigger:
    documents = load_documents(text, file=file)
    if len(documents) != 1:
        raise invalid("DOCUMENT_INVALID", f"the text holds {len(documents)} documents; send them one at a time")
    return compile_trigger_document(documents[0], catalogue=catalogue, inputs=inputs)
