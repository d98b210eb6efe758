"""`hostd audit`: who changed what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from hostd.cli.lazy import Noun
from hostd.cli.printing import NOTHING
from hostd.cli.session import Session, remote
from hostd.cli.tables import columns
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import admin_service_pb2 as pb
else:
    pb = lazily("hostd.v1.admin_service_pb2")


@click.group(cls=Noun)
def audit() -> None:
    """Look at who changed what."""


@audit.command(name="list")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="At most so many."
)
@remote
def list_events(session: Session, limit: int) -> None:
    """List what was done to workflows, triggers and dead letters, and which runs were deleted, oldest first."""
    session.list(_events(session, limit), _listing, none=NOTHING)


def _events(session: Session, limit: int) -> Iterator[Any]:
    request = pb.ListAuditEventsRequest(namespace=session.namespace)
    left = limit
    for page in session.pages(session.client.admin.ListAuditEvents, request, limit=limit):
        yield from page.audit_events[:left]
        left -= len(page.audit_events)


def _listing(events: list[Any]) -> str:
    return columns(
        ("TIME", "PRINCIPAL", "VERB", "RESOURCE", "DETAILS"),
        [
            (item["time"], item["principal"], item["verb"], item["resource"], _details(item["details"]))
            for item in events
        ],
    )


def _details(details: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(details.items()))
