"""The command `hostd`: the table of commands, and one way out for every error."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any, NoReturn

import click

from hostd.cli.lazy import Entry, LazyGroup, refuse_no_file
from hostd.cli.printing import tell
from hostd.cli.session import connection_options, output_options
from hostd.cli.terminal import WISHES
from hostd.values.version import VERSION

EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells say it
EXIT_BROKEN_PIPE = 141  # 128 + SIGPIPE

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 120}
COMMANDS = {
    "serve": Entry("hostd.cli.serving:serve", "Run the daemon."),
    "dev": Entry("hostd.cli.dev.command:dev", "Serve the workflows of a folder while you write them."),
    "init": Entry("hostd.cli.init:init", "Write a folder to begin with."),
    "run": Entry("hostd.cli.documents:run", "Run one workflow document here, without a daemon."),
    "validate": Entry("hostd.cli.documents:validate", "Check workflow documents, without a daemon."),
    "schema": Entry("hostd.cli.documents:schema", "Print the JSON Schema of workflow documents."),
    "expr": Entry("hostd.cli.documents:expr", "Evaluate an expression, without a daemon."),
    "script": Entry("hostd.cli.scripts:script", "Run and check Lua scripts, without a daemon."),
    "explain": Entry("hostd.cli.explain:explain", "Say what a reason, a key, an action or a trigger means."),
    "workflow": Entry("hostd.cli.workflows:workflow", "Register, activate and look at workflows."),
    "runs": Entry("hostd.cli.runs:runs", "Start, watch and steer runs."),
    "trigger": Entry("hostd.cli.trigger_tools:trigger", "Look at, pause, fire, try and fill in triggers."),
    "dead-letters": Entry("hostd.cli.dead_letters:dead_letters", "Events that could not be used."),
    "event": Entry("hostd.cli.events:event", "Publish events and subscribe to topics."),
    "secret": Entry("hostd.cli.secrets:secret", "Set, list and delete secrets."),
    "plugin": Entry("hostd.cli.plugins:plugin", "Look at plugins and what they provide."),
    "journal": Entry("hostd.cli.journal:journal", "Check, back up, restore and compact the journal."),
    "token": Entry("hostd.cli.tokens:token", "Look after the owner's token."),
    "namespace": Entry("hostd.cli.spaces:namespace", "Look at namespaces."),
    "cluster": Entry("hostd.cli.spaces:cluster", "Look at the peers."),
    "audit": Entry("hostd.cli.audit:audit", "Look at who changed what."),
    "doctor": Entry("hostd.cli.doctor:doctor", "Look for what keeps hostd from working here."),
    "config": Entry("hostd.cli.config:config", "Look at, check and reload the configuration."),
    "info": Entry("hostd.cli.serving:info", "Say what the daemon is and how it does."),
    "health": Entry("hostd.cli.serving:health", "Exit with 0 when the daemon serves."),
    "man": Entry("hostd.cli.man:man", "Print or write manual pages."),
    "completion": Entry("hostd.cli.completion:completion", "Print the completion script of a shell."),
}


_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)


class Root(LazyGroup):
    """The whole command. A reader that went away is no error, and `run` is told from `runs`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is named; of `hostd run list` say that `hostd runs list` is meant."""
        if args[0] == "run" and len(args) > 1 and not ctx.resilient_parsing:
            refuse_no_file(ctx, args[1:])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _read_by_nobody()
            return EXIT_BROKEN_PIPE
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            _read_by_nobody()
            raise _unwritable(error) from None
        return result


def _read_by_nobody() -> None:
    """Let what is still to be written go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unwritable(error: OSError) -> Exception:
    from hostd.errors.base import HostdError, Kind

    return HostdError(Kind.UNAVAILABLE, "OUTPUT_UNWRITABLE", f"standard output cannot be written: {error.strerror}")


@click.group(
    cls=Root, entries=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}
)
@click.version_option(VERSION, prog_name="hostd", message="%(prog)s %(version)s")
@output_options
@connection_options
def root(**_: Any) -> None:
    """hostd hosts plugins and runs durable workflows with them.

    Options that say where the daemon is, and how to print, may stand here or behind the command.
    """


def main() -> NoReturn:
    """Run the command line and exit."""
    _open_closed()
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what went wrong is told in our own words
    code = run(sys.argv[1:])
    if "hostd.client" in sys.modules and "hostd.daemon" not in sys.modules:
        # The connection is closed and everything written: taking grpc apart would be a tenth of the command's time.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _open_closed() -> None:
    """Open what was closed, as by `<&-`: nothing is read there, and what is written goes nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  for as long as the program runs


def run(arguments: list[str]) -> int:
    """Run the command line; return the exit code.

    0 is success, 1 a run that failed; errors have the codes of their kind (docs/reference/errors.md); 130 is Ctrl-C.
    """
    from hostd.errors.base import HostdError

    WISHES.forget()
    try:
        result = root.main(arguments, prog_name="hostd", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except HostdError as error:
        return _complain(error)
    except click.exceptions.NoArgsIsHelpError as error:
        tell(error.ctx.get_help())
        return error.exit_code
    except click.ClickException as error:
        return _usage(error)
    except (KeyboardInterrupt, click.Abort):
        return EXIT_INTERRUPTED
    except UnicodeEncodeError as error:
        return _no_text(arguments) or _bug(error)
    except Exception as error:  # noqa: BLE001  the last resort: nobody is to see a traceback
        return _bug(error)


def _complain(error: Any) -> int:
    from hostd.cli.complaints import complaint, exit_code

    _show_traceback()
    tell(complaint(error))
    return exit_code(error)


def _no_text(arguments: list[str]) -> int:
    """Complain of an argument whose bytes are not UTF-8, which has no place in a request; 0 where all are."""
    odd = next((each for each in arguments if not each.isascii() and not _is_text(each)), None)
    if odd is None:
        return 0
    tell(f"error: ARGUMENT_INVALID: the argument {os.fsencode(odd[:80])!r} is not UTF-8 text")
    return 2


def _is_text(text: str) -> bool:
    return text.encode("utf-8", "replace") == text.encode("utf-8", "surrogateescape")


def _usage(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    sentence = " ".join(error.format_message().split())  # a choice of words is listed in lines
    tell(f"error: ARGUMENT_INVALID: {sentence}")
    if context is not None:
        tell(f"fix: see `{context.command_path} --help`")
    return 2


def _bug(error: Exception) -> int:
    import secrets

    from hostd.errors.base import Kind
    from hostd.errors.codes import CODES

    ident = secrets.token_hex(6)
    _show_traceback()
    tell(f"error: BUG: a mistake in hostd: {type(error).__name__} (id {ident})")
    tell("fix: Report it with what HOSTD_DEBUG=1 prints in front of this.")
    return CODES[Kind.BUG].exit


def _show_traceback() -> None:
    if os.environ.get("HOSTD_DEBUG") == "1":
        import traceback

        traceback.print_exc()
