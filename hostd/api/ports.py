"""What the control plane asks of the runtime. Everything that crosses is checked, bounded and of `hostd.model`.

All methods raise HostdError with the reasons named; none is raised for what the door has checked before. Every method
may be cancelled: what is durable by then stays, what is not does not happen. `principal` is recorded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol

from hostd.api.install_port import Installs
from hostd.api.run_ports import Runs
from hostd.model.administration import AuditView, BackupStep, CompactionStep, NamespaceView, SystemView
from hostd.model.configuration import ConfigView, ReloadedView
from hostd.model.plugin_changes import PluginChanges
from hostd.model.requests import LetterSelection, Repeat, TrialEvent
from hostd.model.topics import EventTypeView, NewEvent, PublishedView, TopicEvents
from hostd.model.views import (
    BackfillView,
    DeadLetterView,
    DifferencesView,
    FiredView,
    PluginView,
    RedrivenView,
    RegisteredView,
    ScheduleView,
    SchemaView,
    ScriptView,
    SecretSetView,
    SecretView,
    TrialView,
    TriggerChanges,
    TriggerView,
    ValidationView,
    VersionView,
    WorkflowView,
)


class Workflows(Protocol):
    """Registered workflows."""

    async def register(
        self,
        namespace: str,
        document: bytes,
        *,
        file: str,
        activate: bool,
        principal: str,
        repeat: Repeat | None,
        within_s: float | None = None,
    ) -> RegisteredView:
        """Register one document; returns once the triggers of the active version have begun, or after a short time.

        Args:
            within_s: an even shorter time.

        Raises DOCUMENT_INVALID with every violation, VERSION_EXISTS.
        """
        ...

    async def activate(
        self,
        namespace: str,
        workflow: str,
        version: str,
        *,
        expected: str | None,
        principal: str,
        repeat: Repeat | None,
        within_s: float | None = None,
    ) -> WorkflowView:
        """Make a version the active one; empty deactivates. Waits for its triggers as `register` does.

        Raises WORKFLOW_MISSING, VERSION_MISSING, ACTIVE_CHANGED.
        """
        ...

    async def validate(self, namespace: str, document: bytes, *, file: str) -> ValidationView:
        """Check documents; mistakes are answers, not errors."""
        ...

    async def get(self, namespace: str, workflow: str, version: str) -> WorkflowView:
        """Return a workflow with one version and its source; empty means the active one (none where none is).

        Raises WORKFLOW_MISSING, VERSION_MISSING.
        """
        ...

    async def list(self, namespace: str, *, after: str, limit: int) -> Sequence[WorkflowView]:
        """Return workflows with a name past `after`, by name."""
        ...

    async def versions(self, namespace: str, workflow: str, *, skip: int, limit: int) -> Sequence[VersionView]:
        """Return versions without sources, newest first. Raises WORKFLOW_MISSING."""
        ...

    async def differences(
        self, namespace: str, workflow: str, *, first: str, second: str, limit: int
    ) -> DifferencesView:
        """Return how two versions differ; empty means the active one. Raises WORKFLOW_MISSING, VERSION_MISSING."""
        ...

    async def delete(
        self, namespace: str, workflow: str, version: str, *, principal: str, repeat: Repeat | None
    ) -> None:
        """Delete a version, empty: all of them. Raises WORKFLOW_MISSING, VERSION_MISSING, VERSION_IN_USE."""
        ...


class Triggers(Protocol):
    """Triggers of active versions."""

    async def list(self, namespace: str, workflow: str, *, after: tuple[str, str], limit: int) -> Sequence[TriggerView]:
        """Return triggers past (workflow, name) `after`, in that order; empty workflow = of all."""
        ...

    async def get(self, namespace: str, workflow: str, name: str) -> TriggerView:
        """Return a trigger; empty workflow: one of its own, with its source. Raises TRIGGER_MISSING."""
        ...

    async def create(
        self,
        namespace: str,
        document: bytes,
        *,
        file: str,
        replace: bool,
        principal: str,
        repeat: Repeat | None,
        within_s: float | None = None,
    ) -> tuple[TriggerView, bool]:
        """Make a trigger of its own; return it once it has begun, and whether anything changed.

        Raises DOCUMENT_INVALID with every violation, WORKFLOW_MISSING, VERSION_MISSING, TRIGGER_EXISTS.
        """
        ...

    async def delete(self, namespace: str, name: str, *, principal: str, repeat: Repeat | None) -> None:
        """Delete a trigger of its own with its cursor. Raises TRIGGER_MISSING."""
        ...

    def watch(self, namespace: str, workflow: str, *, after: str) -> AsyncIterator[TriggerChanges]:
        """Yield changes of triggers, without end; a snapshot first, unless a position is given.

        Raises RESUME_TOKEN_EXPIRED, DRAINING.
        """
        ...

    async def pause(
        self, namespace: str, workflow: str, name: str, *, reason: str, principal: str, repeat: Repeat | None
    ) -> TriggerView:
        """Stop a trigger until it is resumed; its cursor stays. Raises TRIGGER_MISSING."""
        ...

    async def resume(
        self,
        namespace: str,
        workflow: str,
        name: str,
        *,
        principal: str,
        repeat: Repeat | None,
        within_s: float | None = None,
    ) -> TriggerView:
        """Let a paused, ended or failed trigger run again; return it once it has begun. Raises TRIGGER_MISSING."""
        ...

    async def fire(
        self, namespace: str, workflow: str, name: str, *, data: bytes, event_id: str, principal: str
    ) -> FiredView:
        """Emit one event by hand; empty `event_id` = a random one. Raises TRIGGER_MISSING, INTAKE_FULL."""
        ...


class Trials(Protocol):
    """What an event would do."""

    async def test(self, name: tuple[str, str, str], document: bytes, given: TrialEvent) -> TrialView:
        """Return what an event would do to a trigger (namespace, workflow, name), or to one of a document.

        Raises TRIGGER_MISSING, ARGUMENT_INVALID.
        """
        ...


class Schedules(Protocol):
    """Triggers that go by the clock. All raise SCHEDULE_MISSING for one that does not, PLUGIN_FAILED, SECRET_*."""

    async def preview(self, name: tuple[str, str, str], *, after_us: int | None, count: int) -> ScheduleView:
        """Return the next slots of a configured trigger. Raises TRIGGER_MISSING."""
        ...

    async def preview_options(
        self, uses: str, options: dict[str, Any], *, after_us: int | None, count: int
    ) -> ScheduleView:
        """Return the next slots that options name. Raises PLUGIN_MISSING, OPTION_INVALID."""
        ...

    async def backfill(
        self,
        name: tuple[str, str, str],
        *,
        from_us: int,
        to_us: int,
        dry_run: bool,
        per_second: int,
        fire_unknown: bool,
        principal: str,
        repeat: Repeat | None,
    ) -> BackfillView:
        """Fire the slots of a window that have not fired.

        Raises TRIGGER_MISSING, WORKFLOW_*, ARGUMENT_INVALID, REQUEST_ID_CONFLICT.
        """
        ...


class DeadLetters(Protocol):
    """Events that could not be used. A number to go on behind is 0 where there is no more."""

    async def get(self, namespace: str, number: int) -> DeadLetterView:
        """Return a letter. Raises DEAD_LETTER_MISSING."""
        ...

    async def find(
        self, namespace: str, selection: LetterSelection, *, after: int, limit: int
    ) -> tuple[Sequence[DeadLetterView], int]:
        """Return letters behind a number, oldest first, and the number to go on behind."""
        ...

    async def redrive(
        self,
        namespace: str,
        selection: LetterSelection,
        *,
        after: int,
        limit: int,
        principal: str,
        repeat: Repeat | None,
    ) -> tuple[Sequence[RedrivenView], int]:
        """Emit letters again; a letter's own failure is an answer.

        Raises REQUEST_ID_CONFLICT, INTAKE_FULL, JOURNAL_*.
        """
        ...

    async def purge(self, namespace: str, selection: LetterSelection, *, principal: str, repeat: Repeat | None) -> int:
        """Delete letters; return how many. Raises REQUEST_ID_CONFLICT."""
        ...


class Events(Protocol):
    """Durable topics."""

    async def publish(
        self, namespace: str, events: Sequence[NewEvent], *, principal: str, repeat: Repeat | None
    ) -> Sequence[PublishedView]:
        """Publish events, all or none; answers once durable, in order.

        Raises:
            HostdError: TOPIC_INVALID, EVENT_INVALID, PAYLOAD_TOO_LARGE, REQUEST_ID_CONFLICT, JOURNAL_*.
        """
        ...

    def subscribe(
        self, namespace: str, topics: Sequence[str], filter_text: str, *, after: int | None
    ) -> AsyncIterator[TopicEvents]:
        """Yield pages of events past a position (None: from now on), without end; the first is a bookmark.

        Raises TOPIC_INVALID, EXPRESSION_INVALID, EXPRESSION_FAILED, DRAINING.
        """
        ...

    async def types(self, namespace: str, topic: str, *, after: tuple[str, str], limit: int) -> Sequence[EventTypeView]:
        """Return types that topics have seen, past (topic, type) `after`, in that order; empty topic = of all."""
        ...


class Plugins(Protocol):
    """What is loaded; answered from memory."""

    def list(self) -> Sequence[PluginView]:
        """Return every plugin that was found, by id."""
        ...

    def get(self, plugin_id: str) -> PluginView:
        """Return a plugin. Raises PLUGIN_MISSING."""
        ...

    async def reload(self, namespace: str, plugin_id: str) -> PluginView:
        """Load a plugin anew, beside the version that serves. Raises PLUGIN_MISSING, PLUGIN_NOT_RELOADABLE."""
        ...

    def schema(self, component_id: str, kind: str) -> SchemaView:
        """Return a component's options; empty kind = whichever there is. Raises PLUGIN_MISSING."""
        ...


