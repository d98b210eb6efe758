"""What a manifest says a plugin serves, as the plugin's process would say it."""

from __future__ import annotations

from collections.abc import Iterable

from hostd.host.process.components import check_hello
from hostd.host.process.hellos import Said
from hostd.host.process.launch import Provided
from hostd.plugin.v1 import host_pb2 as pb


def components_of(provides: Iterable[Provided]) -> Said | None:
    """Return the components, None where no process could say that."""
    components = [
        pb.Component(
            kind=one.kind,
            id=one.id,
            description=one.description,
            since=one.since,
            stability=one.stability,
            effects=one.effects,
            instances=one.instances,
            max_in_flight=one.max_in_flight,
            options_schema=one.options_schema,
            sample=one.sample,
            settings_schema=one.settings_schema,
            codes=[pb.FailureCode(code=code, meaning=meaning) for code, meaning in one.codes],
        )
        for one in provides
    ]
    try:
        return Said(check_hello(pb.Hello(components=components)))
    except ValueError:
        return None
