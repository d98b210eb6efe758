"""The client with asyncio."""

from __future__ import annotations

from hostd.client.aio.connection import Connection


class Client(Connection):
    """A connection with a method for everything the daemon does."""
