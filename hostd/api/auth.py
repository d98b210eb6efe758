"""Who may do what: the owner's token, the trusted Unix socket, and one place that every call is authorized in."""

from __future__ import annotations

import hmac
import logging
import os
import secrets
from pathlib import Path
from typing import Protocol

from hostd.errors.base import HostdError, Kind, invalid

_log = logging.getLogger("hostd.api")

OWNER = "owner"
TOKEN_CHARS_MIN = 32
TOKEN_CHARS_MAX = 512

# Verb of every rpc. Those that run code sent with the request stand apart from those that start what is registered.
VERBS: dict[str, str] = {
    "/hostd.v1.WorkflowService/RegisterWorkflow": "workflow.register",
    "/hostd.v1.WorkflowService/ActivateWorkflow": "workflow.activate",
    "/hostd.v1.WorkflowService/ValidateWorkflow": "workflow.validate",
    "/hostd.v1.WorkflowService/GetWorkflow": "workflow.get",
    "/hostd.v1.WorkflowService/ListWorkflows": "workflow.list",
    "/hostd.v1.WorkflowService/ListWorkflowVersions": "workflow.list",
    "/hostd.v1.WorkflowService/DiffWorkflowVersions": "workflow.get",
    "/hostd.v1.WorkflowService/DeleteWorkflow": "workflow.delete",
    "/hostd.v1.RunService/StartRun": "run.start",
    "/hostd.v1.RunService/StartRuns": "run.start",
    "/hostd.v1.RunService/ExecuteRun": "run.start",
    "/hostd.v1.RunService/GetRun": "run.get",
    "/hostd.v1.RunService/ListRuns": "run.list",
    "/hostd.v1.RunService/CountRuns": "run.list",
    "/hostd.v1.RunService/GetRunHistory": "run.get",
    "/hostd.v1.RunService/WatchRun": "run.get",
    "/hostd.v1.RunService/WatchRuns": "run.list",
    "/hostd.v1.RunService/GetLogs": "run.get",
    "/hostd.v1.RunService/TailLogs": "run.get",
    "/hostd.v1.RunService/ReadBlob": "blob.read",
    "/hostd.v1.RunService/SignalRun": "run.signal",
    "/hostd.v1.RunService/SignalWithStart": "run.start",
    "/hostd.v1.RunService/CancelRun": "run.cancel",
    "/hostd.v1.RunService/TerminateRun": "run.terminate",
    "/hostd.v1.RunService/PauseRun": "run.pause",
    "/hostd.v1.RunService/ResumeRun": "run.resume",
    "/hostd.v1.RunService/DeleteRun": "run.delete",
    "/hostd.v1.TriggerService/ListTriggers": "trigger.list",
    "/hostd.v1.TriggerService/GetTrigger": "trigger.get",
    "/hostd.v1.TriggerService/PauseTrigger": "trigger.pause",
    "/hostd.v1.TriggerService/ResumeTrigger": "trigger.resume",
    "/hostd.v1.TriggerService/FireTrigger": "trigger.fire",
    "/hostd.v1.TriggerService/CreateTrigger": "trigger.create",
    "/hostd.v1.TriggerService/DeleteTrigger": "trigger.delete",
    "/hostd.v1.TriggerService/TestTrigger": "trigger.test",
    "/hostd.v1.TriggerService/PreviewSchedule": "trigger.preview",
    "/hostd.v1.TriggerService/BackfillTrigger": "trigger.fire",
    "/hostd.v1.TriggerService/WatchTriggers": "trigger.list",
    "/hostd.v1.DeadLetterService/ListDeadLetters": "dead_letter.list",
    "/hostd.v1.DeadLetterService/GetDeadLetter": "dead_letter.get",
    "/hostd.v1.DeadLetterService/RedriveDeadLetters": "dead_letter.redrive",
    "/hostd.v1.DeadLetterService/PurgeDeadLetters": "dead_letter.purge",
    "/hostd.v1.EventService/PublishEvents": "event.publish",
    "/hostd.v1.EventService/SubscribeEvents": "event.subscribe",
    "/hostd.v1.EventService/ListEventTypes": "event.list",
    "/hostd.v1.PluginService/ListPlugins": "plugin.list",
    "/hostd.v1.PluginService/GetPlugin": "plugin.get",
    "/hostd.v1.PluginService/WatchPlugins": "plugin.list",
    "/hostd.v1.PluginService/ReloadPlugin": "plugin.reload",
    "/hostd.v1.PluginService/GetComponentSchema": "plugin.get",
    "/hostd.v1.PluginService/InstallPlugin": "plugin.install",
    "/hostd.v1.PluginService/UninstallPlugin": "plugin.uninstall",
    "/hostd.v1.PluginService/EnablePlugin": "plugin.enable",
    "/hostd.v1.PluginService/DisablePlugin": "plugin.disable",
    "/hostd.v1.PluginService/RollbackPlugin": "plugin.rollback",
    "/hostd.v1.ScriptService/ValidateScript": "code.validate",
    "/hostd.v1.ScriptService/EvaluateScript": "code.run",
    "/hostd.v1.ScriptService/EvaluateExpression": "code.run",
    "/hostd.v1.SecretService/SetSecret": "secret.set",
    "/hostd.v1.SecretService/ListSecrets": "secret.list",
    "/hostd.v1.SecretService/DeleteSecret": "secret.delete",
    "/hostd.v1.SecretService/RotateSecretsKey": "secret.rotate",
    "/hostd.v1.AdminService/GetSystemInfo": "system.get",
    "/hostd.v1.AdminService/BackupJournal": "journal.backup",
    "/hostd.v1.AdminService/CompactJournal": "journal.compact",
    "/hostd.v1.AdminService/RotateToken": "token.rotate",
    "/hostd.v1.AdminService/ListNamespaces": "namespace.list",
    "/hostd.v1.AdminService/ListAuditEvents": "audit.list",
    "/hostd.v1.AdminService/GetConfig": "config.get",
    "/hostd.v1.AdminService/ReloadConfig": "config.reload",
    "/hostd.v1.AdminService/SetLogLevel": "log.set_level",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": "system.reflect",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": "system.reflect",
}


