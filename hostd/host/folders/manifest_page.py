"""The reference page of `hostd-plugin.yaml`, from its model: `make docs` writes it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from hostd.host.folders.manifest import FILE_NAME, LuaActionAbout, Manifest, OptionAbout
from hostd.host.folders.provides import ProvidedAbout
from hostd.host.pages import type_in_words
from hostd.values.json_text import dump_json

HEAD = f"""\
# {FILE_NAME}

The manifest of a plugin's folder: what the plugin is, readable without running any of its code. Unknown keys are
refused; every mistake is told with its line (`hostd plugin doctor FOLDER`, or `hostd plugin list` of a daemon that has
the folder). A folder without one is a Python package by that name, which may ask for everything.
"""


def manifest_reference() -> str:
    """Return the page."""
    sections = [HEAD]
    for title, model in (
        ("Keys", Manifest),
        ("Each of `provides`", ProvidedAbout),
        ("Each of `actions`", LuaActionAbout),
        ("Each of `options` of an action", OptionAbout),
    ):
        sections.append(f"## {title}\n\n{_table(model)}")
    return "\n".join(sections)


def _table(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    required = set(schema.get("required", ()))
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, about in schema["properties"].items():
        default = "required" if name in required else f"`{dump_json(about.get('default')).decode()}`"
        lines.append(f"| `{name}` | {_type(name, about, schema)} | {default} | {about.get('description', '')} |")
    return "\n".join(lines) + "\n"


def _type(name: str, about: dict[str, Any], schema: dict[str, Any]) -> str:
    if name in ("default", "example"):
        return "any value"
    if name in ("actions", "options", "provides", "sample", "settings"):
        return "map"
    return type_in_words(about, schema)
