# Written by clients/python/blocking_twin.py from hostd/client/aio; never edited.
"""The daemon itself: how it is, its configuration, its journal; expressions and scripts on their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from hostd.client.blocking.connection import BlockingConnection
from hostd.client.conversion import result_of
from hostd.client.host_results import (
    AuditEvent,
    Backup,
    Compaction,
    EffectiveConfig,
    EvaluatedScript,
    Namespace,
    ReloadedConfig,
    SystemInfo,
    ValidatedScript,
)
from hostd.client.payloads import from_payload
from hostd.client.starts import payload_of
from hostd.v1 import admin_service_pb2 as pb
from hostd.v1 import script_service_pb2


class AdministrationCalls(BlockingConnection):
    """What is asked of the daemon itself."""

    def info(self) -> SystemInfo:
        """Return versions, limits and capabilities of the daemon, and how it is."""
        request = pb.GetSystemInfoRequest(namespace=self.namespace)
        return self._result(SystemInfo, self.admin.GetSystemInfo, request)

    def audit(self, *, limit: int | None = None) -> Iterator[AuditEvent]:
        """Yield who changed what, the oldest first."""
        request = pb.ListAuditEventsRequest(namespace=self.namespace)
        left = limit
        for page in self._pages(self.admin.ListAuditEvents, request, limit):
            for each in page.audit_events[:left]:
                yield result_of(AuditEvent, each)
            left = None if left is None else left - len(page.audit_events)

    def list_namespaces(self) -> Iterator[Namespace]:
        """Yield every namespace that holds something, by name."""
        request = pb.ListNamespacesRequest(namespace=self.namespace)
        for page in self._pages(self.admin.ListNamespaces, request):
            for each in page.namespaces:
                yield result_of(Namespace, each)

    def config(self) -> EffectiveConfig:
        """Return the configuration that holds, with where each value comes from."""
        request = pb.GetConfigRequest(namespace=self.namespace)
        return self._result(EffectiveConfig, self.admin.GetConfig, request)

    def reload_config(self) -> ReloadedConfig:
        """Let the daemon read its configuration again. One with a mistake changes nothing: CONFIG_INVALID."""
        request = pb.ReloadConfigRequest(namespace=self.namespace)
        return self._result(ReloadedConfig, self.admin.ReloadConfig, request)

    def set_log_level(
        self, level: Literal["debug", "info", "warning", "error", ""], *, logger: str = ""
    ) -> dict[str, str]:
        """Change the least severe level that is logged until the daemon ends; return the levels that differ.

        Args:
            level: empty goes back to what is configured.
            logger: of one logger and those below it, such as hostd.runtime; else of all.
        """
        request = pb.SetLogLevelRequest(namespace=self.namespace, level=level, logger=logger)
        return dict((self._ask(self.admin.SetLogLevel, request)).log_levels)

    def rotate_token(self) -> str:
        """Make a new token for the owner; return the file, on the daemon's machine, that holds it.

        The one before is refused from then on, from this client too: over TCP, make another one.
        """
        return (self._ask(self.admin.RotateToken, pb.RotateTokenRequest(namespace=self.namespace))).path

    def backup(self, path: str, *, on_progress: Callable[[int, int], None] | None = None) -> Backup:
        """Write a consistent copy of the journal while the daemon goes on.

        Args:
            path: a file on the daemon's machine that does not exist; relative names lie in <data>/backups.
            on_progress: called with the pages done and their number.
        """
        request = pb.BackupJournalRequest(namespace=self.namespace, path=path)
        last = pb.BackupJournalResponse()
        for last in self.stream(self.admin.BackupJournal, request):
            if on_progress is not None:
                on_progress(last.pages_done, last.pages_total)
        return result_of(Backup, last)

    def compact(self, *, on_progress: Callable[[Compaction], None] | None = None) -> Compaction:
        """Delete what retention lets go, now, while the daemon goes on; return what that did."""
        request = pb.CompactJournalRequest(namespace=self.namespace)
        last = pb.CompactJournalResponse()
        for last in self.stream(self.admin.CompactJournal, request):
            if on_progress is not None:
                on_progress(result_of(Compaction, last))
        return result_of(Compaction, last)

    # -- expressions and scripts

    def evaluate(self, expression: str, context: Any = None) -> Any:
        """Return what an expression is over values of your own: an object with a value for each root."""
        request = script_service_pb2.EvaluateExpressionRequest(
            namespace=self.namespace, expression=expression, context=payload_of({} if context is None else context)
        )
        return from_payload((self._ask(self.scripts.EvaluateExpression, request)).value)

    def evaluate_script(
        self, source: str, input: Any = None, *, limits: Mapping[str, int] | None = None
    ) -> EvaluatedScript:
        """Run a Lua script without capabilities; `limits` are lower ones, by name: cpu_ms, wall_ms, memory_bytes."""
        request = script_service_pb2.EvaluateScriptRequest(
            namespace=self.namespace,
            source=source,
            input=None if input is None else payload_of(input),
            limits=limits or {},
        )
        return self._result(EvaluatedScript, self.scripts.EvaluateScript, request)

    def validate_script(self, source: str) -> ValidatedScript:
        """Compile a Lua script and run nothing."""
        request = script_service_pb2.ValidateScriptRequest(namespace=self.namespace, source=source)
        return self._result(ValidatedScript, self.scripts.ValidateScript, request)
