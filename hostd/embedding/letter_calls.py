"""Dead letters of a host: events that could not become a run or a signal."""

from __future__ import annotations

from collections.abc import Sequence

from hostd.api.convert.checks import check_letter_numbers
from hostd.api.convert.digests import repeat_of
from hostd.api.filter_text import LETTER_FIELDS, parse_filter
from hostd.embedding.calls import Calls
from hostd.model.requests import LetterSelection
from hostd.model.views import DeadLetterView, RedrivenView
from hostd.values.json_text import JsonValue
from hostd.values.request_ids import id_of_page

LETTERS_MAX = 1_000


class LetterCalls(Calls):
    """The part of a host for dead letters. `filter` is that of `hostd dead-letters list`."""

    async def dead_letters(self, filter: str = "", *, limit: int = 100) -> Sequence[DeadLetterView]:  # noqa: A002
        """Return dead letters, the oldest first; `event` is the envelope as JSON text.

        Args:
            limit: at most so many, 1,000 at once.

        Raises:
            HostdError: INVALID_FILTER.
        """
        selection = LetterSelection(tree=parse_filter(filter, LETTER_FIELDS))
        most = max(1, min(limit, LETTERS_MAX))
        found: list[DeadLetterView] = []
        after = 0
        while len(found) < most:  # a page may hold less than there is: only so many are looked at for one
            views, after = await self._front.dead_letters.find(
                self.namespace, selection, after=after, limit=most - len(found)
            )
            found += views
            if not after:
                break
        return found

    async def redrive_dead_letters(
        self,
        numbers: Sequence[int] = (),
        *,
        filter: str = "",  # noqa: A002 what the control plane calls it
        request_id: str = "",
    ) -> Sequence[RedrivenView]:
        """Emit events again through their triggers as they are now, without numbers and filter all of them.

        One that leads to a run or a signal is a letter no more; of the others `reason` and `message` say why.

        Args:
            request_id: the same within 24 hours emits nothing again, and is answered as the first was.

        Raises:
            HostdError: INVALID_FILTER, INTAKE_FULL, REQUEST_ID_CONFLICT; ARGUMENT_INVALID for more than 1,000 numbers.
        """
        selection, after = _selection(numbers, filter), 0
        fields: dict[str, JsonValue] = {"numbers": list(selection.numbers), "filter": filter, "limit": LETTERS_MAX}
        done: list[RedrivenView] = []
        while True:
            views, after = await self._front.dead_letters.redrive(
                self.namespace,
                selection,
                after=after,
                limit=LETTERS_MAX,
                principal=self.principal,
                repeat=repeat_of(id_of_page(request_id, after), fields | {"after": after}),
            )
            done += views
            if not after:
                return done

    async def purge_dead_letters(
        self,
        numbers: Sequence[int] = (),
        *,
        filter: str = "",  # noqa: A002 what the control plane calls it
        request_id: str = "",
    ) -> int:
        """Delete dead letters, without numbers and filter all of them; return how many. Raises as redriving does."""
        selection = _selection(numbers, filter)
        repeat = repeat_of(request_id, {"numbers": list(selection.numbers), "filter": filter})
        return await self._front.dead_letters.purge(self.namespace, selection, principal=self.principal, repeat=repeat)


def _selection(numbers: Sequence[int], filter_text: str) -> LetterSelection:
    return LetterSelection(check_letter_numbers(numbers), parse_filter(filter_text, LETTER_FIELDS))