class PluginWatch(Protocol):
    """What becomes of plugins."""

    def watch(self, plugin_id: str, *, after: str) -> AsyncIterator[PluginChanges]:
        """Yield changes of plugins, without end; a snapshot first, unless a position is given.

        Raises RESUME_TOKEN_EXPIRED, DRAINING.
        """
        ...


class Secrets(Protocol):
    """Secrets without their values. All raise PLUGIN_FAILED where a provider fails, SECRETS_UNUSABLE."""

    async def list(self, namespace: str, *, after: str, limit: int) -> Sequence[SecretView]:
        """Return secrets with a name past `after`, by name."""
        ...

    async def set(
        self, namespace: str, name: str, value: str, *, principal: str, repeat: Repeat | None
    ) -> SecretSetView:
        """Set a secret. Raises SECRETS_READ_ONLY."""
        ...

    async def delete(self, namespace: str, name: str, *, principal: str, repeat: Repeat | None) -> None:
        """Delete a secret. Raises SECRET_MISSING, SECRETS_READ_ONLY."""
        ...

    async def rotate_key(self, namespace: str, *, principal: str) -> int:
        """Encrypt the store with a new key; return how many secrets that were. Raises SECRETS_READ_ONLY."""
        ...


class Scripts(Protocol):
    """Scripts and expressions on their own."""

    async def validate(self, source: str) -> ScriptView:
        """Compile a script; a fault is an answer, not an error."""
        ...

    async def evaluate(self, source: str, input_json: bytes, *, limits: Mapping[str, int]) -> ScriptView:
        """Run a script without capabilities; its failure is an answer. Raises ARGUMENT_INVALID, SCRIPT*_UNAVAILABLE."""
        ...

    async def expression(self, text: str, context_json: bytes) -> bytes:
        """Return an expression's value as JSON text. Raises EXPRESSION_*."""
        ...


