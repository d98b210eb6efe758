"""A component's page and sample, from what it says of itself, whether it was imported or told of by its process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hostd.host.pages import type_in_words
from hostd.values.json_text import JsonValue, dump_json

_BOUNDS = (
    ("exclusiveMinimum", "more than"),
    ("minimum", "at least"),
    ("exclusiveMaximum", "less than"),
    ("maximum", "at most"),
    ("x-gt", "more than"),
    ("x-ge", "at least"),
    ("x-lt", "less than"),
    ("x-le", "at most"),
    ("minLength", "length at least"),
    ("maxLength", "length at most"),
    ("minItems", "entries at least"),
    ("maxItems", "entries at most"),
)


class ComponentAbout(NamedTuple):
    """An action or trigger as its page tells of it."""

    kind: str
    id: str
    plugin: str
    description: str
    since: str
    stability: str
    schema: Mapping[str, Any]
    sample: Mapping[str, JsonValue]
    effects: str = ""
    executors: tuple[str, ...] = ()
    instances: str = ""
    codes: Mapping[str, str] = {}


def sample_block(about: ComponentAbout) -> dict[str, JsonValue]:
    """Return a step or a trigger of a document, with options as somebody might write them."""
    name = about.id.partition(".")[2]
    written: dict[str, JsonValue] = {"uses": about.id}
    options = {name: _example(about.schema["properties"][name]) for name in about.schema.get("required", ())}
    options |= about.sample
    if options:
        written["with"] = options
    return {"steps" if about.kind == "action" else "triggers": {name: written}}


def _example(option: Mapping[str, Any]) -> JsonValue:
    """Return a value for an option that has to be given."""
    simple: dict[str, JsonValue] = {
        "string": "text",
        "integer": 1,
        "number": 1.5,
        "boolean": True,
        "object": {},
        "array": [],
    }
    examples = option.get("examples") or option.get("enum") or [simple.get(str(option.get("type")))]
    value: JsonValue = examples[0]
    return value


def component_page(about: ComponentAbout, sample_text: str) -> str:
    """Return the page in Markdown.

    Args:
        sample_text: `sample_block` as YAML.
    """
    facts = [
        ("kind", about.kind),
        ("plugin", about.plugin),
        ("since", about.since),
        ("stability", about.stability),
        ("effects", about.effects),
        ("runs in", ", ".join(about.executors)),
        ("instances", about.instances),
    ]
    said = " · ".join(f"{name}: {value}" for name, value in facts if value)
    lines = [f"# {about.id}\n", about.description, "", said, "", "## Options", "", _table(about.schema)]
    lines += _codes(about.codes)
    lines += ["## Sample", "", "```yaml", sample_text.rstrip("\n"), "```"]
    return "\n".join(lines) + "\n"


def _codes(codes: Mapping[str, str]) -> list[str]:
    if not codes:
        return []
    head = ["## Codes of its failures", "", "| code | what happened, and what to do |", "|---|---|"]
    return [*head, *(f"| `{code}` | {text.replace('|', chr(92) + '|')} |" for code, text in codes.items()), ""]


def _table(schema: Mapping[str, Any]) -> str:
    options = schema.get("properties", {})
    if not options:
        return "It takes no options.\n"
    required = set(schema.get("required", ()))
    lines = ["| option | type | default | bounds | meaning | example |", "|---|---|---|---|---|---|"]
    for name, about in options.items():
        default = "required" if name in required else f"`{_text(about.get('default'))}`"
        cells = (
            f"`{name}`",
            type_in_words(about, dict(schema)),
            default,
            _bounds(about),
            about.get("description", "") + _notes(about),
            ", ".join(f"`{_text(example)}`" for example in about.get("examples", ())[:3]),
        )
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _bounds(about: Mapping[str, Any]) -> str:
    """Return what an option's value is held to, also inside `anyOf` with null."""
    places = [about, *(one for one in about.get("anyOf", ()) if isinstance(one, dict))]
    found = [f"{words} {place[key]}" for place in places for key, words in _BOUNDS if key in place]
    return ", ".join(dict.fromkeys(found))


def _notes(about: Mapping[str, Any]) -> str:
    notes = [
        text for key, text in (("x-code", " Code: takes literals only."), ("x-secret", " Secret.")) if about.get(key)
    ]
    return "".join(notes)


def _text(value: Any) -> str:
    return dump_json(value).decode() if value is not None else "null"
