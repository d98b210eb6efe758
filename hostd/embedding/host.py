"""A host inside a program: the core that a daemon runs, without its ports, on the program's own event loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Self

from hostd.aio import Clock
from hostd.config.rooms import Config
from hostd.embedding.blocking import BlockingHost
from hostd.embedding.functions import Brought, Functions
from hostd.embedding.host_calls import HostCalls
from hostd.embedding.opening import Wanted

PRINCIPAL = "embedded"


class Host(HostCalls):
    """A host in this process: `async with Host.open(path) as host`, or `host = await Host.open(path)` and `close`.

    It belongs to the event loop that opened it. Nothing of the process is touched: no signals, no logging, no garbage
    collection; hostd's loggers (`hostd.*`) write where the program's logging sends them.
    """

    @classmethod
    def open(
        cls,
        path: Path | str | None = None,
        *,
        actions: Sequence[Brought] = (),
        config: Mapping[str, Any] | Config | None = None,
        namespace: str = "",
        principal: str = PRINCIPAL,
        listen: str | None = None,
        http: str | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
    ) -> Self:
        """Return a host that `async with` or `await` opens; nothing is opened yet.

        Args:
            path: the data folder, made where there is none: runs go on when it is opened again. None: in memory.
            actions: functions with `@action`, classes of Action, Trigger and SecretsProvider; more come with `use`.
            config: settings as in `hostd.yaml`, over those of `<path>/hostd.yaml`; the environment is not asked.
            namespace: whose workflows and runs the calls are about; `default` where not given.
            principal: who is noted as the one who asked.
            listen: also serve gRPC there (`127.0.0.1:7420`, or `off` for the folder's socket alone), so that
                `hostd` and clients see the host. It brings gRPC into the process.
            http: also serve webhooks, health and metrics there, and the folder's socket.
            clock: instead of the machine's.
            random: instead of the system's.

        Raises:
            HostdError: PLUGIN_FAILED for an action that cannot be used; ARGUMENT_INVALID.
        """
        place = Path(path).expanduser().absolute() if path is not None else None
        wanted = Wanted(place, config if config is not None else {}, clock, random, listen, http)
        return cls(wanted, Functions(actions), namespace=namespace, principal=principal)

    @classmethod
    def blocking(cls, path: Path | str | None = None, **more: Any) -> BlockingHost:
        """Return a host for code without an event loop, with one of its own in a thread: `with Host.blocking(path)`.

        Args:
            more: as of `open`.
        """
        return BlockingHost(cls.open(path, **more))
