"""Request ids of every verb but starts (those are intake's): a repeated request is answered, a changed one refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hostd.errors.base import HostdError, Kind
from hostd.journal.port import Journal, RequestId
from hostd.model.requests import Repeat
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.turn import Turn

Note = Callable[[Turn], None]


async def first_answer(
    journal: Journal, readers: Readers, namespace: str, verb: str, repeat: Repeat | None
) -> bytes | None:
    """Return what the first answer to a request id referred to, None when there was none.

    Raises:
        HostdError: REQUEST_ID_CONFLICT when the id was used for another request.
    """
    if repeat is None:
        return None
    name = (namespace, verb, repeat.request_id)
    found = (await readers.call(journal.request_ids, [name])).get(name)
    if found is None:
        return None
    if found.digest != repeat.digest:
        message = f"the request id {repeat.request_id!r} was used for another request"
        raise HostdError(Kind.EXISTS, "REQUEST_ID_CONFLICT", message)
    return found.reference


def note_of(namespace: str, verb: str, repeat: Repeat | None, reference: bytes) -> Note | None:
    """Return what writes a request id into the turn of its effect; None without one."""
    if repeat is None:
        return None
    row = RequestId(namespace, verb, repeat.request_id, repeat.digest, reference)

    def note(turn: Turn, *_: Any) -> None:
        turn.batch.request_ids.append(row)

    return note
