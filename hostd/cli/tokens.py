"""`hostd token`: where the owner's token is, and a new one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostd.cli.lazy import Noun
from hostd.cli.printing import warn
from hostd.cli.session import Session, remote
from hostd.cli.tables import fields
from hostd.errors.base import HostdError, Kind
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import admin_service_pb2 as pb
else:
    pb = lazily("hostd.v1.admin_service_pb2")

TOKEN = "token"  # noqa: S105  the name of its file


@click.group(cls=Noun)
def token() -> None:
    """Look after the owner's token, which clients on TCP send."""


@token.command()
@remote
def show(session: Session) -> None:
    """Say where the token is that this command line sends, and whether a file of it can be read. It is not printed.

    A socket needs none. To use it elsewhere: HOSTD_TOKEN_FILE, or `hostd token show -o name | xargs cat`.
    """
    session.out.one(_found(session), lambda item: fields(item.items()))


def _found(session: Session) -> dict[str, Any]:
    if os.environ.get("HOSTD_TOKEN"):
        return {"path": None, "source": "HOSTD_TOKEN", "readable": True}
    named = os.environ.get("HOSTD_TOKEN_FILE")
    path = Path(named).expanduser() if named else session.data_folder / TOKEN
    if not path.exists():
        message = f"there is no token at {path}; the first start of a daemon on the folder writes it"
        raise HostdError(Kind.MISSING, "ARGUMENT_INVALID", message)
    source = "HOSTD_TOKEN_FILE" if named else "data folder"
    return {"path": str(path), "source": source, "readable": os.access(path, os.R_OK)}


@token.command()
@click.option("--offline", is_flag=True, help="Write the data folder's token here; no daemon may run on it.")
@remote
def rotate(session: Session, offline: bool) -> None:
    """Make a new token. The daemon takes it at once and refuses the one before; connections that stand go on.

    It is written to <data>/token on the daemon's machine, where commands and clients there read it.
    """
    if offline:
        from hostd.cli.local_journal import new_token

        path = new_token(session.data_folder)
    else:
        path = session.call(session.client.admin.RotateToken, pb.RotateTokenRequest(namespace=session.namespace)).path
    session.out.one({"path": path}, lambda item: f"a new token is in {item['path']}")
    if os.environ.get("HOSTD_TOKEN") or os.environ.get("HOSTD_TOKEN_FILE"):
        warn("HOSTD_TOKEN or HOSTD_TOKEN_FILE is set here and may hold the one before")
    if not offline and not session.door.local:
        warn(f"the file is on the daemon's machine; without what it holds nobody gets in at {session.door.address}")
