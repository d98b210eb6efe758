"""A host per test, in the test's folder; while it serves, nothing of ours blocks the loop."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from daemon_kit import ECHO, FAIL, WAIT, Kit, running


@pytest.fixture(autouse=True, scope="package")
def no_index() -> Iterator[None]:
    """Requests that are made up may ask for packages that somebody has published: pip is not to look."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        yield


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """A host with three registered workflows: echo, wait and fail."""
    async with running(tmp_path / "d") as kit:
        with blockbuster_ctx(["hostd", "hostd_builtin"]) as guard:
            for function in guard.functions.values():
                function.can_block_in("hostd/journal/sqlite.py", {"append"})  # a lone commit may be made on the loop
            for document in (ECHO, WAIT, FAIL):
                await kit.register(document)
            yield kit
