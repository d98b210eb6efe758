"""The daemon itself, as the doors see it: what it is, what its bounds are, and copies of its journal."""

from __future__ import annotations

import asyncio
import functools
import platform
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import tzdata  # type: ignore[import-untyped]

from hostd.aio import Clock
from hostd.definition.yaml_text import MAX_DOCUMENT_BYTES
from hostd.errors.base import invalid
from hostd.journal.port import AuditRow, Journal, JournalInfo, Retention
from hostd.model.administration import AuditView, BackupStep, CompactionStep, IsolationView, JournalView, SystemView
from hostd.model.payload import (
    DOOR_BYTES_MAX,
    INLINE_BYTES_MAX,
    OUTPUT_BYTES_MAX,
    RUN_BYTES_MAX,
    RUN_RECORDS_MAX,
    RUN_VALUES_MAX,
)
from hostd.model.requests import KEY_BYTES_MAX, LABEL_BYTES_MAX, LABELS_MAX, REQUEST_ID_BYTES_MAX, STARTS_MAX
from hostd.plugin.api import API
from hostd.runtime.attempts.effects import Effects
from hostd.runtime.desks.namespace_shelf import NamespaceShelf
from hostd.runtime.ring.audit import audited
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.values.version import VERSION

PROGRESS_S = 0.2
DEFAULT = "default"  # the namespace whose audit tells what was done to all of them
COMPACT, ROTATE = "journal.compact", "token.rotate"


def announced_limits() -> dict[str, int]:
    """Return the bounds that callers can meet, by name."""
    return {
        "value_bytes": DOOR_BYTES_MAX,
        "inline_value_bytes": INLINE_BYTES_MAX,
        "step_output_bytes": OUTPUT_BYTES_MAX,
        "run_values_bytes": RUN_BYTES_MAX,
        "run_values": RUN_VALUES_MAX,
        "run_records": RUN_RECORDS_MAX,
        "document_bytes": MAX_DOCUMENT_BYTES,
        "key_bytes": KEY_BYTES_MAX,
        "request_id_bytes": REQUEST_ID_BYTES_MAX,
        "labels": LABELS_MAX,
        "label_bytes": LABEL_BYTES_MAX,
        "starts_in_a_request": STARTS_MAX,
    }


def _seen(work: asyncio.Future[int]) -> None:
    """Take note of how a copy ended: whoever asked for it may have gone."""
    if not work.cancelled():
        work.exception()


def _audit(number: int, at_ms: int, row: AuditRow) -> AuditView:
    details = msgspec.json.decode(row.details, type=dict[str, str]) if row.details else {}
    return AuditView(number, at_ms, row.principal, row.verb, row.resource, details)


class Administration:
    """Facts and backups. The daemon sets the addresses once its ports listen.

    Args:
        info: None until the journal is open.
        data: the data folder; None where there is none.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        readers: Readers,
        info: Callable[[], JournalInfo | None],
        loop: EngineLoop,
        effects: Effects,
        isolation: Callable[[], dict[str, Any]],
        instance_id: str,
        started_at_ms: int,
        data: Path | None,
        clock: Clock,
        retention: Callable[[], Retention],
        spaces: NamespaceShelf,
    ) -> None:
        self._journal = journal
        self._readers = readers
        self._info = info
        self._loop = loop
        self._effects = effects
        self._isolation = isolation
        self._instance_id = instance_id
        self._started_at_ms = started_at_ms
        self._limits = announced_limits()
        self._data = data
        self._clock = clock
        self._retention = retention
        self.namespaces = spaces.list
        self.grpc_address = ""
        self.http_address = ""

    def system(self) -> SystemView:
        """Return what there is to know."""
        info = self._info()
        unwritable = self._loop.unwritable
        lua = self._isolation()
        capabilities = ["expressions", "lua", *(["http"] if self.http_address else [])]
        return SystemView(
            version=VERSION,
            plugin_api=API,
            python=platform.python_version(),
            instance_id=self._instance_id,
            started_at_ms=self._started_at_ms,
            journal=JournalView(
                kind=info.kind if info is not None else "",
                journal_id=info.journal_id if info is not None else "",
                schema_version=info.schema_version if info is not None else 0,
                path=info.path if info is not None else "",
                unwritable=unwritable.reason if unwritable is not None else "",
            ),
            lua=IsolationView(lua["level"], tuple(lua["active"]), dict(lua["missing"])),
            limits=dict(self._limits),
            capabilities=tuple(capabilities),
            tzdata=tzdata.IANA_VERSION,
            runs_in_memory=len(self._loop.residence),
            attempts_in_flight=self._effects.in_flight,
            http_address=self.http_address,
            grpc_address=self.grpc_address,
        )

    async def audit(self, namespace: str, *, after: int, limit: int) -> Sequence[AuditView]:
        """Return what was done to the namespace past number `after`, by number."""
        page = await self._readers.call(lambda: self._journal.audit(namespace, after=after, limit=limit))
        return [_audit(number, at_ms, row) for number, at_ms, row in page]

    async def compact(self, *, principal: str) -> AsyncIterator[CompactionStep]:
        """Delete what is past retention, then begin the log anew; see the port. Ends with whoever listens."""
        room = await self._readers.call(self._journal.checkpoint)
        before, deleted = room.size_bytes, 0
        yield CompactionStep("PRUNING", 0, before, before, room.free_bytes)
        prune = functools.partial(self._journal.prune, now_ms=self._clock.wall_ms(), retention=self._retention())
        while gone := await self._readers.call(prune):
            deleted += gone
            yield CompactionStep("PRUNING", deleted, before, before, room.free_bytes)
        yield CompactionStep("CHECKPOINTING", deleted, before, before, room.free_bytes)
        room = await self._readers.call(self._journal.checkpoint)
        await self._loop.write(audited(DEFAULT, principal, COMPACT, "journal", deleted=str(deleted)))
        yield CompactionStep("DONE", deleted, before, room.size_bytes, room.free_bytes)

    async def rotate_token(self, renew: Callable[[], str], *, principal: str) -> str:
        """Make a new token for the owner; see the port."""
        path = await asyncio.to_thread(renew)
        await self._loop.write(audited(DEFAULT, principal, ROTATE, "owner"))
        return path

    async def backup(self, path: str) -> AsyncIterator[BackupStep]:
        """Write a consistent copy of the journal; see the port. Once begun it is finished, whoever still listens."""
        target = self._target(path)
        newest = BackupStep(0, 0)

        def note(pages_done: int, pages_total: int) -> None:
            nonlocal newest
            newest = BackupStep(pages_done, pages_total)

        await asyncio.to_thread(target.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
        copy = functools.partial(self._journal.backup, str(target), progress=note)
        work = asyncio.get_running_loop().run_in_executor(None, copy)
        work.add_done_callback(_seen)
        told = newest
        while not (await asyncio.wait([work], timeout=PROGRESS_S))[0]:
            if newest is not told:
                told = newest
                yield told
        size_bytes = work.result()
        yield BackupStep(newest.pages_total, newest.pages_total, str(target), size_bytes)

    def _target(self, path: str) -> Path:
        """Return the file a backup goes to. Raises ARGUMENT_INVALID."""
        given = Path(path)
        if not path or "\x00" in path or ".." in given.parts:
            raise invalid("ARGUMENT_INVALID", "path: name a file, without `..` and NUL")
        if given.is_absolute():
            return given
        if self._data is None:
            raise invalid("ARGUMENT_INVALID", "path: there is no data folder; name an absolute path")
        return self._data / "backups" / given
