"""One command's connection to a daemon, its namespace and its form of output; and the options that say so."""

from __future__ import annotations

import functools
import gc
import os
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hostd.cli.printing import FORMS, Printer, printer_for
from hostd.cli.terminal import WISHES
from hostd.errors.base import HostdError, invalid

if TYPE_CHECKING:
    import grpc
    from google.protobuf.message import Message

    from hostd.client import BlockingConnection, Door

Q = TypeVar("Q")
A = TypeVar("A")
Command = Callable[..., Any]

IMPORTED_OBJECTS = 50_000  # importing grpc makes about as many, none of them garbage: looking for some is a tenth of it
CONNECTION_NAMES = ("address", "data", "namespace", "tls_ca", "tls_cert", "tls_key")
_CONNECTION = (
    ("--address", "ADDR", "HOST:PORT or unix:PATH; else HOSTD_ADDRESS, else the socket of the data folder."),
    ("--data", "DIR", "The daemon's data folder, for its socket and token; else HOSTD_DATA."),
    ("--namespace", "NAME", "Else HOSTD_NAMESPACE, else `default`."),
    ("--tls-ca", "FILE", "Use TLS and trust this authority (PEM); else HOSTD_TLS_CA."),
    ("--tls-cert", "FILE", "Our own certificate (PEM), with --tls-key; else HOSTD_TLS_CERT."),
    ("--tls-key", "FILE", "Private key of --tls-cert (PEM); else HOSTD_TLS_KEY."),
)
_FLAGS = (
    (("-q", "--quiet"), "Print only what scripts need: names, and errors."),
    (("--no-color",), "No colours; else as the terminal and NO_COLOR say."),
    (("--no-unicode",), "Draw in plain ASCII; else as the locale says."),
)
OUTPUT_NAMES = ("output", "quiet", "no_color", "no_unicode")


def connection_options(command: Command) -> Command:
    """Add the options that say where the daemon is, but those that the command has another use for."""
    taken = own_options(command)
    for name, metavar, help_text in reversed(_CONNECTION):
        if name not in taken:
            command = click.option(name, metavar=metavar, help=help_text)(command)
    return command


def own_options(command: Command) -> set[str]:
    """Return the options that were added to a command so far."""
    return {text for option in getattr(command, "__click_params__", ()) for text in option.opts}


def output_options(command: Command) -> Command:
    """Add `-o` and what else says how to print, but those that the command has another use for."""
    taken = own_options(command)
    for names, help_text in reversed(_FLAGS):
        if not taken & set(names):
            command = click.option(*names, is_flag=True, help=help_text)(command)
    form = "table (for people, the default), wide (all columns, nothing cut), json, yaml, or name (one name a line)."
    return click.option("-o", "--output", type=click.Choice(FORMS), metavar="FORM", help=form)(command)


def local(command: Command) -> Command:
    """Make a function a command that needs no daemon: it gets a Printer first."""

    @functools.wraps(command)
    def run(**arguments: Any) -> Any:
        return command(_printer(arguments), **arguments)

    return output_options(run)


def _printer(arguments: dict[str, Any]) -> Printer:
    """Take the options that say how to print out of a command's arguments; return what prints so."""
    for name in OUTPUT_NAMES[1:]:
        WISHES.hear(**{name: bool(arguments.pop(name, False) or _root(name))})
    return printer_for(arguments.pop("output", None) or _root("output"))


def remote(command: Command) -> Command:
    """Make a function a command that talks to a daemon: it gets a Session first.

    An option below this that is called as one of the connection's, such as `--data JSON`, is the command's own; the
    connection's then stands before the command, `hostd --data DIR ...`.
    """
    taken = {text.lstrip("-").replace("-", "_") for text in own_options(command)}

    @functools.wraps(command)
    def run(**arguments: Any) -> Any:
        gc.set_threshold(IMPORTED_OBJECTS)
        out = _printer(arguments)
        given = {name: None if name in taken else arguments.pop(name) for name in CONNECTION_NAMES}
        given = {name: value or _root(name) for name, value in given.items()}
        with Session(given, out) as session:
            try:
                return command(session, **arguments)
            except HostdError as error:
                if not (error.reason.endswith("_MISSING") or _no_run_id(error)):
                    raise
                from hostd.cli.suggestions import with_suggestion

                raise with_suggestion(session, error) from None

    return connection_options(output_options(run))


