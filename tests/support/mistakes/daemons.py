"""Mistakes in starting a daemon: its configuration, its ports, its data folder and its disk."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from commands import CommandDaemon
from mistakes.commands_and_clients import ORDER
from mistakes.kit import Stage, mistake

PART = "Starting the daemon"


@mistake(PART)
def port_in_use(stage: Stage) -> None:
    """A port that another program has.

    Most often another daemon, on its own data folder.
    """
    stage.also(stage.daemon.http, "127.0.0.1:7421")
    stage.serve("--data", "data", "--listen", stage.daemon.listen)
    stage.serve("--data", "data", "--http", stage.daemon.http)


@mistake(PART)
def data_folder_in_use(stage: Stage) -> None:
    """A data folder that another daemon has.

    One daemon a folder: two would write one journal.
    """
    stage.serve("--data", str(stage.daemon.data))


@mistake(PART)
def bad_listen_address(stage: Stage) -> None:
    """An address that is none, or not of this machine.

    The daemon can only listen on addresses of its own machine.
    """
    stage.serve("--data", "data", "--listen", "7420")
    stage.serve("--data", "data", "--listen", "192.0.2.1:7420", "--insecure")


@mistake(PART)
def insecure_listen(stage: Stage) -> None:
    """Listening to the whole network without TLS.

    The token would be readable on the way.
    """
    stage.serve("--data", "data", "--listen", "0.0.0.0:7420")


@mistake(PART)
def unknown_config_key(stage: Stage) -> None:
    """A key that is not there in the configuration.

    Misspelt, or in the wrong section.
    """
    stage.file("hostd.yaml", "listen: 127.0.0.1:7420\nhttp:\n  prot: 7421\nretension:\n  runs: 30d\n")
    stage.serve("--data", "data", "--config", "hostd.yaml")


@mistake(PART)
def bad_config_value(stage: Stage) -> None:
    """A value that a key of the configuration does not take.

    Every mistake is listed, with its line.
    """
    stage.file("hostd.yaml", "http:\n  body_max: 1 megabyte\n  connections_max: 0\nlimits:\n  threads: many\n")
    stage.hostd("config", "check", "hostd.yaml")
    stage.serve("--data", "data", HOSTD_LIMITS__THREADS="many")


@mistake(PART)
def config_that_is_no_yaml(stage: Stage) -> None:
    """A configuration with a tab.

    YAML takes only spaces for indenting.
    """
    stage.file("hostd.yaml", "http:\n\tlisten: 127.0.0.1:7421\n")
    stage.hostd("config", "check", "hostd.yaml")


@mistake(PART)
def config_file_missing(stage: Stage) -> None:
    """A configuration that is not there.

    A file that was named has to be there; one that was not need not.
    """
    stage.file("hostd.yaml", "http:\n  listen: 127.0.0.1:7421\n", shown=False)
    stage.serve("--data", "data", "--config", "hsotd.yaml")


@mistake(PART)
def unset_variable(stage: Stage) -> None:
    """A variable in the configuration that is not set.

    As a service a daemon has another environment than your shell.
    """
    stage.file("hostd.yaml", "listen: 127.0.0.1:${HOSTD_PORT_OF_MINE}\n")
    stage.hostd("config", "check", "hostd.yaml")


@mistake(PART)
def certificate_missing(stage: Stage) -> None:
    """A certificate that is not there, and one without its key.

    Both are PEM files that the daemon has to be allowed to read.
    """
    stage.file("hostd.yaml", "tls:\n  certificate: host.pem\n  key: host.key\n")
    stage.hostd("config", "check", "hostd.yaml")
    stage.file("half.yaml", "tls:\n  certificate: host.pem\n")
    stage.hostd("config", "check", "half.yaml")


@mistake(PART)
def read_only_data_folder(stage: Stage) -> None:
    """A data folder that cannot be written.

    It belongs to another user, or the file system is read-only.
    """
    (stage.folder / "data").mkdir(mode=0o500)
    stage.serve("--data", "data")
    (stage.folder / "data").chmod(0o700)


@mistake(PART)
def data_folder_is_a_file(stage: Stage) -> None:
    """A file where the data folder should be.

    `--data` names the folder, not the journal in it.
    """
    stage.file("data", "", shown=False)
    stage.serve("--data", "data")


@mistake(PART)
def journal_of_a_newer_version(stage: Stage) -> None:
    """A journal that a newer hostd wrote.

    Migrations go forward only: a daemon does not guess what a newer one meant.
    """
    data = kept(stage)
    with closing(sqlite3.connect(data / "journal.db")) as journal, journal:
        journal.execute("INSERT INTO schema_migrations VALUES (9999, 'later', 'x')")
    stage.serve("--data", "data")


@mistake(PART)
def journal_is_no_journal(stage: Stage) -> None:
    """A journal that is damaged.

    Overwritten, or copied while the daemon ran: `hostd journal backup` copies it well.
    """
    data = kept(stage)
    (data / "journal.db").write_bytes(b"not a journal, but a text\n" * 400)
    for extra in data.glob("journal.db-*"):
        extra.unlink()
    stage.serve("--data", "data")


@mistake(PART)
def journal_went_away(stage: Stage) -> None:
    """A journal that was deleted.

    The daemon remembers beside it what was acknowledged, and does not begin anew in silence.
    """
    data = kept(stage)
    for file in ("journal.db", "journal.db-wal", "journal.db-shm"):
        (data / file).unlink(missing_ok=True)
    stage.serve("--data", "data")


def kept(stage: Stage) -> Path:
    """Return a data folder that a daemon used and left: made once, copied for each who asks."""
    template = stage.daemon.folder / "template"
    if not template.exists():
        daemon = CommandDaemon(stage.daemon.folder / "making")
        daemon.folder.mkdir()
        with closing(daemon):
            daemon.start()
            daemon.register(ORDER)
            daemon.stop()
        shutil.copytree(daemon.data, template, ignore=shutil.ignore_patterns("run"))
    return Path(shutil.copytree(template, stage.folder / "data"))


@mistake(PART)
def full_disk(stage: Stage) -> None:
    """A disk without space.

    What was acknowledged stays; nothing new is, until there is space again.
    """
    disk = stage.folder / "disk"
    with small_disk(disk):
        daemon = CommandDaemon(disk)
        daemon.log = stage.folder / "daemon.log"
        with closing(daemon):
            daemon.start()
            daemon.register(ORDER)
            fill(disk)
            large = json.dumps({"amount": 1, "note": "x" * 500_000})
            stage.file("input.json", large, shown=False)
            stage.until_refused("runs", "start", "order", "--input", "@input.json", HOSTD_DATA=str(daemon.data))
            daemon.stop()
        fill(disk)
        stage.serve("--data", "disk/other")


def fill(disk: Path) -> None:
    """Leave nothing free."""
    with (disk / "ballast").open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a file system of a few MiB; skips the test where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
