"""`hostd dev`: a folder of workflows, served while it is written."""

from __future__ import annotations

from pathlib import Path

import click

from hostd.cli.given_path import GIVEN_PATH
from hostd.cli.printing import Printer
from hostd.cli.session import local
from hostd.errors.base import invalid

LOG_LEVELS = ("debug", "info", "warning", "error")


@click.command()
@click.argument("folder", metavar="[FOLDER]", default=".", type=GIVEN_PATH)
@click.option("--memory", is_flag=True, help="Keep nothing: a journal in memory, and no folder .hostd.")
@click.option("--listen", metavar="ADDR", help="Address of the gRPC port; else 127.0.0.1:7420 where it is free.")
@click.option("--http", metavar="ADDR", help="Address of the HTTP port, or off; else 127.0.0.1:7421 where it is free.")
@click.option("--config", "config_file", metavar="FILE", type=GIVEN_PATH,
              help="Configuration; else hostd.yaml in the folder.")  # fmt: skip
@click.option("--log-level", type=click.Choice(LOG_LEVELS), help="Least severe level written into the log file.")
@local
def dev(
    out: Printer,
    folder: Path,
    memory: bool,
    listen: str | None,
    http: str | None,
    config_file: Path | None,
    log_level: str | None,
) -> int:
    """Serve the workflows of FOLDER, else of this one, while you write them.

    A daemon as of `hostd serve`, with its data in FOLDER/.hostd. Every document in the folder is registered, and again
    with every save; mistakes are shown with their line, and the version before stays active until they are mended.
    Plugins in FOLDER/plugins are served. Runs are shown as they happen. On a terminal, keys fire triggers, run the last
    run again and show its history: ? lists them. Ctrl-C or q ends it.
    """
    from hostd.cli.dev.inside import Wishes, prepare
    from hostd.cli.dev.workbench import work

    if out.form in ("json", "yaml"):
        raise invalid("ARGUMENT_INVALID", "dev writes for people; programs ask the daemon: `hostd runs list -o json`")
    place = folder.expanduser().absolute()
    if not place.is_dir():
        what = "is a file" if place.exists() else "does not exist"
        raise invalid("ARGUMENT_INVALID", f"the folder {folder} {what}; `hostd init {folder}` writes one to begin with")
    return work(place, prepare(place, Wishes(config_file, listen, http, memory, log_level)))
