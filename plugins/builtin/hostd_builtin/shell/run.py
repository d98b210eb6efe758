"""`shell.run`: one program with its arguments, never through a shell."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import ExitStack

from hostd.plugin import (
    Action,
    ActionContext,
    ActionError,
    HostdError,
    JsonValue,
    Kind,
    ProvisionContext,
    dump_json,
    parse_json,
)
from hostd_builtin.file.failures import told
from hostd_builtin.file.roots import Roots, is_supported
from hostd_builtin.shell.codes import CODES
from hostd_builtin.shell.options import RunOptions, ShellSettings
from hostd_builtin.shell.running import Ended, NotStarted, Order, run_program

TOLD_CHARS = 4_000


class Run(Action[RunOptions]):
    """Runs a program and returns `{exit_code, stdout, stderr, truncated}`."""

    id, since, stability, effects, executors = "shell.run", "0.1", "stable", "at_most_once", ("inline",)
    Settings = ShellSettings
    codes = CODES
    max_in_flight = 16

    async def provision(self, ctx: ProvisionContext) -> None:
        """Take what the operator permits."""
        settings: ShellSettings = self.settings
        if not is_supported() or not hasattr(os, "posix_spawn"):
            message = "shell.run needs process groups and open folders, which this system does not have"
            raise HostdError(Kind.UNSUPPORTED, "PLUGIN_FAILED", message)
        self._roots = await asyncio.to_thread(Roots, settings.roots, "plugins.settings.shell.roots")

    async def run(self, ctx: ActionContext, options: RunOptions) -> JsonValue:
        """Run it to its end; a cancel ends it.

        Raises:
            ActionError: NOT_ALLOWED, NOT_FOUND, NOT_STARTED, ARGUMENT_REFUSED, PATH_DENIED, EXIT_<code>,
                SIGNAL_<name>, TIMEOUT, OUTPUT_INVALID.
        """
        program = await asyncio.to_thread(self._program, options.command[0])
        order = Order(
            program=program,
            arguments=_arguments(options),
            env=self._env(ctx, options),
            stdin=_stdin(options.stdin),
            timeout_s=options.timeout.total_seconds(),
            kill_after_s=options.kill_after.total_seconds(),
            output_bytes=options.max_output,
        )
        with ExitStack() as stack:
            folder = await asyncio.to_thread(self._folder, stack, options.cwd)
            try:
                ended = await run_program(order._replace(folder=folder))
            except NotStarted as error:
                raise ActionError(f"{program} cannot be started: {error}", code="NOT_STARTED") from None
        return _judged(options, ended)

    def _program(self, name: str) -> str:
        """Return the path of a program that may be run. Raises ActionError NOT_ALLOWED, NOT_FOUND."""
        settings: ShellSettings = self.settings
        allow = settings.allow
        setting = "the operator's setting `plugins.settings.shell.allow`"
        if allow is False or allow == []:
            raise ActionError(f"no program may be run; {setting} is off: list there what may run", code="NOT_ALLOWED")
        path = shutil.which(name, path=settings.path)
        if allow is not True and name not in allow and path not in allow:
            raise ActionError(f"{name} is not among the programs of {setting}", code="NOT_ALLOWED")
        if path is None:
            raise ActionError(f"there is no program {name} in {settings.path}", code="NOT_FOUND")
        return path

    def _env(self, ctx: ActionContext, options: RunOptions) -> dict[str, str]:
        settings: ShellSettings = self.settings
        passed = {name: os.environ[name] for name in settings.pass_env if name in os.environ}
        told_of = {"HOSTD_RUN_ID": ctx.run_id, "HOSTD_STEP": ctx.step, "HOSTD_IDEMPOTENCY_KEY": ctx.idempotency_key}
        return {"PATH": settings.path, "LANG": "C.UTF-8", **passed, **told_of, **options.env}

    def _folder(self, stack: ExitStack, cwd: str) -> int:
        """Open the folder to run in. Raises ActionError PATH_DENIED, NOT_FOUND."""
        settings: ShellSettings = self.settings
        if not cwd and not settings.roots:
            folder = os.open("/", os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, folder)
            return folder
        with told(cwd or settings.roots[0]):
            return stack.enter_context(self._roots.folder(cwd or settings.roots[0]))[0]


def _arguments(options: RunOptions) -> list[str]:
    given = [_argument(value) for value in options.arguments]
    if not options.allow_options and options.command[-1] != "--":
        for at, text in enumerate(given):
            if text.startswith("-"):
                message = (
                    f"arguments[{at}] begins with `-`, and the program would take it for an option; end `command` with "
                    "`--`, or say `allow_options: true`"
                )
                raise ActionError(message, code="ARGUMENT_REFUSED")
    return [*options.command[1:], *given]


def _argument(value: str | float | bool) -> str:
    return value if isinstance(value, str) else dump_json(value).decode()


def _stdin(value: JsonValue) -> bytes:
    if value is None:
        return b""
    return value.encode() if isinstance(value, str) else dump_json(value)


def _judged(options: RunOptions, ended: Ended) -> JsonValue:
    stderr = ended.stderr.data.decode("utf-8", "replace")
    details: dict[str, JsonValue] = {
        "exit_code": ended.exit_code,
        "stdout": ended.stdout.data[-TOLD_CHARS:].decode("utf-8", "replace"),
        "stderr": stderr[-TOLD_CHARS:],
    }
    name = options.command[0]
    if ended.timed_out:
        message = f"{name} took longer than {options.timeout.total_seconds():g} s and was ended"
        raise ActionError(message, code="TIMEOUT", retryable=True, details=details)
    if ended.signal:
        word = _signal_name(ended.signal)
        raise ActionError(f"{name} was ended by {word}", code=f"SIGNAL_{word}", retryable=True, details=details)
    if ended.exit_code not in options.success_codes:
        last = stderr.strip().rpartition("\n")[2][:300]
        message = f"{name} ended with exit code {ended.exit_code}" + (f": {last}" if last else "")
        retryable = ended.exit_code in options.retryable_codes
        raise ActionError(message, code=f"EXIT_{ended.exit_code}", retryable=retryable, details=details)
    return {
        "exit_code": ended.exit_code,
        "stdout": _parsed(options, ended),
        "stderr": stderr,
        "truncated": {"stdout": ended.stdout.truncated, "stderr": ended.stderr.truncated},
    }


def _parsed(options: RunOptions, ended: Ended) -> JsonValue:
    text = ended.stdout.data.decode("utf-8", "replace")
    if options.parse == "text":
        return text
    if options.parse == "lines":
        return list(text.splitlines())
    if ended.stdout.truncated:
        message = f"stdout has more than max_output, {options.max_output} bytes, and is no JSON when cut"
        raise ActionError(message, code="OUTPUT_INVALID")
    try:
        return parse_json(ended.stdout.data)
    except HostdError as error:
        raise ActionError(f"stdout: {error.message}", code="OUTPUT_INVALID") from None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
