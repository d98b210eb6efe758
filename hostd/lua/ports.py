"""What the room asks of others: somebody who answers a script's calls to the host."""

from __future__ import annotations

from typing import Protocol


class ScriptCallError(Exception):
    """A host call failed in a way the script may handle.

    Args:
        message: one sentence; the script sees `CODE: message`.
        code: the failure's own word; it becomes the step's `code` if the script does not catch the error.
        retryable: the step's `retryable` in the same case.
    """

    def __init__(self, message: str, *, code: str = "HOST_CALL_FAILED", retryable: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.retryable = retryable


class HostCalls(Protocol):
    """Answers the calls of one run. Only names among the run's capabilities ever get here."""

    async def call(self, name: str, argument: bytes) -> bytes:
        """Do what a script asks, and return JSON text.

        Args:
            name: the capability, such as `http.request`.
            argument: JSON text, `null` when the script gave none.

        Raises:
            ScriptCallError, HostdError: the script gets an error it can catch.
        """
        ...


class NoHostCalls:
    """For scripts without capabilities."""

    async def call(self, name: str, argument: bytes) -> bytes:
        """Refuse."""
        raise ScriptCallError(f"nothing here answers {name}", code="CAPABILITY_DENIED")
