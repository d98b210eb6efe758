"""`hostd journal`: check, back up, restore and compact the durable store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hostd.cli.completing import complete_files
from hostd.cli.lazy import Noun
from hostd.cli.printing import Printer, say, warn
from hostd.cli.progress import Progress
from hostd.cli.session import Session, local, remote
from hostd.cli.tables import fields
from hostd.errors.base import Kind
from hostd.errors.codes import CODES
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import admin_service_pb2 as pb
else:
    pb = lazily("hostd.v1.admin_service_pb2")

JOURNAL = "journal.db"


@click.group(cls=Noun)
def journal() -> None:
    """Check, back up, restore and compact the journal."""


@journal.command()
@click.argument("file", required=False, metavar="[FILE]", shell_complete=complete_files)
@click.option("--data", metavar="DIR", help="Data folder whose journal is meant; else HOSTD_DATA.")
@click.option("--repair", is_flag=True, help="Mend what can be mended; no daemon may have it open.")
@local
def check(out: Printer, file: str | None, data: str | None, repair: bool) -> int:
    """Look for damage in a journal, also while a daemon uses it. Prints a line a fault; exits with 11 if there is one.

    FILE is the journal; else the data folder's journal.db.
    """
    from hostd.cli.local_journal import check_journal
    from hostd.client.address import data_folder

    path = file or str(data_folder(data) / JOURNAL)
    if repair:
        for line in check_journal(path, repair=True):
            warn(line)
    faults = []
    with Progress("checking") as progress:
        for fault in check_journal(path, repair=False):
            faults.append(fault)
            progress.note(len(faults), unit="faults")
    out.many([{"file": path, "fault": fault} for fault in faults], lambda _: "\n".join(faults))
    if out.form == "table" and not faults:
        say(f"{path}: sound")
    return CODES[Kind.CORRUPT].exit if faults else 0


@journal.command()
@click.argument("target", metavar="FILE", shell_complete=complete_files)
@click.option("--offline", is_flag=True, help="Copy the data folder's journal here, without a daemon.")
@remote
def backup(session: Session, target: str, offline: bool) -> None:
    """Write a consistent copy of the journal while the daemon goes on.

    FILE is on the daemon's machine and must not exist; a relative name lies in <data>/backups (with --offline: here).
    """
    if offline:
        from hostd.cli.local_journal import back_up_journal

        size = back_up_journal(session.data_folder / JOURNAL, target)
        session.out.one({"path": target, "size_bytes": size}, lambda item: fields(item.items()))
        return
    request = pb.BackupJournalRequest(namespace=session.namespace, path=target)
    last: Any = None
    with Progress("backup") as progress:
        for step in session.client.stream(session.client.admin.BackupJournal, request):
            last = step
            progress.note(step.pages_done, step.pages_total, unit="pages")
    session.show(last if last is not None else pb.BackupJournalResponse(), _done)


def _done(item: Any) -> str:
    return fields([("path", item["path"]), ("size_bytes", item["size_bytes"])])


@journal.command()
@click.argument("file", metavar="FILE", shell_complete=complete_files)
@click.option("--data", metavar="DIR", help="Data folder whose journal is meant; else HOSTD_DATA.")
@local
def restore(out: Printer, file: str, data: str | None) -> None:
    """Put a copy in the place of the journal. Stop the daemon first.

    The copy is checked before anything is changed. The journal that is there goes into aside-TIME in the data folder:
    delete it once you are sure. Whatever interrupts this, the old journal is in place or the new one: run it again.
    """
    from hostd.cli.local_journal import restore_journal
    from hostd.client.address import data_folder

    with Progress("restoring") as progress:
        done = restore_journal(file, data_folder(data) / JOURNAL, lambda what: progress.note(0, what=what))
    out.one(done, lambda item: fields(item.items()))


@journal.command()
@click.option("--offline", is_flag=True, help="Make the file as small as it can be; no daemon may have it open.")
@remote
def compact(session: Session, offline: bool) -> None:
    """Delete at once what retention lets go. What is deleted makes room in the file, which is used before it grows.

    A file only gets smaller while nobody uses it: stop the daemon and say --offline, which also writes it anew without
    free room. That takes as much disk again while it works.
    """
    with Progress("compacting") as progress:
        if offline:
            from hostd.cli.local_journal import compact_journal

            done: Any = compact_journal(
                session.data_folder, lambda what, deleted: progress.note(deleted, unit="deleted", what=what)
            )
        else:
            done = _compacted(session, progress)
    session.out.one(done, lambda item: fields([(name, value) for name, value in item.items() if name != "stage"]))
    if not offline and done["free_bytes"] > done["size_bytes"] // 4:
        warn("much of the file is free; `hostd journal compact --offline` gives it back while the daemon is stopped")


def _compacted(session: Session, progress: Progress) -> Any:
    from hostd.cli.plain import plain

    request = pb.CompactJournalRequest(namespace=session.namespace)
    last = pb.CompactJournalResponse()
    for step in session.client.stream(session.client.admin.CompactJournal, request):
        last = step
        progress.note(step.deleted, unit="deleted")
    return plain(last)
