"""Nothing of ours blocks the event loop: a room's conftest.py imports this fixture to hold its tests to that."""

from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx

# The one exemption: a lone commit may be made on the loop, where that is faster than the writer thread.
MAY_BLOCK = ["hostd.journal"]


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop() -> Iterator[None]:
    """A blocking call of hostd or its plugins inside a running loop fails the test, naming the call."""
    with blockbuster_ctx(["hostd", "hostd_builtin"], excluded_modules=MAY_BLOCK) as guard:
        for function in guard.functions.values():
            function.can_block_in("hostd/journal/writer.py", "_append_here")
            function.can_block_in("hostd_builtin/mock/harmful.py", {"_append", "run"})  # made to hurt
            function.can_block_in("threading.py", {"join"})  # grpc's poller, when its last object is collected
        yield
