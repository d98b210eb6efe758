"""Dead letters: seeing them, emitting them again through their triggers as they are now, deleting them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hostd.aio import to_its_end
from hostd.errors.base import HostdError, Kind, invalid
from hostd.journal.filters import holds
from hostd.journal.port import DeadLetter, Journal
from hostd.model.requests import LetterSelection, Repeat
from hostd.model.views import DeadLetterView, RedrivenView
from hostd.plugin import EmitOutcome, Event
from hostd.runtime.ring.audit import audit_row
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.turn import Turn
from hostd.runtime.triggers.emit import Emission
from hostd.runtime.triggers.long_verbs import LongVerbs
from hostd.runtime.triggers.triggers import Triggers
from hostd.values.json_text import parse_json

PAGE_LETTERS = 200
REDRIVE, PURGE = "dead_letter.redrive", "dead_letter.purge"
MESSAGE_CHARS_MAX = 1_000  # of why a letter stays: a thousand of them are one answer
SCANNED_MAX = 20_000  # letters a list looks at before it answers with what it has
_ENVELOPE = frozenset({"specversion", "id", "source", "type", "time", "datacontenttype", "data", "subject"})
_GONE = (EmitOutcome.STARTED, EmitOutcome.SIGNALED)


class _Found(NamedTuple):
    """A letter with its number and time."""

    number: int
    at_ms: int
    letter: DeadLetter


class _Lot(NamedTuple):
    """Which letters are redriven, and for whom."""

    namespace: str
    selection: LetterSelection
    after: int
    limit: int
    principal: str


class DeadLetters:
    """Owns the redriving of letters: one at a time, so that none is emitted twice."""

    def __init__(
        self,
        *,
        triggers: Triggers,
        emission: Emission,
        loop: EngineLoop,
        journal: Journal,
        readers: Readers,
        verbs: LongVerbs,
    ) -> None:
        self._triggers = triggers
        self._emission = emission
        self._loop = loop
        self._journal = journal
        self._readers = readers
        self._verbs = verbs
        self._redriving = asyncio.Lock()

    async def get(self, namespace: str, number: int) -> DeadLetterView:
        """Return a letter. Raises DEAD_LETTER_MISSING."""
        found = await self._readers.call(self._journal.dead_letter, namespace, number)
        if found is None:
            raise HostdError(Kind.MISSING, "DEAD_LETTER_MISSING", f"there is no dead letter {number}")
        return _view(_Found(number, *found))

    async def find(
        self, namespace: str, selection: LetterSelection, *, after: int, limit: int
    ) -> tuple[Sequence[DeadLetterView], int]:
        """Return letters behind a number, oldest first, and the number to go on behind; 0 where that was all."""
        found: list[DeadLetterView] = []
        scanned = 0
        async for page, fits in self._pages(namespace, selection, after):
            for place, item in enumerate(fits):
                found.append(_view(item))
                if len(found) == limit:
                    last = place == len(fits) - 1 and len(page) < PAGE_LETTERS
                    return found, 0 if last and item.number == page[-1] else item.number
            scanned += len(page)
            if scanned >= SCANNED_MAX:
                return found, page[-1]
        return found, 0

    async def redrive(
        self,
        namespace: str,
        selection: LetterSelection,
        *,
        after: int,
        limit: int,
        principal: str,
        repeat: Repeat | None = None,
    ) -> tuple[Sequence[RedrivenView], int]:
        """Emit letters again, oldest first; see `find`. What does not lead to a run or a signal stays a letter.

        Cut off half way, the same again goes on with what is left. Raises HostdError REQUEST_ID_CONFLICT.
        """

        async def work() -> tuple[list[RedrivenView], int]:
            await self._triggers.settled()
            gone = asyncio.Event()
            lot = _Lot(namespace, selection, after, limit, principal)
            try:
                return await to_its_end(self._redrive_all(lot, gone), name="redrive")
            finally:
                gone.set()

        return await self._verbs.once(namespace, REDRIVE, repeat, work, tuple[list[RedrivenView], int])

    async def _redrive_all(self, lot: _Lot, gone: asyncio.Event) -> tuple[list[RedrivenView], int]:
        """Redrive one letter after the other until who asked is gone.

        The one at hand is ended all the same: a letter whose append is under way is still there for whoever looks, so
        nobody may look until it is decided.
        """
        done: list[RedrivenView] = []
        async with self._redriving:
            views, more = await self.find(lot.namespace, lot.selection, after=lot.after, limit=lot.limit)
            for view in views:
                if gone.is_set():
                    break
                done.append(await self._redrive(view, lot.principal))
        return done, more

    async def _redrive(self, view: DeadLetterView, principal: str) -> RedrivenView:
        refused = RedrivenView(view.number, view.event_id)
        try:
            live = self._triggers.get((view.namespace, view.workflow, view.trigger))
            live.require_target()
            event = _event(view.event)
        except HostdError as refusal:
            return _because(refused, refusal)
        emitted, error = await self._emission.redrive(live.source, view.number, event, principal=principal)
        done = RedrivenView(view.number, view.event_id, emitted.outcome.value, emitted.run_ids)
        return done if error is None or emitted.outcome in _GONE else _because(done, error)

    async def purge(
        self, namespace: str, selection: LetterSelection, *, principal: str, repeat: Repeat | None = None
    ) -> int:
        """Delete letters; return how many. Raises HostdError REQUEST_ID_CONFLICT."""
        return await self._verbs.once(
            namespace, PURGE, repeat, lambda: self._purge(namespace, selection, principal), int
        )

    async def _purge(self, namespace: str, selection: LetterSelection, principal: str) -> int:
        purged = 0
        async with self._redriving:
            async for _, fits in self._pages(namespace, selection, 0):
                numbers = [item.number for item in fits]

                def fill(turn: Turn, numbers: Sequence[int] = numbers) -> None:
                    turn.batch.dead_letters_met.extend(numbers)
                    rows = (audit_row(namespace, principal, PURGE, str(number), {}) for number in numbers)
                    turn.batch.audit.extend(rows)

                if numbers:
                    await self._loop.write(fill)
                purged += len(numbers)
        return purged

    # -- reading

    async def _pages(
        self, namespace: str, selection: LetterSelection, after: int
    ) -> AsyncIterator[tuple[list[int], list[_Found]]]:
        """Yield pages: the numbers that were looked at, and the letters among them that fit."""
        if selection.numbers:
            numbers = sorted(number for number in set(selection.numbers) if number > after)
            found = await self._readers.call(self._named, namespace, numbers)
            yield [item.number for item in found] or [0], [item for item in found if _fits(item, selection)]
            return
        while True:
            rows = await self._readers.call(
                lambda after: self._journal.dead_letters(namespace, after=after, limit=PAGE_LETTERS), after
            )
            page = [_Found(*row) for row in rows]
            if page:
                yield [item.number for item in page], [item for item in page if _fits(item, selection)]
            if len(page) < PAGE_LETTERS:
                return
            after = page[-1].number

    def _named(self, namespace: str, numbers: Sequence[int]) -> list[_Found]:
        rows = [(number, self._journal.dead_letter(namespace, number)) for number in numbers]
        return [_Found(number, *row) for number, row in rows if row is not None]


def _fits(found: _Found, selection: LetterSelection) -> bool:
    tree = selection.tree
    return tree is None or holds(tree, lambda field: _field(found, field))


def _field(found: _Found, field: str) -> Any:
    return found.at_ms if field == "created_at" else getattr(found.letter, field)


def _view(found: _Found) -> DeadLetterView:
    letter = found.letter
    return DeadLetterView(
        namespace=letter.namespace,
        number=found.number,
        at_ms=found.at_ms,
        workflow=letter.workflow,
        trigger=letter.trigger,
        event_id=letter.event_id,
        reason=letter.reason,
        message=letter.message,
        event=letter.body,
    )


def _because(view: RedrivenView, error: HostdError) -> RedrivenView:
    message = error.message[:MESSAGE_CHARS_MAX]
    return RedrivenView(view.number, view.event_id, view.outcome, view.run_ids, error.reason, message)


def _event(body: bytes) -> Event:
    """Return the event of an envelope as it was kept. Raises PAYLOAD_INVALID where it is none."""
    envelope: Any = parse_json(body)
    try:
        return Event(
            id=envelope["id"],
            source=envelope["source"],
            type=envelope["type"],
            time=datetime.fromisoformat(envelope["time"]).astimezone(UTC),
            data=envelope["data"],
            subject=envelope.get("subject", ""),
            extensions={name: value for name, value in envelope.items() if name not in _ENVELOPE},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise invalid("PAYLOAD_INVALID", f"the letter holds no event: {error}") from None
