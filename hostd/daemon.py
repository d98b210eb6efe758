"""The daemon: the composition root on top of the core. Adds the data folder, the ports and the triggers; starts in
order, stops in reverse.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from hostd.aio import spawn
from hostd.api.auth import OwnerToken, owner_token
from hostd.config.data_folder import make_data_folder, unusable
from hostd.config.given_sockets import bound_to, check_exposed
from hostd.config.rooms import Config
from hostd.config.service_manager import ServiceManager
from hostd.core import Core
from hostd.errors.base import HostdError, Kind
from hostd.http.listening import address_of, close, listen
from hostd.telemetry.logs import configure_logs

if TYPE_CHECKING:
    from hostd.api.server import ApiServer
    from hostd.http.server import HttpServer

_log = logging.getLogger("hostd.daemon")

HEALTH_S = 1.0
STOP_S = 30.0  # what is closed after the drain has its own bounds, which are shorter


class Daemon:
    """A core with its doors: the data folder, the gRPC and HTTP ports, and the triggers."""

    def __init__(
        self,
        config: Config,
        *,
        manager: ServiceManager | None = None,
        http_socket: socket.socket | None = None,
        core: Core | None = None,
    ) -> None:
        """Build; nothing is opened yet.

        Args:
            core: what a program that embeds a host has built already, on `config.data`.
            manager: is told how the daemon does.
            http_socket: listens already, for the HTTP port.
        """
        self.config = config
        self.manager = manager or ServiceManager({})
        self.core = core or Core(config, data=config.data)
        self.core.reconfigured.append(self._reconfigure)
        self._http_socket = http_socket
        self._http_sockets: list[socket.socket] = []
        self.token: OwnerToken | None = None
        self.api: ApiServer | None = None
        self.http: HttpServer | None = None
        self._lua: asyncio.Task[None] | None = None
        self._health: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open everything; when this returns the ports answer. Raises HostdError for what stands in the way."""
        self.token = OwnerToken(prepare_data_folder(self.config.data), self.config.data / "token")
        door = spawn(asyncio.to_thread(importlib.import_module, "hostd.api.server"), name="api-import")
        await self.core.open(plugins_may_wait=True)
        await door
        await self._bind_http()
        self.core.triggers.expect()
        api = await self._open_api()
        self._lua = spawn(self._start_lua(), name="lua-start")
        await self.core.host.complete()
        await self._open_http()
        await self.core.triggers.start()
        self._health = spawn(self._follow_health(api), name="health")
        bound = self.core.front.admin
        self.manager.ready(f"serves: gRPC {bound.grpc_address or 'on its socket'}, HTTP {bound.http_address or 'off'}")
        text = "daemon_ready grpc=%s http=%s data=%s"
        _log.info(text, bound.grpc_address or "off", bound.http_address or "off", self.config.data)

    def _reconfigure(self, config: Config) -> None:
        """Take what a reload changed."""
        old, self.config = self.config, config
        if config.log.format != old.log.format:
            configure_logs(level=self.core.settings.log_level, style=config.log.format)
        if self.api is not None:
            self.api.reconfigure(config)
        if self.http is not None:
            self.http.reconfigure(config.http)

    async def _start_lua(self) -> None:
        """Warm the script pool beside the start: a machine that cannot run scripts still runs everything else."""
        try:
            await self.core.lua.start()
        except HostdError as error:
            _log.error("lua_unavailable error=%s", error)

    async def _open_api(self) -> ApiServer:
        from hostd.api.server import ApiServer

        assert self.token is not None  # noqa: S101 made before the doors
        api = self.api = ApiServer(self.core, token=self.token, config=self.config)
        await api.start()
        self.core.front.admin.grpc_address = str(api.address) if api.address is not None else ""
        return api

    async def _bind_http(self) -> None:
        """Listen on the HTTP port, or on the socket that was handed over; who connects waits for `_open_http`."""
        given, config = self._http_socket, self.config
        if given is not None and config.http.listen == "off":
            _log.warning("http_socket_unused address=%s message=%s", bound_to(given), "http.listen is off")
            given.close()
        elif given is not None:
            check_exposed(given, protected=config.tls.certificate is not None or config.insecure)
            self._http_sockets = [given]
        elif config.http.listen != "off":
            self._http_sockets = await listen(config.http.listen)
        if self._http_sockets:
            self.core.front.admin.http_address = str(address_of(self._http_sockets))

    async def _open_http(self) -> None:
        """Serve what the HTTP port gets, once gRPC answers: to import aiohttp takes a fifth of a whole start."""
        if not self._http_sockets:
            return
        await asyncio.to_thread(importlib.import_module, "hostd.http.server")
        from hostd.http.server import HttpServer

        core = self.core
        assert self.token is not None  # noqa: S101 made before the doors
        self.http = HttpServer(
            settings=self.config.http,
            routes=core.routes,
            events=core.front.events,
            health=self,
            metrics=core.meter,
            check_token=self.token,
            meter=core.meter,
            clock=core.clock,
            tracing=core.tracing,
            tls=http_tls(self.config),
            given=self._http_sockets,
        )
        await self.http.start()

    async def _follow_health(self, api: ApiServer) -> None:
        """Tell gRPC health checks when the journal cannot be written, and when it can again."""
        told = True
        while True:
            await self.core.clock.sleep(HEALTH_S)
            await asyncio.to_thread(self.core.journal.look)  # not by a reader: a backup may hold them for long
            able = self.core.loop.unwritable is None
            if able is not told:
                await api.serve(able)
                told = able
                self.manager.status(_health_sentence(self.problems()))

    def problems(self) -> dict[str, str]:
        """Return what keeps the daemon from taking work."""
        found: dict[str, str] = {}
        if self.core.loop.unwritable is not None:
            found["journal"] = self.core.loop.unwritable.reason
        if self.core.intake.draining:
            found["daemon"] = "DRAINING"
        return found

    async def stop(self, grace_s: float) -> None:
        """Take nothing new, let what runs end within the grace, and close."""
        self.core.intake.draining = True
        running = self.core.effects.in_flight
        self.manager.stopping(f"lets {running} attempts end, for {grace_s:.0f} s at most", within_s=grace_s + STOP_S)
        if self._health is not None:
            self._health.cancel()
        await self.core.triggers.stop()
        if self.http is not None:
            await self.http.stop(grace_s=min(grace_s, 5.0))
        else:
            close(self._http_sockets)  # of a start that failed
        left = await self.core.drain(grace_s)
        self.core.hub.close()
        self.core.topics.news.close()
        if self.api is not None:
            await self.api.stop(1.0)
        if self._lua is not None:
            await asyncio.wait([self._lua])  # it is short; cut off half way it would leave a process behind
        await self.core.close()
        _log.info("daemon_stopped attempts_cut_off=%d", left)