class Policy(Protocol):
    """Decides whether a principal may do something. Called once for every call."""

    def authorize(self, principal: str, verb: str, resource: str) -> None:
        """Return where it may, else raise HostdError ACCESS_DENIED.

        Args:
            verb: `noun.verb`, as in VERBS.
            resource: the namespace that is asked about; empty where there is none.
        """
        ...


class OwnerPolicy:
    """The first policy, of one rule: the owner may everything, nobody else anything."""

    def authorize(self, principal: str, verb: str, resource: str) -> None:
        """Raise ACCESS_DENIED for anybody but the owner."""
        if principal != OWNER:
            message = f"{principal or 'nobody'} may not {verb}"
            raise HostdError(Kind.DENIED, "ACCESS_DENIED", message, details={"verb": verb, "namespace": resource})


class OwnerToken:
    """The one token there is: compared in constant time, never logged. All doors share it, and so a new one.

    Args:
        file: where it is kept.
    """

    def __init__(self, token: str, file: Path) -> None:
        self._token = b""
        self._file = file
        self.replace(token)

    def renew(self) -> str:
        """Put a new token into the file and take it, in place of the one before; return the file. Blocks.

        Raises:
            HostdError: JOURNAL_READ_ONLY where the file cannot be written; the token is then the one it was.
        """
        try:
            self.replace(new_owner_token(self._file))
        except OSError as error:
            message = f"{self._file} cannot be written: {error.strerror}; the token is the one it was"
            raise HostdError(Kind.UNAVAILABLE, "JOURNAL_READ_ONLY", message) from None
        return str(self._file)

    def replace(self, token: str) -> None:
        """Take another token; the one before is refused from now on."""
        if not token:
            raise invalid("CONFIG_INVALID", "the owner's token is empty, which would let nobody or anybody in")
        self._token = token.encode()

    def __call__(self, token: str) -> bool:
        """Say whether a bearer token is the owner's."""
        return hmac.compare_digest(self._token, token.encode("utf-8", "replace"))


def principal_of(authorization: str, is_owner: OwnerToken) -> str:
    """Return who sent an `authorization` header. Raises HostdError TOKEN_MISSING, TOKEN_INVALID."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        message = "send `authorization: Bearer ...` with the owner's token"
        raise HostdError(Kind.UNAUTHENTICATED, "TOKEN_MISSING", message)
    if not is_owner(token.strip()):
        raise HostdError(Kind.UNAUTHENTICATED, "TOKEN_INVALID", "the token is not known")
    return OWNER


def owner_token(path: Path) -> str:
    """Return the owner's token from its file (0600), which the first start writes.

    Raises:
        HostdError: CONFIG_INVALID for a file that holds no token or belongs to somebody else.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return _read_token(path)
    return _write_token(handle)


def new_owner_token(path: Path) -> str:
    """Put a new token into the file, whole or not at all; return it. Raises OSError."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    token = _write_token(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    fresh.replace(path)
    return token


def _write_token(handle: int) -> str:
    token = secrets.token_urlsafe(32)
    with os.fdopen(handle, "w") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    return token


def _read_token(path: Path) -> str:
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise invalid(
            "CONFIG_INVALID", f"{path} belongs to another user; remove it, and the next start writes a new one"
        )
    if found.st_mode & 0o077:
        _log.warning("token_file_was_open path=%s mode=%s now=%s", path, f"{found.st_mode & 0o777:o}", "600")
        path.chmod(0o600)
    token = path.read_text("utf-8", "replace").strip()
    if not TOKEN_CHARS_MIN <= len(token) <= TOKEN_CHARS_MAX or not (token.isascii() and token.isprintable()):
        message = f"{path} holds no token of {TOKEN_CHARS_MIN} to {TOKEN_CHARS_MAX} characters; remove it for a new one"
        raise invalid("CONFIG_INVALID", message)
    return token
