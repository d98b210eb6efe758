"""Where a daemon's pipes, notes and socket lie."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hostd.host.process.run_folder import RunFolder


async def test_a_folder_for_a_while_lies_where_its_asker_clears_up() -> None:
    """What a kill leaves is found there; where a socket's path would be too long it is a temporary one."""
    with tempfile.TemporaryDirectory(prefix="h", dir="/tmp") as short:
        for within, inside in ((Path(short), True), (Path(short) / ("long" * 25), False)):
            within.mkdir(exist_ok=True)
            folder = RunFolder(None, None, within)
            path = await folder.path()
            assert (within in path.parents) is inside
            assert path.exists()
            await folder.leave()
            assert not path.exists()
