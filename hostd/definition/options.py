"""`with` against what the action or trigger takes: keys first, then code, then each literal field by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hostd.definition.fit import Part
from hostd.definition.fixes import propose_duration
from hostd.definition.formulas import templated_leaves
from hostd.definition.mistakes import Mistakes, child_path, did_you_mean, shown
from hostd.definition.nodes import Node, value_of
from hostd.definition.ports import ComponentInfo

_PATH_PART = re.compile(r'\["(?P<quoted>[^"]*)"\]|\[(?P<index>\d+)\]|(?P<name>[^.\[\]]+)')
_QUOTED = re.compile(r"'([^']*)'")
_PLAIN_WORDS = re.compile(r"[\w./=+-]+(?: [\w./=+-]+)*")
HINT_CHARS_MAX = 80


def check_options(owner: Part, info: ComponentInfo, component_id: str, mistakes: Mistakes) -> None:
    """Record what is wrong with the `with` of a step or trigger, as far as it is literal."""
    given = owner.part("with")
    if given is None and owner.wrote("with"):
        return  # it is no mapping, which is recorded already
    node = given.node if given else Node("map", {}, line=owner.node.line, column=owner.node.column)
    path = child_path(owner.path, "with")
    unknown = _check_keys(node, path, info, component_id, mistakes)
    _check_code(node, path, info, mistakes)
    options = {key: value_of(child) for key, child in node.value.items() if key not in unknown}
    templated = frozenset(leaf_path for _, leaf_path in templated_leaves(node, ""))
    for below, message in info.check_literals(options, templated):
        found, mark = _find(node, below)
        suggestion = _hint(found, message)
        full = f"{path}{below}" if below.startswith("[") else (f"{path}.{below}" if below else path)
        mistakes.add(full, "OPTION_INVALID", message, suggestion, node=found, mark=mark)


def unknown_component(uses: Part, kind: str, known: Iterable[str], why: str, mistakes: Mistakes) -> None:
    """Record that nothing loaded provides what `uses` names. `why`: plugins that may have it, and why they do not."""
    hint = mistakes.did_you_mean(uses.value, sorted(known))
    message = f"no loaded plugin provides the {kind} {shown(uses.value)}" + (f"; {why}" if why else "")
    mistakes.add(uses.path, f"{kind.upper()}_UNKNOWN", message, hint, node=uses.node)


def _check_keys(node: Node, path: str, info: ComponentInfo, component_id: str, mistakes: Mistakes) -> set[str]:
    schema = info.schema
    known = schema.get("properties", {})
    unknown: set[str] = set()
    if schema.get("additionalProperties") is False:
        unknown = {key for key in node.value if key not in known}
        for key in node.value:
            if key in unknown:
                message = f"{component_id} takes no option {shown(key)}"
                hint = mistakes.did_you_mean(key, known) or (
                    f"it takes {', '.join(sorted(known))}" if known else "it takes none"
                )
                mistakes.add(child_path(path, key), "OPTION_INVALID", message, hint, mark=node.key_marks.get(key))
    for key in schema.get("required", []):
        if key not in node.value:
            what = known.get(key, {}).get("description", "") if isinstance(known.get(key), dict) else ""
            message = f"{component_id} needs the option {key}" + (f": {what}" if what else "")
            mistakes.add(child_path(path, key), "OPTION_INVALID", message, f"add `{key}`", node=node)
    return unknown


def _check_code(node: Node, path: str, info: ComponentInfo, mistakes: Mistakes) -> None:
    for field in sorted(info.code_fields):
        if field not in node.value:
            continue
        for leaf, leaf_path in templated_leaves(node.value[field], child_path(path, field)):
            mistakes.add(
                leaf_path,
                "CODE_INTERPOLATION",
                f"`{field}` holds code; `${{{{ }}}}` would paste values into it",
                "pass the value through `input`, `params` or `env`",
                node=leaf,
            )


def _find(node: Node, below: str) -> tuple[Node, tuple[int, int] | None]:
    """Return the deepest node on a path below the options, and where its key stands when it has no place itself."""
    for match in _PATH_PART.finditer(below):
        if node.kind == "map":
            child = node.value.get(match["name"] or match["quoted"] or match["index"])
        elif node.kind == "list" and match["index"] and int(match["index"]) < len(node.value):
            child = node.value[int(match["index"])]
        else:
            child = None
        if child is None:
            break
        node = child
    return node, None


def _hint(node: Node, message: str) -> str:
    """Return how to write a value that the option does not take, where its kind or a word it takes shows it."""
    written = str(node.source if node.plain and node.kind != "text" else node.value)[:HINT_CHARS_MAX]
    if node.plain and node.kind in ("number", "flag") and "string" in message.lower():
        return f'write "{node.source}" in quotes'
    if message == "should be a valid list" and node.kind in ("text", "number", "flag"):
        return f"write [{', '.join(written.split())}]" if _PLAIN_WORDS.fullmatch(written) else "write [a, b, ...]"
    if node.kind == "number" and message.startswith("a duration is a text"):
        return propose_duration(written)
    if node.kind == "text" and message.startswith("should be '"):
        words = _QUOTED.findall(message)
        same = next((word for word in words if word.lower() == written.lower()), "")
        return f"write {same}" if same else did_you_mean(written, words)
    return ""
