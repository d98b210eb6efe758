"""`hostd plugin install|uninstall|enable|disable|rollback`: changing which plugins a daemon has."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostd.cli.applying import warn_of
from hostd.cli.completing import complete_files, complete_plugins
from hostd.cli.lazy import Verb
from hostd.cli.printing import warn
from hostd.cli.session import Session, remote
from hostd.cli.tables import clean, fields
from hostd.errors.base import HostdError, Kind, invalid
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.v1 import plugin_service_pb2 as pb
else:
    pb = lazily("hostd.v1.plugin_service_pb2")

INSTALL_TIMEOUT_S = 2_400.0
SWITCH_TIMEOUT_S = 300.0


@click.command(cls=Verb)
@click.argument("what", metavar="FOLDER|WHEEL|NAME", shell_complete=complete_files)
@click.option("--yes", "-y", is_flag=True, help="Accept what it asks for without being asked.")
@click.option(
    "--allow", metavar="PERMISSION", multiple=True, help="Accept these permissions and no others; repeatable."
)
@click.option("--dry-run", is_flag=True, help="Say what would be installed, and install nothing.")
@remote
def install(session: Session, what: str, yes: bool, allow: tuple[str, ...], dry_run: bool) -> None:
    """Install a plugin, or another version of it: a folder or a wheel, which is sent, or the name of a package.

    It gets an environment of its own on the daemon's machine, with its dependencies, and runs in a process. What it
    asks for is shown first. What fails leaves the version that serves in its place. Installing runs code of the plugin
    and of its dependencies: `plugins.install` of the daemon says from where that is allowed.
    """
    order = pb.InstallPluginRequest(namespace=session.namespace)
    name, local = _source(what)
    setattr(order, name, local.name if local is not None else what)
    if not (yes or allow) or dry_run:
        order.examine_only = True
        examined = _sent(session, order, local)
        if dry_run:
            session.show(examined, _whole)
            return
        _ask(examined)
        order.examine_only = False
        allow = tuple(examined.plugin.permissions)
    order.all_permissions = yes and not allow
    order.permissions.extend(allow)
    installed = _sent(session, order, local)
    warn_of(installed.plugin.warnings)
    session.show(installed, _whole)


def _source(what: str) -> tuple[str, Path | None]:
    """Return what is installed, as the request calls it, and the path of what is sent."""
    path = Path(what).absolute()
    if path.is_dir():
        return "folder", path
    if path.is_file():
        if path.suffix != ".whl":
            raise invalid("ARGUMENT_INVALID", f"{what} is neither a folder nor a wheel (*.whl)")
        return "wheel", path
    if "/" in what or what.endswith(".whl"):
        raise invalid("ARGUMENT_INVALID", f"there is no {what}")
    return "requirement", None


def _sent(session: Session, order: Any, local: Path | None) -> Any:
    """Return the answer to an install."""
    failures: list[HostdError] = []
    requests = _requests(order, local, failures)
    method: Any = session.client.plugins.InstallPlugin  # takes a stream where others take one request
    try:
        return session.call(method, requests, timeout_s=INSTALL_TIMEOUT_S)
    except HostdError:
        if failures:  # what could not be read here, not what became of the call for it
            raise failures[0] from None
        raise


def _requests(order: Any, local: Path | None, failures: list[HostdError]) -> Iterator[Any]:
    from hostd.client.packing import packed, pieces_of

    yield order
    if local is None:
        return
    try:
        for piece in packed(local) if order.WhichOneof("source") == "folder" else pieces_of(local):
            yield pb.InstallPluginRequest(chunk=piece)
    except HostdError as error:
        failures.append(error)
        raise


def _ask(examined: Any) -> None:
    """Have a person accept what a plugin asks for. Raises HostdError where they do not, or nobody is there."""
    plugin = examined.plugin
    asks = ", ".join(plugin.permissions) or "nothing"
    warn(clean(f"plugin {plugin.id} {plugin.version} asks for: {asks}"))
    if examined.replaced_version:
        warn(clean(f"it takes the place of version {examined.replaced_version}"))
    if not sys.stdin.isatty():
        message = f"plugin {plugin.id} asks for: {asks}; say --yes, or --allow for each permission"
        raise HostdError(Kind.STATE, "PERMISSIONS_NOT_ACCEPTED", message)
    if not click.confirm("Install it? Its code will run on the daemon's machine", err=True):
        raise HostdError(Kind.CANCELED, "CANCELED", "nothing was installed")


def _whole(item: Any) -> str:
    plugin = item["plugin"]
    shown = [(name, plugin[name]) for name in ("id", "version", "state", "origin", "isolation", "reason", "message")]
    shown += [("permissions", plugin["permissions"] or "none")]
    shown += [("components", [part["id"] for part in plugin["components"]])]
    return fields([*shown, ("replaced_version", item["replaced_version"]), ("digest", item["digest"])])


@click.command(cls=Verb)
@click.argument("plugin_id", metavar="ID", shell_complete=complete_plugins)
@remote
def uninstall(session: Session, plugin_id: str) -> None:
    """Remove a plugin that `hostd plugin install` brought, with all its versions."""
    request = pb.UninstallPluginRequest(namespace=session.namespace, id=plugin_id)
    session.call(session.client.plugins.UninstallPlugin, request, timeout_s=SWITCH_TIMEOUT_S)


@click.command(cls=Verb)
@click.argument("plugin_id", metavar="ID", shell_complete=complete_plugins)
@remote
def enable(session: Session, plugin_id: str) -> None:
    """Let a disabled plugin serve again."""
    request = pb.EnablePluginRequest(namespace=session.namespace, id=plugin_id)
    _show(session, session.call(session.client.plugins.EnablePlugin, request, timeout_s=SWITCH_TIMEOUT_S))


@click.command(cls=Verb)
@click.argument("plugin_id", metavar="ID", shell_complete=complete_plugins)
@remote
def disable(session: Session, plugin_id: str) -> None:
    """Keep a plugin from serving, wherever it comes from, until it is enabled; it stays so through restarts.

    Not for those that run inside the daemon: list these in plugins.deny.
    """
    request = pb.DisablePluginRequest(namespace=session.namespace, id=plugin_id)
    _show(session, session.call(session.client.plugins.DisablePlugin, request, timeout_s=SWITCH_TIMEOUT_S))


@click.command(cls=Verb)
@click.argument("plugin_id", metavar="ID", shell_complete=complete_plugins)
@remote
def rollback(session: Session, plugin_id: str) -> None:
    """Let the version serve that an installed plugin had before; once more returns to the newer one."""
    request = pb.RollbackPluginRequest(namespace=session.namespace, id=plugin_id)
    _show(session, session.call(session.client.plugins.RollbackPlugin, request, timeout_s=SWITCH_TIMEOUT_S))


def _show(session: Session, plugin: Any) -> None:
    warn_of(plugin.warnings)
    names = ("id", "version", "state", "rollback_version", "reason", "message")
    session.show(plugin, lambda item: fields((name, item[name]) for name in names))


COMMANDS = (install, uninstall, enable, disable, rollback)
