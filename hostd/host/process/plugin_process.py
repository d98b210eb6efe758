"""One plugin's process, as the host sees it: what it serves, and what is asked of it; its life is the supervisor's."""

from __future__ import annotations

from collections.abc import Callable

from hostd.host.process.changes import Changes
from hostd.host.process.claims import Claims
from hostd.host.process.components import check_hello
from hostd.host.process.conversation import Conversation
from hostd.host.process.desk import Desk
from hostd.host.process.hellos import Said
from hostd.host.process.home import ProcessHome
from hostd.host.process.launch import Launch
from hostd.host.process.link import FRAME_BYTES_MAX, Link, LinkLostError, unavailable
from hostd.host.process.nursery import LeftBehind
from hostd.host.process.provisioning import Provisioning
from hostd.host.process.states import COMING, ProcessState
from hostd.host.process.stay import DRAIN_S
from hostd.host.process.supervisor import Supervisor
from hostd.host.process.switchboard import PROTOCOL_MAX
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.version import VERSION


class PluginProcess:
    """The process of one plugin, as the host keeps it: its life, and the conversation with it."""

    def __init__(
        self,
        plugin: str,
        version: str,
        launch: Launch,
        home: ProcessHome,
        changed: Callable[[PluginProcess], None],
        *,
        left: LeftBehind | None = None,
        said: Said | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            left: what an earlier daemon left behind of this very plugin.
            said: what it is known to serve without being asked.
        """
        self.plugin = plugin
        self.version = version
        self.launch = launch
        self.traceback = ""
        self.components: tuple[pb.Component, ...] = said.components if said is not None else ()
        self.api = said.api if said is not None else ""
        self.spoke = False  # whether `components` are what a process of this daemon has said
        self._home = home
        self._changes = Changes(plugin)
        self.conversation = Conversation(plugin, launch.permissions, home.clock, self._changes.tell)
        self.supervisor = Supervisor(
            self,
            version,
            launch,
            home,
            self.conversation,
            self._changes,
            known=lambda: bool(self.components),
            changed=lambda: changed(self),
            left=left,
        )
        home.switchboard.expect(self)

    # -- seen from outside

    @property
    def state(self) -> ProcessState:
        """Where in its life it is."""
        return self.supervisor.state

    @property
    def message(self) -> str:
        """Why it is there, for people."""
        return self.supervisor.message

    @property
    def cookie(self) -> str:
        """What the child says to be let in."""
        return self.supervisor.cookie

    @property
    def pid(self) -> int:
        """Id of the process, 0 while there is none."""
        return self.supervisor.pid

    @property
    def queued(self) -> bool:
        """Whether it waits for its turn to start."""
        return self.supervisor.queued

    @property
    def inherited(self) -> bool:
        """Whether a process that the daemon before this one started may live, and has not been heard from."""
        return not self.spoke and self.supervisor.inherited

    @property
    def restarts(self) -> int:
        """How often it crashed."""
        return self.supervisor.crashes.total

    @property
    def last_crash(self) -> str:
        """Why it went, the last time it was not asked to."""
        return self.supervisor.crashes.last

    @property
    def printed(self) -> tuple[str, ...]:
        """What it printed last."""
        return self.supervisor.printed

    @property
    def claims(self) -> Claims:
        """The attempts it holds."""
        return self.conversation.claims

    @property
    def desk(self) -> Desk:
        """What it holds, by name."""
        return self.conversation.desk

    @property
    def provisioning(self) -> Provisioning:
        """Which of its actions are ready."""
        return self.conversation.provisioning

    @property
    def attempts_max(self) -> int:
        """Attempts of one action at once."""
        return self._home.limits.attempts

    # -- life

    def start(self, *, wanted: bool = True) -> None:
        """Begin to supervise; see `Supervisor.start`."""
        self.supervisor.start(wanted=wanted)

    async def stop(self, grace_s: float = DRAIN_S) -> None:
        """Drain the process and end it; nothing starts it again."""
        await self.supervisor.stop(grace_s)

    def release(self) -> None:
        """Let a quarantined or broken plugin start again."""
        self.supervisor.release()

    async def link(self) -> Link:
        """Return the connection, starting the process where need be. Raises HostdError PLUGIN_UNAVAILABLE."""
        return await self.supervisor.link()

    async def first_word(self) -> None:
        """Wait until it is known what it serves, or that it cannot."""
        while not self.components and self.supervisor.is_in(*COMING):
            await self._changes.wait()

    # -- the connection (switchboard.Line)

    def connected(self, link: Link) -> pb.Welcome:
        """Take the child's connection. Raises ValueError with the reason it is refused."""
        hello = link.hello
        if hello.plugin != self.plugin:
            raise ValueError(f"it says it is {hello.plugin[:80]!r}, but was started as {self.plugin!r}")
        if hello.HasField("broken"):
            self.traceback = hello.broken.traceback[:8_000]
            self.supervisor.become(ProcessState.BROKEN, f"{hello.broken.reason}: {hello.broken.message}"[:2_000])
            raise ValueError(self.message)
        known = bool(self.components)  # recovery could ask for what it holds
        self.components = check_hello(hello)
        self.api = hello.api[:100]
        self.spoke = True
        self.supervisor.said(hello.pid)
        late, self.claims.recovered = self.claims.recovered and not known, self.claims.recovered and known
        self.conversation.begin(link)
        self.supervisor.become(ProcessState.READY)  # who waited for what it serves begins, or claims what it holds
        if late:
            self.drop_unclaimed()
        data_dir = self._home.data_dir
        return pb.Welcome(
            protocol=PROTOCOL_MAX,
            host=VERSION,
            permissions=sorted(self.launch.permissions),
            data_dir=str(data_dir) if data_dir is not None else "",
            frame_bytes_max=FRAME_BYTES_MAX,
            batches=True,
            begun=True,
        )

    def received(self, link: Link, frame: pb.FromPlugin) -> None:
        """Take a frame, or a batch of them. Raises ValueError when the child breaks the protocol."""
        self.conversation.received(link, frame)

    def refused(self, why: str) -> None:
        """The child broke the protocol: it is ended."""
        self.conversation.refused(why)

    def disconnected(self, link: Link) -> None:
        """The connection is gone."""
        self.conversation.lost(link)

    # -- what the host asks of it

    async def prepare(self, component: str) -> None:
        """Start the process where need be, and have an action provisioned. Raises HostdError."""
        await self.provisioning.prepare(await self.link(), component)

    def prepared(self, component: str) -> bool:
        """Say whether an action can begin at once."""
        return self.conversation.link is not None and not self.supervisor.resting and self.provisioning.ready(component)

    async def ask(self, frame: pb.FromHost) -> pb.FromPlugin:
        """Ask the process something. Raises HostdError PLUGIN_UNAVAILABLE."""
        try:
            return await (await self.link()).ask(frame)
        except LinkLostError:
            raise unavailable(f"plugin {self.plugin} went away before it answered") from None

    def recorded(self, attempt_id: pb.AttemptId) -> None:
        """Tell the child, soon, that an outcome is durable, or of no use."""
        if self.pid or self.conversation.link is not None:
            self.conversation.recorded(attempt_id)

    def drop_unclaimed(self) -> None:
        """Recovery is over: stop what the child holds and nobody waits for."""
        self.conversation.drop_unclaimed()
