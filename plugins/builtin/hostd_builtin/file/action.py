"""What the file actions share: the roots, and where they run."""

from __future__ import annotations

import asyncio
from typing import ClassVar, TypeVar

from hostd.plugin import Action, Field, HostdError, Kind, Options, ProvisionContext
from hostd_builtin.file.codes import CODES
from hostd_builtin.file.roots import PATH_CHARS_MAX, FileSettings, Roots, is_supported

OptionsT = TypeVar("OptionsT", bound=Options)

CHUNK_BYTES = 1024 * 1024


class PathOptions(Options):
    """A path within the roots."""

    path: str = Field(
        description="Absolute path within the operator's roots, or a path relative to the first of them.",
        min_length=1,
        max_length=PATH_CHARS_MAX,
        examples=["orders/today.json"],
    )


class FileAction(Action[OptionsT]):
    """Base of the actions. They block, so they run in threads."""

    executors: ClassVar[tuple[str, ...]] = ("thread",)
    Settings = FileSettings
    codes = CODES
    roots: Roots

    async def provision(self, ctx: ProvisionContext) -> None:
        """Take the operator's roots."""
        self.roots = await open_roots(self.settings)


async def open_roots(settings: FileSettings) -> Roots:
    """Return the roots. Raises HostdError PLUGIN_FAILED on systems where they could not be kept."""
    if not is_supported():
        message = "this system cannot open files relative to open folders, so roots could not be kept"
        raise HostdError(Kind.UNSUPPORTED, "PLUGIN_FAILED", message)
    return await asyncio.to_thread(Roots, settings.roots)
