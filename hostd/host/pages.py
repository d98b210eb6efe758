"""The options table of a component's page, from its model: READMEs hold it, and a test compares."""

from __future__ import annotations

from typing import Any

from hostd.plugin import Options
from hostd.plugin.option_reading import json_schema
from hostd.values.json_text import dump_json


def options_table(model: type[Options]) -> str:
    """Return a Markdown table of a model's options, in order; a sentence where there are none."""
    schema = json_schema(model)
    required = set(schema.get("required", ()))
    if not schema["properties"]:
        return "It takes no options.\n"
    lines = ["| option | type | default | meaning |", "|---|---|---|---|"]
    for name, about in schema["properties"].items():
        empty: dict[str, Any] | None = (
            {} if about.get("type") == "object" else None
        )  # made anew each time, so the schema does not say it
        default = "required" if name in required else f"`{_text(about.get('default', empty))}`"
        meaning = about.get("description", "") + _notes(about)
        lines.append(f"| `{name}` | {type_in_words(about, schema)} | {default} | {meaning} |")
    return "\n".join(line.replace(" |  |", " | |") for line in lines) + "\n"


def _text(value: Any) -> str:
    return dump_json(value).decode() if value is not None else "null"


def _notes(about: dict[str, Any]) -> str:
    notes = []
    if about.get("x-code"):
        notes.append("Code: takes literals only.")
    if about.get("x-secret"):
        notes.append("Secret.")
    return "".join(f" {note}" for note in notes)


def type_in_words(about: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return a type in words."""
    if "$ref" in about:
        about = schema.get("$defs", {}).get(about["$ref"].rpartition("/")[2], {})
    if "enum" in about:
        return ", ".join(f"`{word}`" for word in about["enum"])
    if "const" in about:
        return f"`{about['const']}`"
    members = about.get("anyOf") or about.get("oneOf")
    if members:
        words = [type_in_words(member, schema) for member in members if member.get("type") != "null"]
        return " or ".join(dict.fromkeys(words))
    if about.get("type") == "array":
        return f"list of {type_in_words(about.get('items', {}), schema)}"
    if str(about.get("pattern", "")).endswith("(ms|s|m|h|d|w))+$"):
        return "duration"
    words_of = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    return words_of.get(str(about.get("type")), "map" if about.get("type") == "object" else "any value")
