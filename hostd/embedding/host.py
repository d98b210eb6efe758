"""A host inside a program: the core that a daemon runs, without its ports, on the program's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hostd.aio import Clock
from hostd.api.convert.checks import DEFAULT_NAMESPACE, check_namespace
from hostd.api.convert.digests import repeat_of
from hostd.config.rooms import Config
from hostd.core import Core
from hostd.embedding.calls import Duration, seconds_of
from hostd.embedding.event_calls import EventCalls
from hostd.embedding.functions import Brought, Functions, as_plugin, register
from hostd.embedding.opening import Rooms, Wanted
from hostd.embedding.run_calls import RunCalls
from hostd.embedding.workflow import Workflow
from hostd.errors.base import HostdError, invalid
from hostd.model.views import WorkflowView
from hostd.plugin import Registry
from hostd.values.json_text import JsonValue, dump_json

if TYPE_CHECKING:
    from hostd.embedding.blocking import BlockingHost

PRINCIPAL = "embedded"
WORKFLOWS_MAX = 1_000
BroughtT = TypeVar("BroughtT", bound=Brought)
Written = str | bytes | Path | Mapping[str, Any] | Workflow
"""A workflow's text, a file that holds it, the document as a mapping, or a builder."""


class Registered(msgspec.Struct, frozen=True):
    """What registering did. `created`: False when the same document was registered before."""

    workflow: str
    version: str
    created: bool
    warnings: tuple[str, ...] = ()


class Host(RunCalls, EventCalls):
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
    ) -> Host:
        """Return a host that `async with` or `await` opens; nothing is opened yet.

        Args:
            path: the data folder, made where there is none: runs go on when it is opened again. None: in memory.
            actions: functions with `@action`, classes of Action and Trigger; more come with `use`.
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
        from hostd.embedding.blocking import BlockingHost

        return BlockingHost(cls.open(path, **more))

    def __init__(self, wanted: Wanted, functions: Functions, *, namespace: str, principal: str) -> None:
        """Made by `open`."""
        self.namespace = check_namespace(namespace) if namespace else DEFAULT_NAMESPACE
        self.principal = principal
        self._wanted = wanted
        self._functions = functions
        self._rooms: Rooms | None = None
        self._core: Core | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._written: dict[str, tuple[str, str]] = {}  # of builders: text and version, by name

    # -- opening and closing

    async def __aenter__(self) -> Host:
        return await self._open()

    def __await__(self) -> Generator[Any, None, Host]:
        return self._open().__await__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close(grace=0 if error is not None else None)

    async def _open(self) -> Host:
        """Open it; what ran when the last host on the folder ended goes on.

        Raises:
            HostdError: JOURNAL_LOCKED when another process, or this one, has the folder open; CONFIG_INVALID,
                JOURNAL_*, ADDRESS_IN_USE and what else stands in the way.
        """
        if self._rooms is not None:
            return self
        rooms = await asyncio.to_thread(Rooms, self._wanted, self._functions)
        await rooms.open()
        self._rooms, self._core, self._loop = rooms, rooms.core, asyncio.get_running_loop()
        return self

    async def close(self, *, grace: Duration = None) -> None:
        """Take nothing new, let attempts that run end, and close. Safe to call twice.

        What is cut off, and what waits, goes on when the folder is opened again; in memory it is gone.

        Args:
            grace: how long attempts may take to end; `limits.drain` of the configuration where not given.
        """
        rooms, self._rooms, self._core = self._rooms, None, None
        if rooms is None:
            return
        given = seconds_of(grace)
        await rooms.close(rooms.config.limits.drain.total_seconds() if given is None else given)

    @property
    def address(self) -> str:
        """Where gRPC is served, empty where no port is."""
        return self._front.admin.grpc_address

    @property
    def http_address(self) -> str:
        """Where HTTP is served, empty where it is not."""
        return self._front.admin.http_address

    # -- actions

    def use(self, brought: BroughtT) -> BroughtT:
        """Bring an action or trigger, also while the host runs; steps that waited for it go on. Returns what it got.

        Brought again under the same id, as when a notebook's cell is run again, it takes the place of the former one.

        Raises:
            HostdError: PLUGIN_FAILED for what is none, or whose id a plugin has.
        """
        register(Registry(), [brought])
        if self._core is None:
            self._functions.add(brought)
        else:
            self.core.host.add(as_plugin([brought]))
            self._functions.add(brought)
        return brought

    # -- workflows

    async def register(
        self,
        document: Written,
        *,
        activate: bool = True,
        request_id: str = "",
    ) -> Registered:
        """Register a workflow, and have starts and triggers use it. The same document again changes nothing.

        Args:
            document: its text, a file, the document as a mapping, or a builder.

        Raises:
            HostdError: DOCUMENT_INVALID with every mistake as a violation, of a builder with its Python lines;
                VERSION_EXISTS, REQUEST_ID_CONFLICT; ARGUMENT_INVALID for a file that cannot be read.
        """
        text, file = await asyncio.to_thread(_text_of, document)
        fields: dict[str, JsonValue] = {"document": text.decode("utf-8", "replace"), "activate": activate}
        try:
            done = await self._front.workflows.register(
                self.namespace,
                text,
                file=file,
                activate=activate,
                principal=self.principal,
                repeat=repeat_of(request_id, fields),
            )
        except HostdError as error:
            if isinstance(document, Workflow):
                raise document.placed(error) from None
            raise
        version = done.workflow.version.version if done.workflow.version is not None else ""
        return Registered(done.workflow.workflow, version, done.created, done.warnings)

    async def workflows(self) -> Sequence[WorkflowView]:
        """Return the workflows, by name, the first 1,000."""
        return await self._front.workflows.list(self.namespace, after="", limit=WORKFLOWS_MAX)

    async def _workflow(self, workflow: str | Workflow, version: str) -> tuple[str, str]:
        """Return name and version to start; a builder's document is registered where it is new."""
        if isinstance(workflow, str):
            return workflow, version
        text = workflow.to_yaml()
        known = self._written.get(workflow.name)
        if known is None or known[0] != text:
            done = await self.register(workflow)
            known = self._written[workflow.name] = (text, done.version)
        return workflow.name, version or known[1]


def _text_of(document: Written) -> tuple[bytes, str]:
    """Return a document's text, and the file it stands in. Blocks, shortly."""
    if isinstance(document, Workflow):
        return document.to_yaml().encode(), ""
    if isinstance(document, Path):
        return _read(document), str(document)
    if isinstance(document, str):
        return document.encode("utf-8", "surrogatepass"), ""
    if isinstance(document, bytes):
        return document, ""
    return dump_json(document), ""


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise invalid("ARGUMENT_INVALID", f"{file} cannot be read: {error.strerror}") from None
