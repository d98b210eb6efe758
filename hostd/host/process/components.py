"""What a plugin's process says it serves, checked before anybody believes it."""

from __future__ import annotations

from hostd.errors.base import HostdError
from hostd.plugin.action import fault_of_codes
from hostd.plugin.component import ID, RESERVED_DOMAINS
from hostd.plugin.v1 import host_pb2 as pb
from hostd.values.json_text import parse_json

COMPONENTS_MAX = 1_000
RUNNING_MAX = 10_000
SCHEMA_BYTES_MAX = 1024 * 1024
KINDS = frozenset({"action", "trigger"})
EFFECTS = frozenset({"none", "idempotent", "at_most_once"})
INSTANCES = frozenset({"ONE", "EVERY_PEER", "PARTITIONS"})


def check_hello(hello: pb.Hello) -> tuple[pb.Component, ...]:
    """Return the components of a Hello. Raises ValueError naming what is wrong with it."""
    if not hello.components:
        raise ValueError("it serves nothing; did it forget @hookimpl?")
    if len(hello.components) > COMPONENTS_MAX:
        raise ValueError(f"it names {len(hello.components)} components; at most {COMPONENTS_MAX} are taken")
    if len(hello.running) > RUNNING_MAX:
        raise ValueError(f"it holds {len(hello.running)} attempts; at most {RUNNING_MAX} are taken")
    seen: set[tuple[str, str]] = set()
    for component in hello.components:
        _check(component)
        key = (component.kind, component.id)
        if key in seen:
            raise ValueError(f"it names the {component.kind} {component.id} twice")
        seen.add(key)
    return tuple(hello.components)


def _check(component: pb.Component) -> None:
    if component.kind not in KINDS:
        raise ValueError(f"{component.kind[:40]!r} is no kind of component")
    if not ID.fullmatch(component.id) or component.id.partition(".")[0] in RESERVED_DOMAINS:
        raise ValueError(f"{component.id[:80]!r} is no id of a component; one is <domain>.<name>")
    if component.kind == "action" and component.effects not in EFFECTS:
        raise ValueError(
            f"{component.id} has effects {component.effects[:40]!r}; they are none, idempotent or at_most_once"
        )
    if component.kind == "trigger" and component.instances not in INSTANCES:
        raise ValueError(f"{component.id} has instances {component.instances[:40]!r}")
    _check_codes(component)
    for name in ("options_schema", "sample", "settings_schema"):
        _check_json(component.id, name, getattr(component, name))


def _check_codes(component: pb.Component) -> None:
    codes = codes_of(component)
    if len(codes) < len(component.codes):
        raise ValueError(f"{component.id} names a code of its failures twice")
    fault = fault_of_codes(codes)
    if fault:
        raise ValueError(f"the codes of {component.id}: {fault}")


def codes_of(component: pb.Component) -> dict[str, str]:
    """Return what an action's failures may be called, each with what it means, in the plugin's order."""
    return {each.code: each.meaning for each in component.codes}


def _check_json(component: str, name: str, text: bytes) -> None:
    if len(text) > SCHEMA_BYTES_MAX:
        raise ValueError(f"the {name} of {component} has {len(text)} bytes; at most {SCHEMA_BYTES_MAX} are taken")
    try:
        value = parse_json(text) if text else {}
    except HostdError as error:
        raise ValueError(f"the {name} of {component} is no JSON: {error.message}") from None
    if not isinstance(value, dict):
        raise ValueError(f"the {name} of {component} is no JSON object")
