"""`hostd namespace` and `hostd cluster`: the rooms for names, and the peers that serve them."""

from __future__ import annotations

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

SHARDS = 4096  # 12 bits of a run id's hash


@click.group(cls=Noun)
def namespace() -> None:
    """Look at namespaces. One is made by the first thing that is put into it: `--namespace NAME` before or behind."""


@namespace.command(name="list")
@remote
def list_namespaces(session: Session) -> None:
    """List the namespaces that hold something, and how much; `default` always."""
    request = pb.ListNamespacesRequest(namespace=session.namespace)
    pages = session.pages(session.client.admin.ListNamespaces, request)
    session.list((item for page in pages for item in page.namespaces), _listing, none=NOTHING)


def _listing(found: list[Any]) -> str:
    return columns(
        ("NAMESPACE", "WORKFLOWS", "RUNS", "OPEN", "TRIGGERS", "SECRETS"),
        [
            (item["name"], item["workflows"], item["runs"], item["open_runs"], item["triggers"], item["secrets"])
            for item in found
        ],
    )


@click.group(cls=Noun)
def cluster() -> None:
    """Look at the peers. This version serves from one process: it is the only peer, and owns every shard."""


@cluster.command()
@remote
def show(session: Session) -> None:
    """Show the peers with address, version and shards."""
    request = pb.GetSystemInfoRequest(namespace=session.namespace)
    info = session.call(session.client.admin.GetSystemInfo, request)
    peer = {
        "id": info.instance_id,
        "address": info.grpc_address or session.door.address,
        "version": info.version,
        "shards": SHARDS,
        "runs_in_memory": info.runs_in_memory,
        "attempts_in_flight": info.attempts_in_flight,
    }
    session.out.many([peer], _peers)


def _peers(peers: list[Any]) -> str:
    heads = ("PEER", "ADDRESS", "VERSION", "SHARDS", "RUNS", "ATTEMPTS")
    keys = ("id", "address", "version", "shards", "runs_in_memory", "attempts_in_flight")
    return columns(heads, [[peer[key] for key in keys] for peer in peers])
