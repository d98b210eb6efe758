"""Mistakes of documents as one error."""

from __future__ import annotations

import pytest

from hostd.definition.mistakes import document_invalid
from hostd.errors.base import Violation


@pytest.mark.parametrize(
    ("file", "line", "place"),
    [("a.yaml", 2, "a.yaml:2:9 steps.a.uses: "), ("", 2, "line 2:9 steps.a.uses: "), ("", 0, "steps.a.uses: ")],
)
def test_a_document_without_a_name_has_lines_all_the_same(file: str, line: int, place: str) -> None:
    """A client registers texts, too: the sentence begins with the line then, not with a colon."""
    fault = Violation("steps.a.uses", "ACTION_UNKNOWN", "there is none", "", file, line, 9)
    assert document_invalid([fault]).message == f"{place}there is none"
