"""Scripts inside documents: found while steps are read, compiled together, each fault at its line of the document."""

from __future__ import annotations

from typing import NamedTuple

from hostd.definition.fit import Part
from hostd.definition.formulas import templated_leaves
from hostd.definition.mistakes import Mistakes, child_path
from hostd.definition.nodes import Node
from hostd.definition.ports import CodeCheck, CodeFault, CodeSource, ComponentInfo

LANGUAGE = "lua"  # the one executor that compiles


class CodeSite(NamedTuple):
    """Where a script stands. `limits` is the node of what it asks for, if it does."""

    source: CodeSource
    path: str
    node: Node
    limits_path: str
    limits: Node | None


def code_sites(step_id: str, part: Part, info: ComponentInfo) -> list[CodeSite]:
    """Return the scripts in the `with` of a step; what is no text or holds an expression is a mistake already."""
    given = part.part("with")
    if LANGUAGE not in info.executors or given is None or given.node.kind != "map":
        return []
    options, path = given.node.value, child_path(part.path, "with")
    limits = options.get("limits")
    limits = limits if limits is not None and limits.kind == "map" else None
    asked = {name: node.value for name, node in limits.value.items() if type(node.value) is int} if limits else {}
    sites = []
    for field in sorted(info.code_fields & options.keys()):
        node = options[field]
        if node.kind == "text" and not any(True for _ in templated_leaves(node, "")):
            source = CodeSource(step_id, node.value, asked)
            sites.append(CodeSite(source, child_path(path, field), node, child_path(path, "limits"), limits))
    return sites


def check_code(sites: list[CodeSite], check: CodeCheck, mistakes: Mistakes) -> tuple[str, ...]:
    """Record what is wrong with scripts; return warnings. Blocks. Raises what `CodeCheck.faults` raises."""
    warnings: dict[str, None] = {}
    for fault in check.faults([site.source for site in sites]) if sites else ():
        site = sites[fault.source]
        if not fault.reason:
            warnings[fault.message] = None
        elif fault.limit:
            _limit_mistake(site, fault, mistakes)
        else:
            line, column = _place(site.node, fault.line)
            hint = f"line {fault.line} of the script" if fault.line else ""
            mistakes.add(site.path, fault.reason, fault.message, hint, mark=(line, column))
    return tuple(warnings)


def _limit_mistake(site: CodeSite, fault: CodeFault, mistakes: Mistakes) -> None:
    node = site.limits.value.get(fault.limit) if site.limits is not None else None
    mistakes.add(
        child_path(site.limits_path, fault.limit), fault.reason, fault.message, "ask for less", node=node or site.node
    )


def _place(node: Node, line: int) -> tuple[int, int]:
    """Return line and column of a script's line in the document, as near as it is known."""
    is_block = node.lead < 0 and node.line > 0  # `script: |`: its text begins on the line below
    if is_block and line:
        return node.line + min(line, len(node.value.rstrip().splitlines()) or 1), 1
    return node.line, node.column
