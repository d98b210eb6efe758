"""Documents to plans, with the actions and triggers that are loaded now: in a thread, beside everything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hostd.definition.compile import compile_document, compile_text
from hostd.definition.document import load_documents
from hostd.definition.plan import Plan
from hostd.definition.ports import Catalogue, CodeCheck
from hostd.errors.base import HostdError, invalid
from hostd.runtime.ports import Arrivals
from hostd.runtime.ring.readers import Readers
from hostd.runtime.workflows.noting_catalogue import NotingCatalogue

T = TypeVar("T")


class Compiling:
    """Compiles with what is loaded, and waits for what may be yet.

    Args:
        catalogue: what is loaded now.
        code: looks at scripts; without it they are taken as they are.
    """

    def __init__(self, catalogue: Callable[[], Catalogue], arrivals: Arrivals, code: CodeCheck | None = None) -> None:
        self._catalogue = catalogue
        self._arrivals = arrivals
        self._code = code
        self._thread = Readers(1)  # a large document takes seconds: nobody who reads shall wait for it

    async def compiled(self, work: Callable[[Catalogue], T]) -> T:
        """Return what compiling with what is loaded makes; `work` blocks, and may be called again.

        Who names what is not loaded waits for plugins that were found at the start and have not had their say.
        Raises what `work` does.
        """
        while True:
            loaded = NotingCatalogue(self._catalogue())
            try:
                return await self._thread.call(work, loaded)
            except HostdError:
                if not await self._arrivals.at_start(loaded.missing):
                    raise

    async def one(self, text: bytes, *, file: str = "") -> Plan:
        """Return the plan of a text with exactly one document. Raises HostdError DOCUMENT_INVALID."""
        return await self.compiled(lambda catalogue: self._one(text, file, catalogue))

    def _one(self, text: bytes, file: str, catalogue: Catalogue) -> Plan:
        documents = load_documents(text, file=file)
        if len(documents) != 1:
            message = f"the text holds {len(documents)} documents; register them one at a time"
            raise invalid("DOCUMENT_INVALID", message)
        return compile_document(documents[0], catalogue=catalogue, code=self._code)

    async def each(self, text: bytes, *, file: str = "") -> list[Plan]:
        """Return the plans of all documents of a text. Raises HostdError DOCUMENT_INVALID."""
        return await self.compiled(
            lambda catalogue: compile_text(text, file=file, catalogue=catalogue, code=self._code)
        )

    def close(self) -> None:
        """Let the thread go. Blocks until it is done with what it compiles."""
        self._thread.close()
