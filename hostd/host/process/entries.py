"""Components that run in a plugin's process, as the registry holds them: known by what the process said of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hostd.definition.inputs import InputContract
from hostd.errors.base import Violation, invalid
from hostd.host.process.components import codes_of
from hostd.host.process.plugin_process import PluginProcess
from hostd.host.process.remote import RemoteAction, RemoteTrigger
from hostd.host.process.remote_slots import ask_slots
from hostd.host.registry import ActionEntry, TriggerEntry
from hostd.plugin import Instances
from hostd.plugin.slot_pages import SlotPage, Window
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.json_text import JsonValue, dump_json, parse_json


class SchemaForm:
    """Options that are known by their JSON Schema only; the process parses them whole."""

    def __init__(self, component: pb.Component) -> None:
        parsed = parse_json(component.options_schema) if component.options_schema else {"type": "object"}
        self.schema: dict[str, Any] = parsed if isinstance(parsed, dict) else {"type": "object"}
        self.sample: JsonValue = parse_json(component.sample) if component.sample else {}
        self._owner = component.id
        self._contract = InputContract(self.schema)
        properties = self.schema.get("properties")
        fields = properties.items() if isinstance(properties, dict) else ()
        self.code_fields = frozenset(name for name, about in fields if isinstance(about, dict) and about.get("x-code"))

    def parse(self, rendered: Any) -> bytes:
        """Return options as they go to the process. Raises HostdError OPTION_INVALID with every fault."""
        value = {} if rendered is None else rendered
        faults = self._contract.faults(value)
        if faults:
            violations = tuple(Violation(fault.path, "OPTION_INVALID", fault.message) for fault in faults)
            told = "; ".join(f"{fault.path or 'the options'}: {fault.message}" for fault in faults[:3])
            raise invalid("OPTION_INVALID", f"{self._owner}: {told}", violations=violations)
        return dump_json(value)

    def check_literals(self, options: dict[str, JsonValue], templated: frozenset[str]) -> list[tuple[str, str]]:
        """Return the faults of options that are literal; those with an expression in them have no value yet."""
        faults = self._contract.faults(options)
        open_at = tuple(path.partition(".")[0].partition("[")[0] for path in templated)
        return [
            (fault.path, fault.message)
            for fault in faults
            if fault.path and fault.path.partition(".")[0].partition("[")[0] not in open_at
        ]


class RemoteLife:
    """An action's life in its process: ready once provisioned over the connection there is."""

    __slots__ = ("_action", "_process", "component")

    def __init__(self, process: PluginProcess, action: str, component: RemoteAction) -> None:
        self._process = process
        self._action = action
        self.component = component

    @property
    def ready(self) -> bool:
        """Whether an attempt can begin at once."""
        return self._process.prepared(self._action)

    async def prepare(self) -> None:
        """Start the process and have the action provisioned. Raises HostdError."""
        await self._process.prepare(self._action)

    async def close(self) -> None:
        """The process closes what it provisioned when it ends."""


class _BySchema:
    """What an entry knows of its options by their schema alone."""

    __slots__ = ()

    _form: SchemaForm
    process: PluginProcess

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the options."""
        return self._form.schema

    def parse(self, rendered: Any) -> Any:
        """Return options as they go to the process. Raises HostdError OPTION_INVALID."""
        return self._form.parse(rendered)

    def check_literals(self, options: dict[str, JsonValue], templated: frozenset[str]) -> list[tuple[str, str]]:
        """Return the faults of options that are literal, as (path, message)."""
        return self._form.check_literals(options, templated)

    def sample(self) -> dict[str, JsonValue]:
        """Return options as somebody might write them."""
        return self._form.sample if isinstance(self._form.sample, dict) else {}


class RemoteActionEntry(_BySchema, ActionEntry):
    """An action of a plugin's process."""

    __slots__ = ("_form", "process")

    def __init__(self, component: pb.Component, process: PluginProcess) -> None:
        _describe(self, component, process)
        self.effects = component.effects
        self.codes = codes_of(component)
        self.executors = ("process",)
        self.max_in_flight = min(component.max_in_flight or process.attempts_max, process.attempts_max)
        self.instance: Any = RemoteAction(process, component.id)
        self.life = RemoteLife(process, component.id, self.instance)  # type: ignore[assignment]

    def settle(self) -> None:
        """The instance is what it will be."""


class RemoteTriggerEntry(_BySchema, TriggerEntry):
    """A trigger plugin of a plugin's process."""

    __slots__ = ("_form", "process")

    def __init__(self, component: pb.Component, process: PluginProcess) -> None:
        _describe(self, component, process)
        self.instances = Instances(component.instances)

    def create(self, options: Any) -> Any:
        """Return an instance for parsed options."""
        return RemoteTrigger(self.process, self.id, options)

    async def slots(self, given: Any, window: Window) -> SlotPage:
        """Ask the process for slots; see TriggerEntry. Raises HostdError PLUGIN_UNAVAILABLE too."""
        return await ask_slots(self.process, self.id, self.parse(given), window)


def _describe(entry: RemoteActionEntry | RemoteTriggerEntry, component: pb.Component, process: PluginProcess) -> None:
    """Fill in what actions and triggers have in common."""
    form = SchemaForm(component)
    entry._form, entry.code_fields = form, form.code_fields
    entry.process = process
    entry.id = component.id
    entry.plugin = process.plugin
    entry.origin = f"process of plugin {process.plugin}"
    entry.since = component.since[:40]
    entry.stability = component.stability[:40]
    entry.description = component.description[:500]


def settings_of(given: Mapping[str, Any], component: pb.Component, plugin: str) -> tuple[bytes, str]:
    """Return a component's settings as JSON, and the key they stand under; nothing where it takes none.

    Raises:
        HostdError: OPTION_INVALID.
    """
    if not component.settings_schema:
        return b"", ""
    for key in (component.id, plugin):
        if key in given:
            form = SchemaForm(pb.Component(id=f"plugins.settings.{key}", options_schema=component.settings_schema))
            return form.parse(given[key]), key
    return b"", ""
