"""Bytes that actions keep: by digest, with the run that made them, bounded a blob and a run."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping

from hostd.errors.base import HostdError, Kind, invalid
from hostd.host.ports import AttemptFacts
from hostd.journal.port import Blob, Journal
from hostd.model.redaction import redact_raw
from hostd.plugin import BlobRef
from hostd.plugin.service_rules import blob_too_large
from hostd.plugin.services import BLOB_BYTES_MAX
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.turn import Turn
from hostd.runtime.ring.writing import write

RUN_BYTES_MAX = 64 * 1024 * 1024
RUN_BLOBS_MAX = 10_000
RUNS_MAX = 1_000
DIGESTS_MAX = 100_000
INLINE_BYTES = 64 * 1024  # hashed on the loop; more than this in a thread
CONTENT_TYPE_CHARS_MAX = 200


class _Kept:
    """What a run keeps: digests, and whether they are durable by now."""

    __slots__ = ("digests", "pins", "size_bytes")

    def __init__(self, durable: Mapping[bytes, int]) -> None:
        self.digests = dict.fromkeys(durable, True)
        self.size_bytes = sum(durable.values())
        self.pins = 0  # puts under way

    def count(self, digest: bytes, size_bytes: int) -> None:
        """Count a blob. Raises HostdError RUN_BLOBS_FULL."""
        if len(self.digests) >= RUN_BLOBS_MAX or self.size_bytes + size_bytes > RUN_BYTES_MAX:
            message = f"the run keeps {self.size_bytes} bytes in {len(self.digests)} blobs; {RUN_BYTES_MAX} bytes"
            raise HostdError(Kind.EXHAUSTED, "RUN_BLOBS_FULL", f"{message} in {RUN_BLOBS_MAX} blobs are allowed")
        self.digests[digest] = False
        self.size_bytes += size_bytes


class BlobShelf:
    """Keeps blobs of attempts. What a run keeps is read from the journal once, then counted in memory."""

    def __init__(self, *, loop: EngineLoop, journal: Journal, readers: Readers) -> None:
        self._loop = loop
        self._journal = journal
        self._readers = readers
        self._runs: OrderedDict[int, _Kept] = OrderedDict()
        self._digests = 0

    async def put(self, attempt: AttemptFacts, data: bytes | AsyncIterator[bytes], content_type: str) -> BlobRef:
        """Keep bytes with the attempt's run; durable on return.

        Raises:
            HostdError: PAYLOAD_TOO_LARGE, RUN_BLOBS_FULL, ARGUMENT_INVALID for a content type that is none.
        """
        if not content_type.isprintable() or not content_type.isascii() or len(content_type) > CONTENT_TYPE_CHARS_MAX:
            raise invalid("ARGUMENT_INVALID", "a content type is at most 200 printable ASCII characters")
        whole = await _gather(data)
        if attempt.hidden:
            whole = await asyncio.to_thread(redact_raw, whole, attempt.hidden)
        digest = await _digest(whole)
        ref = BlobRef(digest.hex(), len(whole), content_type)
        kept = await self._kept(attempt.key)
        if kept.digests.get(digest):
            return ref
        row = Blob(attempt.namespace, digest, whole, attempt.key, content_type, kept=True)

        def fill(turn: Turn) -> BlobRef:
            if digest not in kept.digests:
                kept.count(digest, len(whole))
                self._digests += 1
            turn.batch.blobs.append(row)
            turn.when_durable.append(lambda _: kept.digests.update({digest: True}))
            turn.when_failed.append(lambda: self._take_back(kept, digest, len(whole)))
            return ref

        kept.pins += 1
        try:
            return await write(self._loop, fill, size_bytes=len(whole))
        finally:
            kept.pins -= 1

    async def get(self, namespace: str, digest: str) -> bytes:
        """Return bytes by digest. Raises HostdError BLOB_MISSING."""
        found = await self._readers.call(self._journal.blob, namespace, bytes.fromhex(digest))
        if found is None:
            raise HostdError(Kind.MISSING, "BLOB_MISSING", f"there is no blob {digest}")
        return found.data

    async def _kept(self, run: int) -> _Kept:
        """Return what a run keeps; nothing awaits between this and the caller's next step."""
        if run not in self._runs:
            durable = await self._readers.call(self._journal.kept_blobs, run)
            if run not in self._runs:  # nobody was quicker, who may have put more by now
                self._runs[run] = _Kept(durable)
                self._digests += len(durable)
        self._runs.move_to_end(run)
        self._forget()
        return self._runs[run]

    def _take_back(self, kept: _Kept, digest: bytes, size_bytes: int) -> None:
        """Uncount a blob that was not written; called for each put of it."""
        if kept.digests.get(digest) is False:
            del kept.digests[digest]
            kept.size_bytes -= size_bytes
            self._digests -= 1

    def _forget(self) -> None:
        """Forget the runs that put nothing for the longest, where there are many."""
        for _ in range(len(self._runs) - 1):
            if len(self._runs) <= RUNS_MAX and self._digests <= DIGESTS_MAX:
                return
            run, kept = self._runs.popitem(last=False)
            if kept.pins:
                self._runs[run] = kept
            else:
                self._digests -= len(kept.digests)


async def _gather(data: bytes | AsyncIterator[bytes]) -> bytes:
    """Return all bytes. Raises HostdError PAYLOAD_TOO_LARGE as soon as there are too many."""
    if isinstance(data, bytes | bytearray | memoryview):
        if len(data) > BLOB_BYTES_MAX:
            raise blob_too_large()
        return bytes(data)
    whole = bytearray()
    async for part in data:
        if len(whole) + len(part) > BLOB_BYTES_MAX:
            raise blob_too_large()
        whole += part
    return bytes(whole)


async def _digest(whole: bytes) -> bytes:
    if len(whole) <= INLINE_BYTES:
        return hashlib.blake2b(whole, digest_size=32).digest()
    return await asyncio.to_thread(lambda: hashlib.blake2b(whole, digest_size=32).digest())
