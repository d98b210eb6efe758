"""`hostd serve`, and what asks a daemon about itself: info, health."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostd.cli.given_path import GIVEN_PATH
from hostd.cli.lazy import Verb
from hostd.cli.session import Session, remote
from hostd.cli.tables import fields
from hostd.errors.base import Kind
from hostd.errors.codes import CODES
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import admin_service_pb2 as pb
else:
    pb = lazily("hostd.v1.admin_service_pb2")


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
@remote
def health(session: Session, service: str) -> int:
    """Exit with 0 when the daemon serves, with 9 when it does not, or nobody answers."""
    serving = session.client.is_serving(service)
    word = "SERVING" if serving else "NOT_SERVING"
    session.out.one({"state": word}, lambda item: item["state"])
    return 0 if serving else CODES[Kind.UNAVAILABLE].exit
