"""A host per test, in the test's folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from daemon_kit import ECHO, FAIL, WAIT, Kit, running


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """A host with three registered workflows: echo, wait and fail."""
    async with running(tmp_path / "d") as kit:
        for document in (ECHO, WAIT, FAIL):
            await kit.register(document)
        yield kit
