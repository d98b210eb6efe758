"""Faulty documents and what people are told about them, word for word."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hostd.definition.compile import validate_text
from hostd.definition.mistakes import format_violation
from hostd.errors.reasons import REASONS

DOCUMENTS = Path(__file__).parents[2] / "golden" / "documents"
NAMES = sorted(path.name for path in DOCUMENTS.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_every_mistake_is_told_as_written_down(name: str, catalogue: Any) -> None:
    """Each faulty document gives exactly the lines beside it (HOSTD_UPDATE_GOLDEN=1 writes them anew)."""
    path = DOCUMENTS / name
    told = validate_text(path.read_bytes(), name, catalogue if name.startswith("options") else None)
    lines = "".join(format_violation(fault) + "\n" for fault in told)
    beside = path.with_suffix(".errors")
    if os.environ.get("HOSTD_UPDATE_GOLDEN"):
        beside.write_text(lines)
    assert lines == beside.read_text()
    assert {fault.reason for fault in told} <= set(REASONS), "every reason has a page"


def test_there_are_golden_documents() -> None:
    """The folder is found, so that the test above is not empty."""
    assert len(NAMES) >= 14
