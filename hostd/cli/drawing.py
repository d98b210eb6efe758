"""The timeline of a run that the daemon has: asks for its history, draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hostd.cli.moments import wall_ms
from hostd.cli.plain import plain
from hostd.cli.session import Session
from hostd.cli.terminal import colored, unicode, width
from hostd.cli.timeline import style, timeline
from hostd.errors.base import HostdError
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import run_service_pb2 as pb
    from hostd.v1.run_pb2 import Run
else:
    pb = lazily("hostd.v1.run_service_pb2")

RECORDS_MAX = 20_000  # a drawing of more says nothing


def drawn_run(session: Session, run: Run) -> str:
    """Return a run's timeline; nothing where its history is too long to be drawn or cannot be read."""
    request = pb.GetRunHistoryRequest(namespace=session.namespace, run=pb.RunRef(run_id=run.run_id))
    records: list[Any] = []
    try:
        for page in session.pages(session.client.runs.GetRunHistory, request):
            records += page.records
            if len(records) > RECORDS_MAX:
                return ""
    except HostdError:
        return ""  # a run that is held is shown nevertheless
    how = style(width=width(), unicode=unicode(), color=colored())
    shown = [plain(record) for record in records]
    return timeline(plain(run), shown, now_ms=wall_ms(), how=how)
