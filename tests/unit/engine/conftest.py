"""A dialogue that is checked to its last line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playbook import Playbook

from hostd.definition.plan import Plan


@pytest.fixture
def play() -> Iterator[Callable[[Plan], Playbook]]:
    """Return a maker of playbooks; at the end every answer must have been heard."""
    books: list[Playbook] = []

    def make(plan: Plan) -> Playbook:
        books.append(Playbook(plan))
        return books[-1]

    yield make
    for book in books:
        book.close()
