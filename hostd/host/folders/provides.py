"""What a manifest says a plugin serves, so that it is listed, and its options are checked, before its process runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field

from hostd.host.folders.part import Codes, Part
from hostd.host.process.launch import Provided
from hostd.values.json_text import dump_json


class ProvidedAbout(Part):
    """One component of a plugin in Python or of a program. What its process says when it runs counts more."""

    kind: Literal["action", "trigger"] = Field("action", description="What it is.")
    description: str = Field("", max_length=2_000, description="First sentence of its documentation.")
    since: str = Field("", max_length=40, description="Version of the plugin that brought it.")
    stability: Literal["stable", "beta", "experimental", "deprecated"] = Field(
        "stable", description="Whether it may change."
    )
    effects: Literal["none", "idempotent", "at_most_once"] = Field(
        "idempotent", description="Of an action: what the outside sees of an attempt."
    )
    instances: Literal["ONE", "EVERY_PEER", "PARTITIONS"] = Field("ONE", description="Of a trigger: who runs it.")
    max_in_flight: int = Field(
        0, ge=0, le=10_000, description="Of an action: attempts at once; 0 = as many as allowed."
    )
    options: dict[str, Any] = Field(
        {}, description="JSON Schema of its options, as `hostd plugin schema ID -o json` prints it."
    )
    sample: dict[str, Any] = Field({}, description="Options as somebody might write them.")
    settings: dict[str, Any] | None = Field(None, description="JSON Schema of the operator's settings of it.")
    codes: Codes = Field({}, description="Of an action: what its failures may be called, each code with what it means.")


def provided(provides: Mapping[str, ProvidedAbout]) -> Iterable[Provided]:
    """Return the components in the words of the process room."""
    for component_id, about in provides.items():
        action = about.kind == "action"
        yield Provided(
            kind=about.kind,
            id=component_id,
            description=about.description,
            since=about.since,
            stability=about.stability,
            effects=about.effects if action else "",
            instances="" if action else about.instances,
            max_in_flight=about.max_in_flight if action else 0,
            options_schema=dump_json(about.options or {"type": "object"}),
            sample=dump_json(about.sample),
            settings_schema=b"" if about.settings is None else dump_json(about.settings),
            codes=tuple(about.codes.items()) if action else (),
        )
