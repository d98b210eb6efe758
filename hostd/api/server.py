"""The gRPC door: services behind the gate, health and reflection, on the Unix socket and a TCP port."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection

from hostd.aio import Clock
from hostd.api.admin_service import AdminService
from hostd.api.auth import OwnerPolicy, OwnerToken
from hostd.api.dead_letter_service import DeadLetterService
from hostd.api.departed import is_worth_telling
from hostd.api.event_service import EventService
from hostd.api.gate import Gate
from hostd.api.listening import listen_tcp, listen_unix
from hostd.api.plugin_service import PluginService
from hostd.api.ports import Ports
from hostd.api.run_service import RunService
from hostd.api.script_service import ScriptService
from hostd.api.secret_service import SecretService
from hostd.api.tokens import Tokens
from hostd.api.trigger_service import TriggerService
from hostd.api.unread import UnreadBytes
from hostd.api.watch_seats import WatchSeats
from hostd.api.workflow_service import WorkflowService
from hostd.config.rooms import Config
from hostd.config.types import HostPort
from hostd.config.unix_socket import prepare_socket
from hostd.telemetry.meter import Meter
from hostd.telemetry.tracing import Tracing
from hostd.v1.admin_service_pb2_grpc import add_AdminServiceServicer_to_server
from hostd.v1.dead_letter_service_pb2_grpc import add_DeadLetterServiceServicer_to_server
from hostd.v1.event_service_pb2_grpc import add_EventServiceServicer_to_server
from hostd.v1.plugin_service_pb2_grpc import add_PluginServiceServicer_to_server
from hostd.v1.run_service_pb2_grpc import add_RunServiceServicer_to_server
from hostd.v1.script_service_pb2_grpc import add_ScriptServiceServicer_to_server
from hostd.v1.secret_service_pb2_grpc import add_SecretServiceServicer_to_server
from hostd.v1.trigger_service_pb2_grpc import add_TriggerServiceServicer_to_server
from hostd.v1.workflow_service_pb2_grpc import add_WorkflowServiceServicer_to_server

RECEIVE_BYTES_MAX = 16 * 1024 * 1024  # StartRuns of many inputs; one value is bounded where it is read
CALLS_MAX = 10_000
METADATA_BYTES_MAX = 16 * 1024
HEALTH_NAME = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
SERVICES = tuple(
    f"hostd.v1.{name}Service"
    for name in ("Workflow", "Run", "Trigger", "DeadLetter", "Event", "Plugin", "Script", "Secret", "Admin")
)
_OPTIONS = (
    ("grpc.so_reuseport", 0),  # else a second daemon would quietly share the port
    ("grpc.max_receive_message_length", RECEIVE_BYTES_MAX),
    ("grpc.max_metadata_size", METADATA_BYTES_MAX),
    ("grpc.server.max_pending_requests", CALLS_MAX),  # past a thousand of them gRPC would cancel some, without a word
    ("grpc.server.max_pending_requests_hard_limit", 2 * CALLS_MAX),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
)


Services = tuple[tuple[Callable[[Any, Any], None], object], ...]
"""What adds a service to a server, and the service."""


class JournalFacts(Protocol):
    """What tokens are bound to (journal.port.JournalInfo)."""

    @property
    def mac_key(self) -> bytes: ...

    @property
    def journal_id(self) -> str: ...


class Watches(Protocol):
    """Who waits for something to happen (runtime.watch.Hub)."""

    def close(self) -> None:
        """End every watch and wait with DRAINING."""
        ...


class Core(Protocol):
    """The host below the doors (hostd.core)."""

    @property
    def front(self) -> Ports: ...

    @property
    def info(self) -> JournalFacts | None:
        """Set once the journal is open."""
        ...

    @property
    def hub(self) -> Watches: ...

    @property
    def meter(self) -> Meter: ...

    @property
    def tracing(self) -> Tracing: ...

    @property
    def clock(self) -> Clock: ...


class _Generic:
    """Has a server find methods by name alone.

    Where they are registered besides, grpc.aio waits at each call for one task a method: a third of a small call.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self.add_generic_rpc_handlers = server.add_generic_rpc_handlers

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        """Leave it at the generic handlers, which have the same methods."""


