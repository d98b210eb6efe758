"""Graphs of workflows as Mermaid, DOT or text. Pure: nodes, what they need, and their states in a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hostd.cli.tables import clean, paint
from hostd.values.json_text import dump_json

FORMATS = ("text", "mermaid", "dot")
_BOX = 'shape=box, style="rounded,filled", fillcolor=white'
_FILLS = {
    "SUCCEEDED": "#c8e6c9", "FAILED": "#ffcdd2", "CANCELED": "#ffe0b2", "SKIPPED": "#eeeeee", "RUNNING": "#bbdefb",
    "WAITING": "#b2ebf2", "RETRYING": "#fff9c4", "READY": "#e1f5fe", "PENDING": "#ffffff",
}  # fmt: skip


class GraphNode(NamedTuple):
    """A step, or a handler (`handler` says of what). `state` is a step's state in a run, empty where there is none."""

    id: str
    uses: str
    needs: tuple[str, ...] = ()
    condition: str = ""
    handler: str = ""
    state: str = ""


class Graph(NamedTuple):
    """A workflow. `triggers`: (name, what it uses)."""

    title: str
    nodes: tuple[GraphNode, ...]
    triggers: tuple[tuple[str, str], ...] = ()


def graph_of_document(document: Any) -> Graph:
    """Return the graph of a document, as values of JSON; what is no step, trigger or handler is passed over."""
    top = document if isinstance(document, dict) else {}
    nodes = [_node(name, step) for name, step in _named(top.get("steps"))]
    handlers = [_node(name, step, handler=name) for name, step in _named(top.get("handlers"))]
    triggers = tuple((name, _text(trigger.get("uses"))) for name, trigger in _named(top.get("triggers")))
    title = f"{_text(top.get('workflow'))} {_text(top.get('version'))}".strip()
    return Graph(title, (*nodes, *handlers), triggers)


def graph_of_run(run: dict[str, Any]) -> Graph:
    """Return the graph of a run, as `-o json` prints it, with the states of its steps."""
    nodes = [
        GraphNode(step["id"], step["uses"], tuple(step["needs"]), "", step["handler"], step["state"] or "")
        for step in run["steps"]
    ]
    triggers = ((run["trigger"], ""),) if run["trigger"] else ()
    return Graph(f"{run['workflow']} {run['version']} {run['run_id']}", tuple(nodes), triggers)


def with_states(graph: Graph, run: Graph) -> Graph:
    """Return a document's graph with the states that a run of it has."""
    states = {node.id: node.state for node in run.nodes}
    return graph._replace(nodes=tuple(node._replace(state=states.get(node.id, "")) for node in graph.nodes))


def _named(value: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(name, item) for name, item in value.items() if isinstance(item, dict)] if isinstance(value, dict) else []


def _node(name: str, step: dict[str, Any], *, handler: str = "") -> GraphNode:
    needs = step.get("needs")
    listed = [needs] if isinstance(needs, str) else needs if isinstance(needs, list) else []
    return GraphNode(name, _text(step.get("uses")), tuple(map(_text, listed)), _text(step.get("if")), handler)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else dump_json(value).decode()


# -- text


def text_graph(graph: Graph, *, color: bool) -> str:
    """Return the graph as lines: each step below what it needs."""
    names = {node.id for node in graph.nodes}
    depths: dict[str, int] = {}
    for node in sorted_nodes(graph.nodes):
        depths[node.id] = max((depths.get(need, 0) + 1 for need in node.needs if need in names), default=0)
    left = max((2 * depths[node.id] + len(node.id) for node in graph.nodes), default=0)
    uses = max((len(node.uses) for node in graph.nodes), default=0)
    lines = [clean(graph.title)] if graph.title else []
    lines += [clean(f"trigger {name}  {use}".rstrip()) for name, use in graph.triggers]
    for node in sorted_nodes(graph.nodes):
        lines.append(_text_line(node, "  " * depths[node.id], left=left, uses=uses, color=color))
    return "\n".join(lines)


