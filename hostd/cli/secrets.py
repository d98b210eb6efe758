"""`hostd secret`: set, list and delete secrets. A value is never an argument: those show in `ps` and in histories."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from hostd.cli.completing import complete_files, complete_secrets
from hostd.cli.inputs import read_file
from hostd.cli.lazy import Noun
from hostd.cli.printing import NOTHING, warn
from hostd.cli.session import Session, remote
from hostd.cli.tables import columns, fields
from hostd.errors.base import invalid
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import secret_service_pb2 as pb
else:
    pb = lazily("hostd.v1.secret_service_pb2")

ROTATE_TIMEOUT_S = 600.0


@click.group(cls=Noun)
def secret() -> None:
    """Set, list and delete secrets; values go in and never come out."""


@secret.command(name="set")
@click.argument("name", shell_complete=complete_secrets)
@click.argument("source", nargs=-1, metavar="[-]")
@click.option(
    "--file", metavar="FILE", shell_complete=complete_files, help="Take the value from FILE, less its last line break."
)
@remote
def set_secret(session: Session, name: str, source: tuple[str, ...], file: str | None) -> None:
    """Set a secret: asks for the value without showing it, or reads standard input (-), or a file.

    A last line break is cut. What is worth a look goes to standard error.
    """
    if source not in ((), ("-",)):  # what else stands there is not repeated: it could be the value
        raise invalid("ARGUMENT_INVALID", "a value is never an argument; write - and pipe it in, or --file FILE")
    if source and file is not None:
        raise invalid("ARGUMENT_INVALID", "say either - or --file, not both")
    value = _value("-" if source else file)
    request = pb.SetSecretRequest(namespace=session.namespace, name=name, value=value)
    answer = session.call(session.client.secrets.SetSecret, request)
    for warning in answer.warnings:
        warn(f"warning: {warning}")
    session.show(answer.secret, lambda item: fields(item.items()))


def _value(source: str | None) -> bytes:
    """Return the value from a file, `-` or the terminal, less a last line break."""
    if source is not None:
        data = read_file(source)
    elif sys.stdin.isatty():
        data = str(click.prompt("value", hide_input=True, confirmation_prompt=True, err=True)).encode()
    else:
        raise invalid("ARGUMENT_INVALID", "there is no terminal to ask for the value; write - to read it from a pipe")
    return data.removesuffix(b"\n").removesuffix(b"\r")


@secret.command(name="list")
@remote
def list_secrets(session: Session) -> None:
    """List the names of secrets, where each comes from, and when it was set."""
    request = pb.ListSecretsRequest(namespace=session.namespace)
    pages = session.pages(session.client.secrets.ListSecrets, request)
    session.list((item for page in pages for item in page.secrets), _listing, none=NOTHING)


def _listing(secrets: list[Any]) -> str:
    return columns(
        ("NAME", "PROVIDER", "UPDATED"), [(item["name"], item["provider"], item["update_time"]) for item in secrets]
    )


@secret.command()
@click.argument("name", shell_complete=complete_secrets)
@remote
def delete(session: Session, name: str) -> None:
    """Delete a secret from the store."""
    session.call(session.client.secrets.DeleteSecret, pb.DeleteSecretRequest(namespace=session.namespace, name=name))
    session.out.one({"name": name}, lambda _: f"deleted {name}")


@secret.command(name="rotate-key")
@remote
def rotate_key(session: Session) -> None:
    """Encrypt the store, with the secrets of all namespaces, with a new key."""
    request = pb.RotateSecretsKeyRequest(namespace=session.namespace)
    answer = session.call(session.client.secrets.RotateSecretsKey, request, timeout_s=ROTATE_TIMEOUT_S)
    session.show(answer, lambda item: f"secrets encrypted with the new key: {item['secrets']}")
