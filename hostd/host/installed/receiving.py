"""Taking what is sent or fetched into a folder of its own, and reading which plugin it is."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from hostd.errors.base import HostdError, Kind
from hostd.host.installed.environment import fetch_wheel
from hostd.host.installed.offer import (
    Offer,
    check_folder_name,
    check_requirement,
    check_wheel_name,
    offer_of_folder,
    offer_of_wheel,
)
from hostd.host.installed.unpack import broken, unpack
from hostd.model.installs import FOLDER, REQUIREMENT, WHEEL, InstallOrder

SENT_BYTES_MAX = 64 * 1024 * 1024
SEND_S = 300.0


class Received(NamedTuple):
    """What came, and the blake2b-256 (hex) of it as it came."""

    offer: Offer
    digest: str


async def receive(order: InstallOrder, chunks: AsyncIterator[bytes], staging: Path) -> Received:
    """Return what plugin was sent or fetched; nothing of it was run.

    Raises:
        HostdError: PACKAGE_INVALID, MANIFEST_INVALID, PLUGIN_FAILED, INSTALL_FAILED, WAIT_EXPIRED.
        OSError: a disk that is full.
    """
    if order.kind == REQUIREMENT:
        wheel = await fetch_wheel(check_requirement(order.name), staging)
        offer = await asyncio.to_thread(offer_of_wheel, wheel, staging)
        return Received(offer, await asyncio.to_thread(_digest, wheel))
    if order.kind == WHEEL:
        wheel = staging / check_wheel_name(order.name)
        digest = await _written(chunks, wheel)
        return Received(await asyncio.to_thread(offer_of_wheel, wheel, staging), digest)
    if order.kind != FOLDER:
        raise broken("say what is installed: a wheel, a folder, or the name of a package")
    folder = staging / "folder" / check_folder_name(order.name)
    archive = staging / "archive.zip"
    digest = await _written(chunks, archive)
    await asyncio.to_thread(folder.parent.mkdir)
    await asyncio.to_thread(unpack, archive, folder)
    return Received(await asyncio.to_thread(offer_of_folder, folder), digest)


async def _written(chunks: AsyncIterator[bytes], file: Path) -> str:
    """Write what is sent to a file; return its digest."""
    state, size = hashlib.blake2b(digest_size=32), 0
    opened = await asyncio.to_thread(file.open, "xb")

    def add(chunk: bytes) -> None:
        state.update(chunk)
        opened.write(chunk)

    try:
        async with asyncio.timeout(SEND_S):
            async for chunk in chunks:
                size += len(chunk)
                if size > SENT_BYTES_MAX:
                    raise broken(f"more than {SENT_BYTES_MAX >> 20} MiB were sent")
                await asyncio.to_thread(add, chunk)
    except TimeoutError:
        message = f"the plugin was not sent within {SEND_S / 60:g} minutes"
        raise HostdError(Kind.TIMEOUT, "WAIT_EXPIRED", message) from None
    finally:
        await asyncio.to_thread(opened.close)
    if not size:
        raise broken("nothing was sent")
    return state.hexdigest()


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=32)).hexdigest()