def _text_line(node: GraphNode, indent: str, *, left: int, uses: int, color: bool) -> str:
    notes = [f"needs {', '.join(node.needs)}"] if node.needs else []
    notes += [f"if {node.condition}"] if node.condition else []
    notes += [f"on {node.handler}"] if node.handler else []
    state = paint(node.state) if color else node.state
    shown = "  ".join([state, *map(clean, notes)] if state else map(clean, notes))
    return f"{clean(indent + node.id):<{left}}  {clean(node.uses):<{uses}}  {shown}".rstrip()


def sorted_nodes(nodes: Sequence[GraphNode]) -> list[GraphNode]:
    """Return nodes behind what they need, else in their order; those of a circle last."""
    left, placed, done = list(nodes), [], set[str]()
    known = {node.id for node in nodes}
    while left:
        ready = [node for node in left if all(need in done or need not in known for need in node.needs)]
        ready = ready[:1] or left  # a circle is no workflow; it is drawn as it stands
        placed += ready
        done |= {node.id for node in ready}
        left = [node for node in left if node.id not in done]
    return placed


# -- Mermaid and DOT


def mermaid_graph(graph: Graph) -> str:
    """Return the graph as a Mermaid flowchart."""
    names = {node.id: f"s{at}" for at, node in enumerate(graph.nodes)}
    lines = ["flowchart TD"]
    for node in graph.nodes:
        left, right = ("{{", "}}") if node.handler else ("[", "]")
        lines.append(f'  {names[node.id]}{left}"{_mermaid(_label(node, "<br/>"))}"{right}')
    roots = [node for node in graph.nodes if not node.needs and not node.handler]
    for at, (name, uses) in enumerate(graph.triggers):
        label = "<br/>".join(filter(None, (name, uses)))
        lines.append(f'  t{at}(["{_mermaid(label)}"])')
        lines += [f"  t{at} -.-> {names[node.id]}" for node in roots]
    for node in graph.nodes:
        for need in node.needs:
            if need in names:
                arrow = f' -->|"{_mermaid(node.condition)}"| ' if node.condition else " --> "
                lines.append(f"  {names[need]}{arrow}{names[node.id]}")
    for state in dict.fromkeys(node.state for node in graph.nodes if node.state):
        lines.append(f"  classDef {state} fill:{_FILLS.get(state, '#ffffff')},stroke:#555")
        members = ",".join(names[node.id] for node in graph.nodes if node.state == state)
        lines.append(f"  class {members} {state}")
    return "\n".join(lines)


def _mermaid(text: str) -> str:
    for sign, word in (("#", "#35;"), ('"', "#quot;"), ("<br/>", "\0"), ("<", "#lt;"), (">", "#gt;"), ("\0", "<br/>")):
        text = text.replace(sign, word)
    return " ".join(clean(text).split())


def dot_graph(graph: Graph) -> str:
    """Return the graph in the language of Graphviz."""
    lines = [f"digraph {_quoted(graph.title or 'workflow')} {{", "  rankdir=TB;", f"  node [{_BOX}];"]
    for node in graph.nodes:
        shape = ", shape=hexagon" if node.handler else ""
        fill = f", fillcolor={_quoted(_FILLS[node.state])}" if node.state in _FILLS else ""
        lines.append(f"  {_quoted(node.id)} [label={_quoted(_label(node, chr(10)))}{shape}{fill}];")
    roots = [node for node in graph.nodes if not node.needs and not node.handler]
    for name, uses in graph.triggers:
        place = _quoted(f"trigger {name}")
        lines.append(f"  {place} [label={_quoted(f'{name}{chr(10)}{uses}'.strip())}, shape=oval];")
        lines += [f"  {place} -> {_quoted(node.id)} [style=dashed];" for node in roots]
    names = {node.id for node in graph.nodes}
    for node in graph.nodes:
        note = f" [label={_quoted(node.condition)}]" if node.condition else ""
        lines += [f"  {_quoted(need)} -> {_quoted(node.id)}{note};" for need in node.needs if need in names]
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    cleaned = "\n".join(clean(line) for line in text.split("\n"))
    return '"' + cleaned.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _label(node: GraphNode, line: str) -> str:
    named = f"on {node.handler}" if node.handler else node.id
    return line.join(part for part in (named, node.uses, node.state) if part)