def _no_run_id(error: HostdError) -> bool:
    """Say whether what was given cannot be the id of a run: its beginning, or the name of a workflow."""
    return error.reason == "ARGUMENT_INVALID" and any(fault.path == "run.run_id" for fault in error.violations)


def _root(name: str) -> Any:
    """Return what was said before the command: `hostd --address A runs list`."""
    return click.get_current_context().find_root().params.get(name)


def _check_folder(data: str | None) -> None:
    """Refuse JSON in the place of the data folder: commands that take data of their own call it otherwise at times."""
    if data and data.lstrip()[:1] in ("{", "[", '"', "@"):
        message = f"--data names the daemon's data folder, and {data[:40]!r} is none; `--help` shows where JSON goes"
        raise invalid("ARGUMENT_INVALID", message)


class Session:
    """What a command needs to talk and to print. The connection is made when it is first used."""

    def __init__(self, given: dict[str, str | None], out: Printer) -> None:
        self._given = given
        self.out = out
        self.namespace = given["namespace"] or os.environ.get("HOSTD_NAMESPACE", "")

    def __enter__(self) -> Session:
        return self

    def again(self) -> Session:
        """Return a session of the same options, with a connection of its own."""
        return Session(self._given, self.out)

    def __exit__(self, *_: object) -> None:
        if "client" in self.__dict__:
            self.client.close()

    def given(self, name: str) -> str | None:
        """Return what an option of the connection was given, such as `data`; None where it was not."""
        return self._given[name]

    @cached_property
    def door(self) -> Door:
        """Where the daemon is."""
        from hostd.client.address import Tls, find_door

        files = {
            name: self._given[f"tls_{name}"] or os.environ.get(f"HOSTD_TLS_{name.upper()}")
            for name in ("ca", "cert", "key")
        }
        if (files["cert"] is None) != (files["key"] is None) or (files["cert"] and not files["ca"]):
            raise invalid("ARGUMENT_INVALID", "--tls-cert and --tls-key go together, and with --tls-ca")
        _check_folder(self._given["data"])
        paths = {name: Path(file) for name, file in files.items() if file}
        tls = Tls(paths["ca"], paths.get("cert"), paths.get("key")) if "ca" in paths else None
        return find_door(address=self._given["address"], data=self._given["data"], tls=tls)

    @property
    def data_folder(self) -> Path:
        """The data folder, for what is done without the daemon."""
        from hostd.client.address import data_folder

        return data_folder(self._given["data"])

    @cached_property
    def client(self) -> BlockingConnection:
        """The connection."""
        from hostd.client import BlockingConnection  # without the typed layer above it, which would be for nothing

        return BlockingConnection(self.door)

    def show(self, message: Message, view: Callable[[Any], str]) -> None:
        """Print a message as itself."""
        from hostd.cli.plain import plain

        self.out.one(plain(message), view)

    def list(self, messages: Iterable[Message], view: Callable[[list[Any]], str], *, none: str = "") -> None:
        """Print messages, one line each; where there are none say so, if it is a list that may be empty."""
        from hostd.cli.plain import plain

        self.out.many((plain(message) for message in messages), view, none=none)

    def call(self, method: grpc.UnaryUnaryMultiCallable[Q, A], request: Q, *, timeout_s: float = 30.0) -> A:
        """Return the answer of a call."""
        return self.client.call(method, request, timeout_s=timeout_s)

    def pages(self, method: grpc.UnaryUnaryMultiCallable[Q, A], request: Q, *, limit: int = 0) -> Iterator[A]:
        """Yield the pages of a list; with a limit no more than hold that many items (the caller cuts the last)."""
        paged: Any = request
        seen = 0
        while True:
            if limit:
                paged.page_size = min(limit - seen, 1000)
            answer: Any = self.call(method, request)
            yield answer
            seen += paged.page_size if limit else 0
            if not answer.next_page_token or (limit and seen >= limit):
                return
            paged.page_token = answer.next_page_token
