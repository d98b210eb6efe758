"""What a message needs and memory does not hold: its run, or values that lie in blobs. Read, then heard again.

A read that fails for a passing reason is tried again: the result of an attempt must not be lost over a busy file.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

from hostd.aio import Clock, spawn
from hostd.errors.base import HostdError, Kind
from hostd.runtime.ring.holding import Holding
from hostd.runtime.ring.residence import Residence
from hostd.runtime.ring.turn import Entry, Resident
from hostd.runtime.ring.wanted_blobs import WantedBlobs

_log = logging.getLogger("hostd.runtime")

RETRY_S = 1.0
PASSING = frozenset({Kind.UNAVAILABLE, Kind.EXHAUSTED, Kind.TIMEOUT})
CACHE_BYTES_MAX = 32 * 1024 * 1024


class Ring(Protocol):
    """What loading tells the engine loop."""

    def hear_again(self, entries: list[Entry]) -> None:
        """Take these messages next, in this order."""
        ...

    def loaded(self, resident: Resident) -> None:
        """A run is in memory again."""
        ...

    def drop(self, entry: Entry, error: HostdError) -> None:
        """A message will not be heard; tell who waits for it."""
        ...


class BlobCache:
    """Values that were looked into lately, bounded by bytes."""

    def __init__(self, bytes_max: int = CACHE_BYTES_MAX) -> None:
        self.held: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes_max = bytes_max
        self._bytes = 0

    def add(self, digest: bytes, data: bytes) -> None:
        """Keep a value; the oldest go."""
        if digest in self.held or len(data) > self._bytes_max:
            return
        self.held[digest] = data
        self._bytes += len(data)
        while self._bytes > self._bytes_max:
            _, gone = self.held.popitem(last=False)
            self._bytes -= len(gone)


class Loading:
    """Reads in tasks of its own; the engine loop never waits for it."""

    def __init__(self, ring: Ring, residence: Residence, holding: Holding, clock: Clock) -> None:
        self._ring = ring
        self._residence = residence
        self._holding = holding
        self._clock = clock
        self._cache = BlobCache()
        self._wanted = WantedBlobs()
        self._waiting: dict[int, list[Entry]] = {}

    # -- runs

    def load(self, key: int, entry: Entry) -> None:
        """Bring a run into memory and let the message be heard again."""
        if self._residence.park(key, entry):
            spawn(self._load(key), name=f"load-run-{key}")

    async def _load(self, key: int) -> None:
        while True:
            try:
                resident = await self._residence.load(key)
                break
            except HostdError as error:
                if error.kind not in PASSING:
                    self._holding.hold(key, error)
                    self._drop(key, error)
                    return
                _log.warning("load_again run=%d error=%s", key, error)
            except Exception as error:  # noqa: BLE001 a mistake of ours costs one run, not the ring
                self._drop(key, self._holding.broke(key, error))
                return
            await self._clock.sleep(RETRY_S)
        if resident is None:
            self._drop(key, HostdError(Kind.MISSING, "RUN_MISSING", "the run has ended, is held or is gone"))
            return
        self._ring.loaded(resident)
        self._ring.hear_again(self._residence.unpark(key))

    def _drop(self, key: int, error: HostdError) -> None:
        for entry in self._residence.unpark(key):
            self.settle(entry)
            self._ring.drop(entry, error)

    # -- blobs

    @property
    def held(self) -> Mapping[bytes, bytes]:
        """Values that any decision may look into at once."""
        return self._cache.held

    def blobs_of(self, key: int) -> Mapping[bytes, bytes] | None:
        """Return what was read for a run's waiting decisions, with all that is held; None where nothing was."""
        if not self._waiting:
            return None
        wanted = self._wanted.of(key)
        return None if wanted is None else {**self._cache.held, **wanted}

    def fetch(self, resident: Resident, digests: Sequence[bytes], entry: Entry) -> None:
        """Read values that a decision looks into, keep them until it is made, and let the message be heard again."""
        key = resident.key
        self._wanted.want(key)
        waiting = self._waiting.setdefault(key, [])
        if not any(other is entry for other in waiting):
            waiting.append(entry)
            self._residence.pin(key)
        spawn(self._fetch(resident, digests, entry), name=f"fetch-blobs-{key}")

    async def _fetch(self, resident: Resident, digests: Sequence[bytes], entry: Entry) -> None:
        async with self._wanted.turn_of(resident.key):
            for digest in digests:
                data = self._cache.held.get(digest) or await self._read_blob(resident, digest, entry)
                if data is None:
                    return
                self._cache.add(digest, data)
                self._wanted.keep(resident.key, digest, data)
        self._ring.hear_again([entry])

    async def _read_blob(self, resident: Resident, digest: bytes, entry: Entry) -> bytes | None:
        while True:
            try:
                return await self._residence.blob(resident.namespace, digest)
            except HostdError as error:
                if error.kind not in PASSING:
                    self.settle(entry)
                    self._holding.hold(resident.key, error)
                    self._ring.drop(entry, error)
                    return None
                _log.warning("read_blob_again run_id=%s error=%s", resident.run.run_id, error)
            await self._clock.sleep(RETRY_S)

    def settle(self, entry: Entry) -> None:
        """A message has been decided about or dropped: what was read for it alone is let go."""
        key = entry[0]
        waiting = self._waiting.get(key)
        if waiting is None:
            return
        left = [other for other in waiting if other is not entry]
        if len(left) < len(waiting):
            self._residence.unpin(key)
        if left:
            self._waiting[key] = left
        else:
            del self._waiting[key]
            self._wanted.let_go(key)
