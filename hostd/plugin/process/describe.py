"""What a plugin serves, as Hello tells it."""

from __future__ import annotations

import inspect
from typing import Any

from hostd.plugin.api import API
from hostd.plugin.loading import Loaded
from hostd.plugin.option_reading import json_schema, sample
from hostd.plugin.options import Options
from hostd.plugin.process.birth import Birth
from hostd.plugin.process.wire import fault_to_wire
from hostd.plugin.registry import Registration
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.json_text import dump_json

DESCRIPTION_CHARS_MAX = 300


def describe(birth: Birth, loaded: Loaded, *, protocol: tuple[int, int], pid: int) -> pb.Hello:
    """Return Hello, without what is held. Raises whatever a plugin's options class raises when asked for its schema."""
    hello = pb.Hello(
        protocol_min=protocol[0],
        protocol_max=protocol[1],
        cookie=birth.cookie,
        plugin=birth.plugin,
        version=birth.version,
        sdk=f"python/{API}",
        api=loaded.api,
        pid=pid,
        batches=True,
        begun=True,
    )
    if loaded.broken is not None:
        hello.broken.CopyFrom(fault_to_wire(loaded.broken))
        return hello
    hello.components.extend(_component(one) for one in loaded.registrations)
    return hello


def _component(registration: Registration) -> pb.Component:
    component: Any = registration.component
    described = pb.Component(
        kind=registration.kind,
        id=registration.id,
        description=_first_sentence(component),
        since=component.since,
        stability=component.stability,
        options_schema=dump_json(json_schema(registration.options)),
        sample=dump_json(sample(registration.options)),
    )
    if registration.settings is not Options:
        described.settings_schema = dump_json(json_schema(registration.settings))
    if registration.kind == "action":
        described.effects = component.effects
        described.max_in_flight = component.max_in_flight or 0
        described.codes.extend(pb.FailureCode(code=code, meaning=text) for code, text in component.codes.items())
    elif registration.kind == "trigger":
        described.instances = component.instances.value
    return described


def _first_sentence(component: type[Any]) -> str:
    """Return the first paragraph's first sentence of the class's own documentation."""
    text = inspect.cleandoc(component.__dict__.get("__doc__") or "").partition("\n\n")[0].replace("\n", " ")
    head, dot, _ = text.partition(". ")
    return (head + dot.strip())[:DESCRIPTION_CHARS_MAX]
