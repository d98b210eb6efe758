"""DeadLetterService: from the wire to the port and back."""

from __future__ import annotations

from typing import Any

from hostd.api.caller import CALLER
from hostd.api.convert.checks import (
    NUMBER_MAX,
    NUMBERS_MAX,
    check_count,
    check_letter_number,
    check_letter_numbers,
    check_namespace,
    fault,
)
from hostd.api.convert.digests import repeat_of
from hostd.api.convert.triggers import letter_message, redriven_message
from hostd.api.filter_text import LETTER_FIELDS, parse_filter
from hostd.api.paging import Page
from hostd.api.ports import DeadLetters
from hostd.api.tokens import Tokens, scope_of
from hostd.model.requests import LetterSelection
from hostd.v1 import dead_letter_service_pb2 as wire
from hostd.v1.dead_letter_service_pb2_grpc import DeadLetterServiceServicer
from hostd.values.json_text import JsonValue


class DeadLetterService(DeadLetterServiceServicer):
    """Events that could not be used."""

    def __init__(self, letters: DeadLetters, tokens: Tokens) -> None:
        self._letters = letters
        self._tokens = tokens

    async def ListDeadLetters(self, request: wire.ListDeadLettersRequest, context: Any) -> wire.ListDeadLettersResponse:
        """Return a page of letters, oldest first."""
        namespace = check_namespace(request.namespace)
        selection = LetterSelection(tree=parse_filter(request.filter, LETTER_FIELDS))
        scope = scope_of("ListDeadLetters", namespace, request.filter)
        page = Page(self._tokens, scope, size=request.page_size, token=request.page_token)
        views, more = await self._letters.find(namespace, selection, after=page.after(0), limit=page.limit - 1)
        token = self._tokens.page(scope, more) if more else ""
        letters = [letter_message(view, whole=False) for view in views]
        return wire.ListDeadLettersResponse(dead_letters=letters, next_page_token=token)

    async def GetDeadLetter(self, request: wire.GetDeadLetterRequest, context: Any) -> wire.DeadLetter:
        """Return a letter with its event."""
        namespace, number = check_namespace(request.namespace), check_letter_number(request.number)
        return letter_message(await self._letters.get(namespace, number), whole=True)

    async def RedriveDeadLetters(
        self, request: wire.RedriveDeadLettersRequest, context: Any
    ) -> wire.RedriveDeadLettersResponse:
        """Emit letters again."""
        namespace, selection = check_namespace(request.namespace), _selection(request)
        views, more = await self._letters.redrive(
            namespace,
            selection,
            after=min(request.after, NUMBER_MAX),
            limit=check_count(request.limit, "limit", usual=NUMBERS_MAX, most=NUMBERS_MAX),
            principal=CALLER.get().principal,
            repeat=repeat_of(request.request_id, _named(request) | {"after": request.after, "limit": request.limit}),
        )
        return wire.RedriveDeadLettersResponse(results=[redriven_message(view) for view in views], more_after=more)

    async def PurgeDeadLetters(
        self, request: wire.PurgeDeadLettersRequest, context: Any
    ) -> wire.PurgeDeadLettersResponse:
        """Delete letters."""
        namespace, selection = check_namespace(request.namespace), _selection(request)
        purged = await self._letters.purge(
            namespace,
            selection,
            principal=CALLER.get().principal,
            repeat=repeat_of(request.request_id, _named(request)),
        )
        return wire.PurgeDeadLettersResponse(purged=purged)


def _named(request: wire.RedriveDeadLettersRequest | wire.PurgeDeadLettersRequest) -> dict[str, JsonValue]:
    return {"numbers": list(request.selection.numbers), "filter": request.selection.filter}


def _selection(request: wire.RedriveDeadLettersRequest | wire.PurgeDeadLettersRequest) -> LetterSelection:
    if not request.HasField("selection"):
        raise fault("selection", "say which dead letters; an empty selection means all")
    given = request.selection
    numbers = check_letter_numbers(given.numbers, "selection.numbers")
    return LetterSelection(numbers, parse_filter(given.filter, LETTER_FIELDS))
