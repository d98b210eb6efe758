"""A daemon whose watch streams carry one change a message: what P6 is held against. Otherwise it is the product."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from hostd.cli.main import main
from hostd.model.views import RunChanges
from hostd.runtime.runs.run_watch import RunWatch

_watch_all = RunWatch.watch_all


async def _one_by_one(self: RunWatch, *arguments: Any, **named: Any) -> AsyncIterator[RunChanges]:
    async for message in _watch_all(self, *arguments, **named):
        for change in message.changes[:-1]:
            yield RunChanges([change])
        yield msgspec.structs.replace(message, changes=message.changes[-1:])


if __name__ == "__main__":
    RunWatch.watch_all = _one_by_one  # type: ignore[method-assign]
    main()
