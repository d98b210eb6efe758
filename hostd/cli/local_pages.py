"""Pages of the keys that can be explained: of documents, case files, manifests, the configuration, options of plugins.

Like local.py it reaches into the rooms below.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from hostd.cli.schema_paths import SchemaPaths, Walk, keys_of

if TYPE_CHECKING:
    from hostd.definition.shapes import Shape
    from hostd.host.registry import ActionEntry, HostRegistry, TriggerEntry

Page = dict[str, Any]
_CONFIGURATION = "configuration"
ALSO_MAX = 5
BOOKS = {
    "workflow": "workflow document",
    "trigger": "trigger document",
    "tests": "case file",
    "manifest": "hostd-plugin.yaml",
    "config": _CONFIGURATION,
}
"""What keys stand in, by the word before a path such as `trigger.target`. The first that knows a path has it."""


class Near(NamedTuple):
    """A path that led somewhere, but not to its end."""

    there: str
    missing: str
    candidates: list[str]


@cache
def registry_here() -> HostRegistry:
    """Return what the built-in and installed plugins provide."""
    from hostd.host.host import PluginHost

    return PluginHost().load()


@cache
def _book(word: str) -> SchemaPaths:
    from hostd.config.schema import config_schema
    from hostd.definition.schema import trigger_schema, workflow_schema
    from hostd.host.folders.manifest import Manifest
    from hostd.testing.cases.schema import cases_schema

    makers = {
        "workflow": workflow_schema,
        "trigger": trigger_schema,
        "tests": cases_schema,
        "manifest": Manifest.model_json_schema,
        "config": config_schema,
    }
    plain = json.loads(json.dumps(makers[word]()))
    return SchemaPaths(plain, word, _later() if word in ("workflow", "trigger") else None)


def _later() -> dict[str, dict[str, str]]:
    """Return the keys that are known and not built yet, by the shape they stand in."""
    from hostd.definition import grammar

    shapes: list[Shape] = [grammar.STEP, grammar.HANDLER, grammar.DEFAULTS]
    found = {shape.title: {name: key.doc for name, key in shape.keys.items() if key.refused} for shape in shapes}
    return found | {"workflow": {name: key.doc for name, key in grammar.WORKFLOW.keys.items() if key.refused}}


def key_pages(path: str) -> list[Page]:
    """Return the pages of a path of keys: of the first kind of document that knows it, and of the configuration."""
    said, _, below = path.partition(".")
    if said in BOOKS and below and (found := _page(said, below, path)):
        return [found]
    found = (_page("workflow", path, path) or _alone(path)) if "." not in path else None
    documents = (page for word in BOOKS if word != "config" and (page := _page(word, path, path)))
    return [page for page in (found or next(documents, None), _page("config", path, path)) if page is not None]


def _alone(key: str) -> Page | None:
    """Return the page of a key that stands deeper in workflows, such as `retry`; those of steps come first."""
    paths = [path for path in _book("workflow").paths() if path.endswith(f".{key}")]
    paths.sort(key=lambda path: (not path.startswith("steps."), path.count(".")))
    page = _page("workflow", paths[0], paths[0]) if paths else None
    if page is not None:
        page["also"] = ", ".join(paths[1 : ALSO_MAX + 1])
    return page


def _page(word: str, path: str, name: str) -> Page | None:
    if word == "workflow" and path.startswith("flow."):
        return _engine_step(path)
    book, keys = _book(word), keys_of(path)
    walk = book.walk(keys)
    if not keys or not walk.taken or (walk.taken < len(keys) and not walk.open):
        return None
    shown = walk.node if word != "config" else _config_node(walk)
    page: Page = {"kind": BOOKS[word], "name": name, **book.described(shown)}
    if walk.taken < len(keys):
        page["below"] = _below(word, keys[: walk.taken])
    if word == "config":
        page |= _of_configuration(".".join(keys[: walk.taken]))
    return page


def _below(word: str, keys: list[str]) -> str:
    if keys[-1] == "with":
        return "options of the action or trigger: `hostd explain http.request.url`"
    if word == "config" and keys[0] == "plugins":
        return "settings of the plugin: `hostd explain plugins.settings.http.private`"
    return "the JSON Schema of a value" if keys[0] in ("inputs", "signals") else "any values of your own"


def _engine_step(path: str) -> Page | None:
    book = _book("workflow")
    name, keys = ".".join(path.split(".")[:2]), keys_of(path)[2:]
    options = book.schema["$defs"].get(name)
    if options is None:
        return None
    walk = book.walk(keys, start=options)
    if walk.taken < len(keys):
        return None
    return {"kind": "workflow document", "name": path, **book.described(walk.node)}


def _config_node(walk: Walk) -> dict[str, Any]:
    return {key: value for key, value in walk.node.items() if key != "default"}


def _of_configuration(key: str) -> Page:
    """Return what only keys of the configuration have: default as it is written, and variable."""
    from hostd.config.layers import PREFIX
    from hostd.config.reference import config_keys, default_text
    from hostd.config.rooms import is_live

    field = dict(config_keys()).get(key)
    if field is None:
        return {}
    return {
        "meaning": field.description or "",
        "default": default_text(field).strip("`") or None,
        "change": "at once by a reload" if is_live(field) else "with the next start",
        "variable": PREFIX + key.replace(".", "__").upper(),
    }


def variable_pages(name: str) -> list[Page]:
    """Return the page of the key that a variable such as HOSTD_HTTP__LISTEN sets."""
    from hostd.config.layers import PREFIX

    if not name.upper().startswith(PREFIX):
        return []
    key = name[len(PREFIX) :].lower().replace("__", ".")
    page = _page("config", key, key)
    return [page] if page is not None else []


# -- components


def component_pages(word: str) -> list[Page]:
    """Return the page of an action or trigger that comes with hostd, of an option of one such as http.request.url, or
    of a plugin's settings, such as plugins.settings.http.private.
    """
    if word.startswith("plugins.settings."):
        return _setting_pages(word)
    name, below = ".".join(word.split(".")[:2]), keys_of(word)[2:]
    registry = registry_here()
    entries = [each[name] for each in (registry.actions, registry.triggers) if name in each]
    if not below:
        return [_component_page(entry) for entry in entries]
    kind = f"option of {name}"
    return [page for entry in entries if (page := _option_page(dict(entry.schema), below, word, kind))]


def _component_page(entry: ActionEntry | TriggerEntry) -> Page:
    from hostd.cli.printing import yaml_text
    from hostd.host.component_page import component_page, sample_block
    from hostd.host.doctor import about

    told = about(entry)
    page = component_page(told, yaml_text(sample_block(told)))
    return {"kind": told.kind, "name": told.id, "plugin": told.plugin, "page": page}


def _option_page(schema: dict[str, Any], keys: list[str], name: str, kind: str) -> Page | None:
    book = SchemaPaths(schema, "")
    walk = book.walk(keys)
    if not walk.taken or (walk.taken < len(keys) and not walk.open):
        return None
    return {"kind": kind, "name": name, **book.described(walk.node)}


def _setting_pages(word: str) -> list[Page]:
    from hostd.plugin.component import Component, settings_class
    from hostd.plugin.option_reading import json_schema

    plugin, keys = word.split(".")[2], keys_of(word)[3:]
    registry = registry_here()
    pages: dict[str, Page] = {}
    for entry in [*registry.actions.values(), *registry.triggers.values()]:
        life = getattr(entry, "life", None)
        component: Any = getattr(entry, "trigger", None) or type(getattr(life, "component", None))
        if entry.plugin != plugin or not issubclass(component, Component):
            continue
        schema = json_schema(settings_class(component))
        page = _option_page(schema, keys, word, f"setting of the plugin {plugin}") if keys else None
        if not keys and schema.get("properties"):
            page = {
                "kind": f"settings of the plugin {plugin}",
                "name": word,
                **SchemaPaths(schema, "").described(schema),
            }
        if page is not None:
            pages.setdefault(json.dumps(page, default=str), page)
    return list(pages.values())


# -- what is near


def near_path(path: str) -> Near | None:
    """Return where a path leads that ends nowhere, and what its next key may mean; None where nothing begins so."""
    said, _, below = path.partition(".")
    registry = registry_here()
    component = ".".join(keys_of(path)[:2])
    for entries in (registry.actions, registry.triggers):
        if component in entries:
            return _near_in(SchemaPaths(dict(entries[component].schema), ""), keys_of(path)[2:], f"{component}.")
    books = [(said, below)] if said in BOOKS and below else [(word, path) for word in BOOKS]
    found = [_near_in(_book(word), keys_of(inside), "") for word, inside in books]
    return max((near for near in found if near and near.there), key=lambda near: near.there.count("."), default=None)


def _near_in(book: SchemaPaths, keys: list[str], before: str) -> Near | None:
    walk = book.walk(keys)
    if walk.taken >= len(keys):
        return None
    there = (before + ".".join(keys[: walk.taken])).rstrip(".")
    candidates = [f"{there}.{key}" for key in book.near(walk, keys[walk.taken :])]
    return Near(there, keys[walk.taken], candidates)


def known_names() -> Iterator[str]:
    """Yield every path and name that has a page here."""
    for word, prefix in (("workflow", ""), ("trigger", "trigger."), ("tests", "tests."), ("manifest", "manifest.")):
        yield from (f"{prefix}{path}" for path in _book(word).paths())
    yield from _book("config").paths()
    yield from (name for name in _book("workflow").schema["$defs"] if name.startswith("flow."))
    registry = registry_here()
    yield from registry.actions
    yield from registry.triggers
