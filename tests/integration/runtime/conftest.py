"""A lab on each store; nothing in it may block the loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from lab import Lab
from loop_guard import nothing_blocks_the_loop as nothing_blocks_the_loop

MakeLab = Callable[..., Awaitable[Lab]]


@pytest.fixture(params=["memory", "sqlite"])
async def make_lab(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MakeLab]:
    """Return what opens a lab on the store at hand; it is closed when the test ends."""
    data = None if request.param == "memory" else tmp_path / "data"
    made: list[Lab] = []

    async def make(**config: Any) -> Lab:
        lab = Lab(data, **config)
        made.append(lab)
        return await lab.open()

    yield make
    for lab in made:
        await lab.close()


@pytest.fixture
async def lab(make_lab: MakeLab) -> Lab:
    """Return an open lab."""
    return await make_lab()