class Admin(Protocol):
    """The daemon itself."""

    def system(self) -> SystemView:
        """Return what there is to know; answered from memory."""
        ...

    async def audit(self, namespace: str, *, after: int, limit: int) -> Sequence[AuditView]:
        """Return what was done to the namespace past number `after`, by number."""
        ...

    def compact(self, *, principal: str) -> AsyncIterator[CompactionStep]:
        """Delete what retention lets go and give room back; yields progress. Raises JOURNAL_*."""
        ...

    async def rotate_token(self, renew: Callable[[], str], *, principal: str) -> str:
        """Make a new token for the owner, and note who did; return its file. Raises what `renew` raises, JOURNAL_*.

        Args:
            renew: makes it and returns its file; blocks.
        """
        ...

    async def namespaces(self, *, after: str, limit: int) -> Sequence[NamespaceView]:
        """Return namespaces that hold something, with a name past `after`, by name."""
        ...

    def backup(self, path: str) -> AsyncIterator[BackupStep]:
        """Write a consistent copy of the journal; relative paths lie in `<data>/backups`.

        Raises ARGUMENT_INVALID for a path that is taken, JOURNAL_*.
        """
        ...


class Settings(Protocol):
    """The configuration while the daemon runs."""

    def show(self) -> ConfigView:
        """Return what holds; answered from memory."""
        ...

    async def reload(self, namespace: str, *, principal: str) -> ReloadedView:
        """Read everything anew and swap what is reloadable; an error changes nothing.

        Raises CONFIG_INVALID, CONFIG_NOT_READ.
        """
        ...

    async def set_log_level(self, namespace: str, *, logger: str, level: str, principal: str) -> dict[str, str]:
        """Change a logger's level (empty: everything's), an empty one back; return what was changed since the start.

        Raises ARGUMENT_INVALID.
        """
        ...


class Ports(Protocol):
    """Everything behind the control plane (runtime.front)."""

    @property
    def runs(self) -> Runs: ...

    @property
    def workflows(self) -> Workflows: ...

    @property
    def triggers(self) -> Triggers: ...

    @property
    def trials(self) -> Trials: ...

    @property
    def schedules(self) -> Schedules: ...

    @property
    def dead_letters(self) -> DeadLetters: ...

    @property
    def events(self) -> Events: ...

    @property
    def plugins(self) -> Plugins: ...

    @property
    def plugin_watch(self) -> PluginWatch: ...

    @property
    def installs(self) -> Installs: ...

    @property
    def scripts(self) -> Scripts: ...

    @property
    def secrets(self) -> Secrets: ...

    @property
    def admin(self) -> Admin: ...

    @property
    def settings(self) -> Settings: ...
