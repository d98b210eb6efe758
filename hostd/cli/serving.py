"""`hostd serve`, and what asks a daemon about itself: info, health."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostd.cli.given_path import GIVEN_PATH
from hostd.cli.lazy import Verb
from hostd.cli.session import Session, remote
from hostd.cli.tables import fields
from hostd.errors.base import HostdError, Kind, invalid
from hostd.errors.codes import CODES
from hostd.values.durations import parse_duration_ms
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import admin_service_pb2 as pb
else:
    pb = lazily("hostd.v1.admin_service_pb2")


WAIT_S = 0.1
ASK_S = 5.0
LOG_LEVELS = ("debug", "info", "warning", "error")


@click.command(cls=Verb)
@click.option("--data", metavar="DIR", help="Data folder; else HOSTD_DATA, else ~/.local/share/hostd.")
@click.option("--listen", metavar="ADDR", help="Address of the gRPC port (127.0.0.1:7420), or off.")
@click.option("--http", metavar="ADDR", help="Address of the HTTP port (127.0.0.1:7421), or off.")
@click.option("--config", "config_file", metavar="FILE", type=GIVEN_PATH,
              help="Configuration; else HOSTD_CONFIG, else hostd.yaml in the data folder.")  # fmt: skip
@click.option("--insecure", is_flag=True, help="Listen beyond loopback without TLS: tokens travel in the clear.")
@click.option("--accept-loss", is_flag=True, help="Start without acknowledged batches that the journal has lost.")
@click.option("--safe-mode", is_flag=True, help="Load built-in plugins only.")
@click.option("--memory", is_flag=True, help="Keep nothing: a journal in memory.")
@click.option("--log-level", type=click.Choice(LOG_LEVELS), help="Least severe level written.")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="How the daemon writes about itself.")
def serve(config_file: Path | None, **given: Any) -> int:
    """Run the daemon until SIGTERM or Ctrl-C, which let running attempts end; a second one stops it at once.

    Every other setting is in docs/reference/config.md: in the configuration file, or HOSTD_A__B in the environment.
    """
    gc.disable()  # until the daemon stands: what its start makes is there to stay, and looking through it costs a tenth
    try:
        from hostd.cli.local import run_daemon

        return run_daemon(config_flags(**given), config_file)
    finally:
        gc.enable()


def config_flags(
    *,
    data: str | None,
    listen: str | None,
    http: str | None,
    insecure: bool,
    accept_loss: bool,
    safe_mode: bool,
    memory: bool,
    log_level: str | None,
    log_format: str | None,
) -> dict[str, Any]:
    """Return flags by key of the configuration; None is not given."""
    return {
        "data": data,
        "listen": listen,
        "http.listen": http,
        "insecure": insecure or None,
        "journal.accept_loss": accept_loss or None,
        "journal.store": "memory" if memory else None,
        "plugins.safe_mode": safe_mode or None,
        "log.level": log_level,
        "log.format": log_format,
    }


@click.command(cls=Verb)
@remote
def info(session: Session) -> None:
    """Say what the daemon is and how it does."""
    request = pb.GetSystemInfoRequest(namespace=session.namespace)
    session.show(session.call(session.client.admin.GetSystemInfo, request), _info)


def _info(item: dict[str, Any]) -> str:
    journal, lua = item["journal"] or {}, item["lua"] or {}
    simple = [(name, value) for name, value in item.items() if name not in ("journal", "lua", "limits")]
    pairs = [
        *simple,
        *((f"journal.{name}", value) for name, value in journal.items()),
        *((f"lua.{name}", value) for name, value in lua.items()),
        *((f"limits.{name}", value) for name, value in sorted(item["limits"].items())),
    ]
    return fields(pairs)


@click.command(cls=Verb)
@click.option("--service", metavar="NAME", default="", help="One service, such as hostd.v1.RunService; else all.")
@click.option("--wait", "wait_ms", metavar="DURATION", default="0s", callback=lambda *given: _length(given[-1]),
              help="Wait so long until it serves, such as 30s: one that starts takes a while.")  # fmt: skip
@remote
def health(session: Session, service: str, wait_ms: int) -> int:
    """Exit with 0 when the daemon serves, with 9 when it does not, or nobody answers. Says why it takes no work."""
    until_s = time.monotonic() + wait_ms / 1000
    while not (serving := _serves(session, service, patient=time.monotonic() < until_s)):
        if time.monotonic() >= until_s:
            break
        time.sleep(WAIT_S)
    found = {"state": "SERVING"} if serving else {"state": "NOT_SERVING", "reason": _reason(session)}
    session.out.one(found, lambda item: " ".join(filter(None, item.values())))
    return 0 if serving else CODES[Kind.UNAVAILABLE].exit


def _length(text: str) -> int:
    try:
        return parse_duration_ms(text)
    except ValueError as error:
        raise invalid("ARGUMENT_INVALID", f"--wait: {error}") from None


def _serves(session: Session, service: str, *, patient: bool) -> bool:
    """Ask over a connection of its own: one that was refused waits before it tries again."""
    try:
        with session.again() as asking:
            return asking.client.is_serving(service)
    except HostdError as error:
        if patient and error.kind in (Kind.UNAVAILABLE, Kind.TIMEOUT):
            return False
        raise


def _reason(session: Session) -> str:
    """Return why the journal takes nothing, where that is what keeps the daemon from serving."""
    request = pb.GetSystemInfoRequest(namespace=session.namespace)
    try:
        return str(session.call(session.client.admin.GetSystemInfo, request, timeout_s=ASK_S).journal.unwritable)
    except HostdError:
        return ""  # whoever has no token may ask for health, and no more
