"""A host's rooms: built from what a program says, opened in order, closed in reverse.

Nothing of the process is touched: no signals, no logging, no garbage collection.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hostd.aio import Clock, waited_to_its_end
from hostd.config.data_folder import make_data_folder
from hostd.config.load import load_config
from hostd.config.rooms import Config, Room
from hostd.core import Core
from hostd.embedding.functions import PLUGIN, Functions
from hostd.errors.base import HostdError, Kind, invalid
from hostd.host.found import PluginState

if TYPE_CHECKING:
    from random import Random

    from hostd.daemon import Daemon

FOLDERS = ("plugins", "plugins-installed")
"""In the data folder: plugins that are dropped in, and those that `hostd plugin install` put there."""

NOWHERE = Path(os.devnull)
"""Stands for the data folder of a host in memory: there is no configuration in it."""


class Wanted(NamedTuple):
    """What a program asks for; see `Host.open`."""

    path: Path | None
    config: Mapping[str, Any] | Config
    clock: Clock | None
    random: Random | None
    listen: str | None
    http: str | None

    @property
    def doors(self) -> bool:
        """Whether anybody else may come in."""
        return self.listen is not None or self.http is not None


class Rooms:
    """A core and, where ports were asked for, the doors of a daemon around it."""

    def __init__(self, wanted: Wanted, functions: Functions) -> None:
        """Build; nothing is opened yet. Blocks, shortly: it may read the folder's `hostd.yaml`.

        Raises:
            HostdError: CONFIG_INVALID; ARGUMENT_INVALID for ports without a folder.
        """
        if wanted.doors and wanted.path is None:
            message = (
                "listen and http need a data folder: the token that clients show lies in it; give Host.open a path"
            )
            raise invalid("ARGUMENT_INVALID", message)
        self.config = _config(wanted)
        self.core = Core(
            self.config,
            clock=wanted.clock,
            dice=wanted.random,
            data=wanted.path,
            patient=True,
            watch_loop=False,
            folders=wanted.doors or (wanted.path is not None and _has_folders(self.config, wanted.path)),
        )
        self.core.host.also.extend(functions.found())
        self._wanted = wanted
        self._daemon: Daemon | None = None
        self._opened = False

    async def open(self) -> None:
        """Open everything; what ran when the last host on the folder ended goes on. Raises what stands in the way."""
        try:
            if self._wanted.doors:
                await self._open_doors()
            else:
                if self._wanted.path is not None:
                    await asyncio.to_thread(make_data_folder, self._wanted.path)
                await self.core.open()
                await self.core.triggers.start()
            self._check_functions()
        except BaseException as error:
            await self.close(0.0)
            if isinstance(error, HostdError) and error.details.get("pid") == str(os.getpid()):
                raise _open_here(error, self._wanted.path) from None
            raise

    def _check_functions(self) -> None:
        """Raise why the program's own actions were not loaded: an id that a plugin has, or a setting that denies them.

        Elsewhere a plugin that fails is only listed; here steps would wait for ever.
        """
        for report in self.core.host.registry.plugins:
            if report.id == PLUGIN and report.state is not PluginState.LOADED:
                raise HostdError(Kind.INVALID, report.reason, f"the program's actions cannot be used: {report.message}")

    async def _open_doors(self) -> None:
        daemon = await asyncio.to_thread(_daemon, self.config, self.core)
        self._daemon = daemon
        await daemon.start()

    async def close(self, grace_s: float) -> None:
        """Take nothing new, let attempts that run end within the grace, and let go of everything.

        A cancellation ends the grace, and is passed on when everything is closed.
        """
        if self._daemon is not None:
            await waited_to_its_end(self._daemon.stop(grace_s), name="host-close")
            return
        try:
            self.core.intake.draining = True
            await self.core.triggers.stop()
            await self.core.drain(grace_s)
        finally:
            await waited_to_its_end(self.core.close(), name="host-close")


def _daemon(config: Config, core: Core) -> Daemon:
    """Return the doors around a core; they bring gRPC and aiohttp, which other hosts go without."""
    from hostd.daemon import Daemon

    return Daemon(config, core=core)


def _open_here(error: HostdError, path: Path | None) -> HostdError:
    message = f"this process has a host open on {path} already; use that one, or close it first"
    return HostdError(error.kind, error.reason, message, details=error.details)


def _has_folders(config: Config, path: Path) -> bool:
    """Say whether there are plugins in folders to serve: they bring gRPC, which other hosts go without."""
    return config.plugins.dir is not None or any((path / name).is_dir() for name in FOLDERS)


def _config(wanted: Wanted) -> Config:
    data = wanted.path if wanted.path is not None else NOWHERE
    grpc, http = wanted.listen or "off", wanted.http or "off"
    if isinstance(wanted.config, Config):
        given = wanted.config
        door = given.http.model_copy(update={"listen": http})
        return given.model_copy(update={"data": data, "listen": grpc, "http": door})
    flags = {**dict(_dotted(wanted.config, Config, "")), "data": str(data), "listen": grpc, "http.listen": http}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HOSTD_")}
    return load_config(flags=flags, env=environ).config


def _dotted(given: Mapping[str, Any], room: type[Room], before: str) -> Iterable[tuple[str, Any]]:
    """Yield settings by dotted key; what is no room of the configuration is a value, mappings too."""
    for key, value in given.items():
        field = room.model_fields.get(key)
        inner = field.annotation if field is not None else None
        if isinstance(inner, type) and issubclass(inner, Room) and isinstance(value, Mapping):
            yield from _dotted(value, inner, f"{before}{key}.")
        else:
            yield f"{before}{key}", value
