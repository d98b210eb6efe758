# Written by clients/python/blocking_twin.py from hostd/client/aio; never edited.
"""The client with asyncio."""

from __future__ import annotations

from hostd.client.blocking.connection import BlockingConnection


class BlockingClient(BlockingConnection):
    """A connection with a method for everything the daemon does."""
