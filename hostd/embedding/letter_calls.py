"""Dead letters of a host: events that could not become a run or a signal."""

from __future__ import annotations

from collections.abc import Sequence

from hostd.api.convert.checks import check_letter_numbers
from hostd.api.filter_text import LETTER_FIELDS, parse_filter
from hostd.embedding.calls import Calls
from hostd.model.requests import LetterSelection
from hostd.model.views import DeadLetterView, RedrivenView

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
    ) -> Sequence[RedrivenView]:
        """Emit events again through their triggers as they are now, without numbers and filter all of them.

        One that leads to a run or a signal is a letter no more; of the others `reason` and `message` say why.

        Raises:
            HostdError: INVALID_FILTER, INTAKE_FULL; ARGUMENT_INVALID for more than 1,000 numbers.
        """
        selection, after = _selection(numbers, filter), 0
        done: list[RedrivenView] = []
        while True:
            views, after = await self._front.dead_letters.redrive(
                self.namespace, selection, after=after, limit=LETTERS_MAX, principal=self.principal, repeat=None
            )
            done += views
            if not after:
                return done

    async def purge_dead_letters(
        self,
        numbers: Sequence[int] = (),
        *,
        filter: str = "",  # noqa: A002 what the control plane calls it
    ) -> int:
        """Delete dead letters, without numbers and filter all of them; return how many. Raises as redriving does."""
        return await self._front.dead_letters.purge(
            self.namespace, _selection(numbers, filter), principal=self.principal, repeat=None
        )


def _selection(numbers: Sequence[int], filter_text: str) -> LetterSelection:
    return LetterSelection(check_letter_numbers(numbers), parse_filter(filter_text, LETTER_FIELDS))
