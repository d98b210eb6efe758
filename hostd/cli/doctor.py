"""`hostd doctor`: what keeps hostd from working here, with a fix for each; with and without a daemon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from hostd.cli.complaints import fix_of
from hostd.cli.lazy import Verb
from hostd.cli.session import Session, remote
from hostd.cli.tables import clean, paint
from hostd.cli.terminal import colored, fitted_width
from hostd.cli.text_width import text_width
from hostd.errors.base import HostdError, Kind
from hostd.errors.codes import CODES
from hostd.values.lazily import lazily
from hostd.values.version import VERSION

if TYPE_CHECKING:
    from hostd.cli.local_checks import Finding
    from hostd.v1 import admin_service_pb2 as pb
    from hostd.v1 import plugin_service_pb2 as plugin_pb
else:
    pb = lazily("hostd.v1.admin_service_pb2")
    plugin_pb = lazily("hostd.v1.plugin_service_pb2")

EXIT_ILL = CODES[Kind.STATE].exit
ASK_S = 5.0
VERDICT_CHARS, MESSAGE_CHARS_MIN = len("remark"), 20
_WELL = ("LOADED", "ACTIVE")


@click.command(cls=Verb)
@remote
def doctor(session: Session) -> int:
    """Look for what keeps hostd from working here, with a daemon and without one.

    Looks at the data folder, disk, token, socket, ports, scripts, clock, journal and plugins. Each finding
    has its fix. Exits with 6 where something keeps it from working; remarks alone are no failure.
    """
    findings = list(_findings(session))
    session.out.many([finding._asdict() for finding in findings], listing)
    return EXIT_ILL if any(finding.verdict == "fault" for finding in findings) else 0


def _findings(session: Session) -> Iterator[Finding]:
    from hostd.cli import local_checks

    data = session.data_folder
    info, asked = _asked(session)
    yield local_checks.python()
    finding, config = local_checks.configuration(str(data))
    yield finding
    yield asked
    yield from local_checks.data_folder(data)
    yield local_checks.run_folder(data)
    yield local_checks.token(data)
    if config is not None:
        yield from local_checks.ports(config) if info is None else ()
        yield local_checks.scripts(config)
    yield local_checks.clock()
    if info is None:
        yield local_checks.journal(data)
        return
    yield local_checks.served("grpc", info.grpc_address)
    yield local_checks.served("http", info.http_address)
    yield from _daemon(info)
    yield from _plugins(session)


def _asked(session: Session) -> tuple[pb.SystemInfo | None, Finding]:
    """Return what the daemon says of itself, and whether it answers. One that runs is not needed for most."""
    from hostd.cli.local_checks import Finding

    request = pb.GetSystemInfoRequest(namespace=session.namespace)
    try:
        info = session.call(session.client.admin.GetSystemInfo, request, timeout_s=ASK_S)
    except HostdError as error:
        if error.reason == "UNREACHABLE":
            return None, Finding("daemon", "remark", f"no daemon answers at {session.door.address}", "`hostd serve`")
        return None, Finding("daemon", "fault", f"{error.reason}: {error.message}", f"`hostd explain {error.reason}`")
    return info, Finding("daemon", "ok", f"{info.version} answers at {session.door.address}")


def _daemon(info: pb.SystemInfo) -> Iterator[Finding]:
    from hostd.cli.local_checks import Finding

    if info.version != VERSION:
        text = f"the daemon is {info.version}, this command {VERSION}"
        yield Finding("version", "remark", text, "restart the daemon, or use the command of its version")
    if info.journal.unwritable:
        reason = info.journal.unwritable
        yield Finding(
            "journal", "fault", f"it cannot be written: {reason}", fix_of(reason) or f"`hostd explain {reason}`"
        )
    else:
        yield Finding("journal", "ok", f"{info.journal.kind} {info.journal.path}".strip() + " can be written")


def _plugins(session: Session) -> Iterator[Finding]:
    from hostd.cli.local_checks import Finding
    from hostd.cli.plain import plain

    request = plugin_pb.ListPluginsRequest(namespace=session.namespace)
    found = [plain(item) for item in session.call(session.client.plugins.ListPlugins, request).plugins]
    ill: list[Any] = [item for item in found if item["state"] not in _WELL]
    for item in ill:
        verdict = "remark" if item["state"] == "DISABLED" else "fault"
        text = f"{item['id']} is {item['state']}: {item['reason']} {item['message']}"
        yield Finding("plugin", verdict, " ".join(text.split()), f"`hostd plugin show {item['id']}`")  # type: ignore[arg-type]
    if not ill:
        yield Finding("plugin", "ok", f"all {len(found)} are loaded")


def listing(found: list[Any]) -> str:
    """Return a line for each check, and its fix below: long ones are wrapped, for a fix that is cut is none."""
    indent = max(len(item["check"]) for item in found) + 2
    lines = []
    for item in found:
        verdict = f"{item['verdict']:<{VERDICT_CHARS}}"
        head = f"{item['check']:<{indent}}{paint(verdict) if colored() else verdict}  "
        behind = indent + VERDICT_CHARS + 2
        lines.append(head + _wrapped(item["message"], behind))
        if item["fix"]:
            lines.append(" " * behind + _wrapped(f"fix: {item['fix']}", behind))
    return "\n".join(lines)


def _wrapped(text: str, indent: int) -> str:
    """Return a text in as many lines as the terminal asks for, each but the first indented."""
    said, room = clean(" ".join(text.split())), fitted_width()
    if room is None or indent + text_width(said) <= room:
        return said
    import textwrap

    lines = textwrap.wrap(said, max(MESSAGE_CHARS_MIN, room - indent), break_long_words=False, break_on_hyphens=False)
    return ("\n" + " " * indent).join(lines)