class ApiServer:
    """A gRPC server on the Unix socket, another on TCP: whatever comes over the network, the owner gets in beside it.

    `start` once, `stop` once.

    Args:
        core: opened.
        token: the owner's; it may be replaced while this serves.
    """

    def __init__(self, core: Core, *, token: OwnerToken, config: Config) -> None:
        self._core = core
        self._config = config
        self._token = token
        self._health = health.HealthServicer()
        self._seats = WatchSeats(core.meter, config.limits.watches)
        self._servers: list[grpc.aio.Server] = []
        self.address: HostPort | None = None  # of the TCP port, None where it is off

    async def start(self) -> None:
        """Listen. Raises HostdError INSECURE_LISTEN, ADDRESS_IN_USE, ADDRESS_REFUSED, CONFIG_INVALID."""
        config = self._config
        logging.getLogger("grpc._cython.cygrpc").addFilter(is_worth_telling)
        services = self._services()
        servers = [self._server(services, needs_token=False)]
        listen_unix(servers[0], prepare_socket(config.data))
        if config.listen != "off":
            servers.append(self._server(services, needs_token=True))
            self.address = listen_tcp(servers[1], config.listen, tls=config.tls, insecure=config.insecure)
        for server in servers:
            await server.start()
        self._servers = servers
        await self.serve(True)

    def _server(self, services: Services, *, needs_token: bool) -> grpc.aio.Server:
        core = self._core
        gate = Gate(
            token=self._token,
            policy=OwnerPolicy(),
            meter=core.meter,
            clock=core.clock,
            tracing=core.tracing,
            needs_token=needs_token,
        )
        server = grpc.aio.server(interceptors=(gate,), options=_OPTIONS, maximum_concurrent_rpcs=CALLS_MAX)
        generic = _Generic(server)
        for add, service in services:
            add(service, generic)
        reflection.enable_server_reflection((*SERVICES, HEALTH_NAME, reflection.SERVICE_NAME), server)
        return server

    def _services(self) -> Services:
        core, ports = self._core, self._core.front
        assert core.info is not None  # noqa: S101 the core is open
        tokens = Tokens(key=core.info.mac_key, timeline=core.info.journal_id)
        seats = self._seats
        unread = UnreadBytes(core.clock)
        triggers = TriggerService(ports.triggers, ports.trials, ports.schedules, tokens=tokens, seats=seats)
        plugins = PluginService(ports.plugins, ports.installs, ports.plugin_watch, tokens=tokens, seats=seats)
        admin = AdminService(ports.admin, ports.settings, tokens, renew=self._token.renew)
        return (
            (add_WorkflowServiceServicer_to_server, WorkflowService(ports.workflows, tokens)),
            (add_RunServiceServicer_to_server, RunService(ports.runs, tokens, seats)),
            (add_TriggerServiceServicer_to_server, triggers),
            (add_DeadLetterServiceServicer_to_server, DeadLetterService(ports.dead_letters, tokens)),
            (add_EventServiceServicer_to_server, EventService(ports.events, tokens, seats, unread)),
            (add_PluginServiceServicer_to_server, plugins),
            (add_ScriptServiceServicer_to_server, ScriptService(ports.scripts)),
            (add_SecretServiceServicer_to_server, SecretService(ports.secrets, tokens)),
            (add_AdminServiceServicer_to_server, admin),
            (health_pb2_grpc.add_HealthServicer_to_server, self._health),
        )

    def reconfigure(self, config: Config) -> None:
        """Take another bound of watches; the rest needs a restart."""
        self._seats.most = config.limits.watches

    async def serve(self, serving: bool, services: tuple[str, ...] = SERVICES) -> None:
        """Tell health checks whether services take calls; the empty name stands for the whole server."""
        state = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", *services) if services == SERVICES else services:
            await self._health.set(name, state)

    async def stop(self, grace_s: float) -> None:
        """Tell health checks, end watches, let calls end within the grace, then close. May be called twice."""
        servers, self._servers = self._servers, []
        if not servers:
            return
        await self._health.enter_graceful_shutdown()
        self._core.hub.close()
        await asyncio.gather(*(server.stop(grace_s) for server in servers))