def http_tls(config: Config) -> ssl.SSLContext | None:
    """Return what the HTTP port speaks TLS with, where it is configured. Raises HostdError CONFIG_INVALID."""
    tls = config.tls
    if tls.certificate is None or tls.key is None:
        return None
    for name, path in (("certificate", tls.certificate), ("key", tls.key)):
        _readable(f"tls.{name}", path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    password = tls.key_password.get_secret_value() if tls.key_password is not None else None
    try:
        context.load_cert_chain(tls.certificate, tls.key, password)
    except (OSError, ssl.SSLError) as error:
        message = f"tls.certificate or tls.key cannot be used: {error}"
        raise HostdError(Kind.INVALID, "CONFIG_INVALID", message) from None
    return context


def _readable(key: str, path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        message = f"{key}: {path} cannot be read: {error.strerror}; name a PEM file that the daemon's user may read"
        raise HostdError(Kind.INVALID, "CONFIG_INVALID", message) from None


def _health_sentence(problems: dict[str, str]) -> str:
    if not problems:
        return "serves"
    return "takes no work: " + ", ".join(f"{part} {reason}" for part, reason in problems.items())


def prepare_data_folder(data: Path) -> str:
    """Make the data folder and its token where they are not there; return the token.

    Raises:
        HostdError: JOURNAL_READ_ONLY when the folder cannot be made or written; CONFIG_INVALID for a damaged token.
    """
    make_data_folder(data)
    try:
        return owner_token(data / "token")
    except OSError as error:
        raise unusable(data, error) from None
