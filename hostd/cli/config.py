"""`hostd config`: what a daemon is or would be configured with, and changing it while it runs."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostd.cli.complaints import violation_line
from hostd.cli.given_path import GIVEN_PATH
from hostd.cli.lazy import Noun
from hostd.cli.printing import Printer, warn, write
from hostd.cli.session import Session, local, remote
from hostd.cli.tables import cell, clean, columns
from hostd.errors.base import HostdError, Kind, invalid
from hostd.errors.codes import CODES
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import admin_service_pb2 as pb
else:
    pb = lazily("hostd.v1.admin_service_pb2")

EXIT_INVALID = CODES[Kind.INVALID].exit
EVERYTHING = "(everything else)"


@click.group(cls=Noun)
def config() -> None:
    """Look at, check and reload the configuration."""


def _file_option(command: Any) -> Any:
    return click.option(
        "--config",
        "config_file",
        metavar="FILE",
        type=GIVEN_PATH,
        help="Configuration; else HOSTD_CONFIG, else hostd.yaml in the data folder.",
    )(command)


@config.command(name="show")
@_file_option
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@click.option("--running", is_flag=True, help="Ask the daemon what holds in it, which may be older than the file.")
@remote
def show_config(session: Session, config_file: Path | None, origin: bool, running: bool) -> None:
    """Check the configuration and print every value that `hostd serve` would use; secrets are ***."""
    values = _values(session, config_file, running=running)
    if session.out.form == "table":
        heads = ("KEY", "VALUE", "ORIGIN") if origin else ("KEY", "VALUE")
        rows = [(item["key"], item["value"], _origin(item))[: len(heads)] for item in values]
        session.out.many(rows, lambda rows: columns(heads, rows))
        return
    left_out = set() if origin else {"origin"}
    shown = [{name: value for name, value in item.items() if name not in left_out} for item in values]
    session.out.many(shown, lambda _: "")


@config.command(name="get")
@click.argument("key", metavar="KEY")
@_file_option
@click.option("--running", is_flag=True, help="Ask the daemon what holds in it, which may be older than the file.")
@remote
def get_config(session: Session, key: str, config_file: Path | None, running: bool) -> None:
    """Print the value of KEY, such as limits.threads, that `hostd serve` would use; a secret is ***."""
    values = {item["key"]: item["value"] for item in _values(session, config_file, running=running)}
    if key not in values:
        near = difflib.get_close_matches(key, list(values), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise invalid("ARGUMENT_INVALID", f"{key[:100]!r} is not a key of the configuration{hint}")
    session.out.one(values[key], cell)


def _values(session: Session, config_file: Path | None, *, running: bool) -> list[dict[str, Any]]:
    """Return every key with value and origin, as the daemon holds them or as one would start."""
    if running:
        if config_file is not None:
            raise invalid("ARGUMENT_INVALID", "--running asks the daemon; --config reads a file")
        from hostd.cli.plain import plain

        request = pb.GetConfigRequest(namespace=session.namespace)
        answer = plain(session.call(session.client.admin.GetConfig, request))
        values: list[dict[str, Any]] = answer["values"]
        return values
    from hostd.cli.local import configuration

    return configuration({"data": session.given("data")}, config_file)


def _origin(item: dict[str, Any]) -> str:
    return f"{item['origin']} (another value waits for a restart)" if item.get("restart_needed") else item["origin"]


@config.command(name="check")
@click.argument("file", metavar="[FILE]", required=False, type=GIVEN_PATH)
@click.option("--data", metavar="DIR", help="Data folder; else HOSTD_DATA, else ~/.local/share/hostd.")
@local
def check_config(out: Printer, file: Path | None, data: str | None) -> int:
    """Check FILE, or what `hostd serve` would read, with the environment; exit with 2 if there are mistakes.

    Settings of built-in and installed plugins and the files that `tls` names are checked, too. No daemon is needed.
    Prints FILE:LINE:COL key: REASON message (suggestion), one line a mistake, all of them.
    """
    from hostd.cli.local import check_configuration

    found = check_configuration({"data": data}, file)
    for warning in found.warnings:
        warn(f"warning: {clean(warning)}")
    out.many([fault._asdict() for fault in found.mistakes], lambda _: "\n".join(map(violation_line, found.mistakes)))
    if found.mistakes:
        return EXIT_INVALID
    if out.form == "table":
        warn(f"{found.file or 'no file, only the environment and defaults'}: no mistakes")
    return 0


@config.command(name="reload")
@remote
def reload_config(session: Session) -> None:
    """Let the daemon read its configuration again: it changes what needs no restart, and names what does.

    A configuration with a mistake changes nothing; every mistake is printed. SIGHUP does the same.
    """
    request = pb.ReloadConfigRequest(namespace=session.namespace)
    try:
        answer = session.call(session.client.admin.ReloadConfig, request)
    except HostdError as error:
        file = error.details.get("file", "")  # faults have no room for it on the wire
        placed = (fault._replace(file=file) if fault.line and not fault.file else fault for fault in error.violations)
        error.violations = tuple(placed)
        raise
    session.show(answer, _changes)


def _changes(item: dict[str, Any]) -> str:
    rows = [
        (change["key"], change["before"], change["after"], "needs a restart" if change["restart_needed"] else "changed")
        for change in item["changes"]
    ]
    return columns(("KEY", "BEFORE", "AFTER", ""), rows) or "nothing differs from what holds"


@config.command(name="log-level")
@click.argument("levels", metavar="[LEVEL | LOGGER=LEVEL]...", nargs=-1)
@click.option("--reset", is_flag=True, help="First go back to what is configured, for all loggers.")
@remote
def log_level(session: Session, levels: tuple[str, ...], reset: bool) -> None:
    """Change how much the daemon logs until it ends, and print what was changed since its start.

    LEVEL is debug, info, warning or error and holds for everything; LOGGER=LEVEL, such as hostd.runtime=debug, for one
    logger and those below it; LOGGER= goes back to what is configured.
    """
    asked = [level.rpartition("=") for level in levels]
    requests = [("", "")] if reset else []
    requests += [(logger, level) for logger, _, level in asked]
    changed = None
    for logger, level in requests:
        request = pb.SetLogLevelRequest(namespace=session.namespace, logger=logger, level=level)
        changed = session.call(session.client.admin.SetLogLevel, request).log_levels
    if changed is None:
        changed = session.call(session.client.admin.GetConfig, pb.GetConfigRequest()).log_levels
    session.out.one({"log_levels": dict(changed)}, _levels)


def _levels(item: dict[str, Any]) -> str:
    rows = [(logger or EVERYTHING, level) for logger, level in sorted(item["log_levels"].items())]
    return columns(("LOGGER", "LEVEL"), rows) or "as configured (`hostd config get log.level --running`)"


@config.command(name="schema")
def config_schema() -> None:
    """Print the JSON Schema of hostd.yaml, for editors."""
    from hostd.cli.local_documents import schema_text

    write(schema_text("config"))
