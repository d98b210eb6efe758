"""A daemon inside, as `hostd dev` has one."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hostd.cli.dev.inside import Inside, Wishes, prepare
from hostd.cli.terminal import WISHES


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the process's log, and what the command line wishes, as they were."""
    root, ours = logging.getLogger(), logging.getLogger("hostd")
    before = (root.handlers[:], root.level, ours.level)
    WISHES.hear(no_unicode=True)
    yield
    WISHES.forget()
    root.handlers[:], level, own = before
    root.setLevel(level)
    ours.setLevel(own)
    logging.captureWarnings(False)


@pytest.fixture
async def inside(tmp_path: Path) -> AsyncIterator[Inside]:
    """A daemon in memory."""
    daemon = prepare(tmp_path, Wishes(listen="127.0.0.1:0", http="off", memory=True))
    try:
        await daemon.start(lambda level, text: None)
        yield daemon
    finally:
        await daemon.stop()
