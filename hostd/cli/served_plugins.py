"""What the daemon serves beside the built-in plugins, for commands that look here first and do without it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hostd.errors.base import HostdError, Kind
from hostd.values.json_text import parse_json
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    from hostd.cli.local_words import Told
    from hostd.cli.session import Session
    from hostd.v1 import plugin_service_pb2 as pb
else:
    pb = lazily("hostd.v1.plugin_service_pb2")

ASK_S = 10.0
PLUGINS_MAX = 1_000
BUILT_IN = "built_in"


class Place(NamedTuple):
    """Where the daemon has a plugin from: `source` is folder, installed, package or built_in."""

    source: str
    origin: str


class Daemon:
    """Asked only when nothing here has what is looked for. `unreached`: why it could not be asked."""

    def __init__(self, session: Session) -> None:
        self.unreached = ""
        self._session = session

    def component(self, component: str, kind: str) -> dict[str, Any] | None:
        """Return what a component's page tells, None where the daemon has none of that name, or cannot be asked."""
        request = pb.GetComponentSchemaRequest(namespace=self._session.namespace, id=component, kind=kind)
        found = self._ask("GetComponentSchema", request)
        if found is None:
            return None
        about = found.component
        told = {name: getattr(about, name) for name in ("kind", "id", "plugin", "description", "since", "stability")}
        return {
            **told,
            "schema": parse_json(found.schema.encode() or b"{}"),
            "sample": parse_json(found.sample.encode() or b"{}"),
            "effects": about.effects,
            "executors": tuple(about.executors),
            "codes": {each.code: each.meaning for each in about.codes},
        }

    def plugin(self, plugin_id: str) -> Place | None:
        """Return where the daemon has a plugin from, None where it has none of that id, or cannot be asked."""
        found = self._ask("GetPlugin", pb.GetPluginRequest(namespace=self._session.namespace, id=plugin_id))
        return Place(found.source, found.origin) if found is not None else None

    def codes(self, *, patience_s: float = ASK_S) -> list[Told]:
        """Return the codes of failures of what is not built in; none where no daemon is, or it cannot be asked."""
        if not self.may_be_there:
            return []
        from hostd.cli.local_words import Told

        request = pb.ListPluginsRequest(namespace=self._session.namespace, page_size=PLUGINS_MAX)
        found = self._ask("ListPlugins", request, patience_s=patience_s)
        return [
            Told(component.id, each.code, each.meaning)
            for plugin in (found.plugins if found is not None else ())
            if plugin.source != BUILT_IN
            for component in plugin.components
            for each in component.codes
        ]

    @property
    def may_be_there(self) -> bool:
        """Say whether it is worth loading gRPC to ask: a socket that is not there has no daemon behind it."""
        try:
            address = self._session.door.address
        except HostdError:
            return False
        return not address.startswith("unix:") or Path(address.removeprefix("unix:")).exists()

    def _ask(self, method: str, request: Any, *, patience_s: float = ASK_S) -> Any:
        try:
            return self._session.call(getattr(self._session.client.plugins, method), request, timeout_s=patience_s)
        except HostdError as error:
            if error.kind not in (Kind.MISSING, Kind.INVALID):
                self.unreached = f"the daemon could not be asked: {error.reason}"
            return None
