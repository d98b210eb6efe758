"""Graphs of workflows."""

from hostd.cli import graphs

DOCUMENT = {
    "workflow": "greet",
    "version": "1.0.0",
    "triggers": {"door": {"uses": "http.webhook"}},
    "steps": {
        "say": {"uses": "log.write", "needs": ["think", "pause"]},
        "think": {"uses": "lua.script"},
        "pause": {"uses": "flow.wait", "needs": "think", "if": 'steps.think.output["n"] > 3'},
    },
    "handlers": {"failure": {"uses": "log.write"}},
}
TEXT = """\
greet 1.0.0
trigger door  http.webhook
think    lua.script
  pause  flow.wait   needs think  if steps.think.output["n"] > 3
    say  log.write   needs think, pause
failure  log.write   on failure"""
MERMAID = """\
flowchart TD
  s0["say<br/>log.write"]
  s1["think<br/>lua.script"]
  s2["pause<br/>flow.wait"]
  s3{{"on failure<br/>log.write"}}
  t0(["door<br/>http.webhook"])
  t0 -.-> s1
  s1 --> s0
  s2 --> s0
  s1 -->|"steps.think.output[#quot;n#quot;] #gt; 3"| s2"""
DOT = r"""digraph "greet 1.0.0" {
  rankdir=TB;
  node [shape=box, style="rounded,filled", fillcolor=white];
  "say" [label="say\nlog.write"];
  "think" [label="think\nlua.script"];
  "pause" [label="pause\nflow.wait"];
  "failure" [label="on failure\nlog.write", shape=hexagon];
  "trigger door" [label="door\nhttp.webhook", shape=oval];
  "trigger door" -> "think" [style=dashed];
  "think" -> "say";
  "pause" -> "say";
  "think" -> "pause" [label="steps.think.output[\"n\"] > 3"];
}"""


def test_a_document_in_each_format() -> None:
    """Triggers, steps behind what they need, conditions, handlers; quotes and brackets are written as each wants."""
    graph = graphs.graph_of_document(DOCUMENT)

    assert graphs.text_graph(graph, color=False) == TEXT
    assert graphs.mermaid_graph(graph) == MERMAID
    assert graphs.dot_graph(graph) == DOT


def test_the_states_of_a_run_are_coloured() -> None:
    """Steps of one state share a class in Mermaid, and have its colour in DOT."""
    steps = [
        {"id": "think", "uses": "lua.script", "needs": [], "handler": "", "state": "SUCCEEDED"},
        {"id": "pause", "uses": "flow.wait", "needs": ["think"], "handler": "", "state": "WAITING"},
    ]
    run = graphs.graph_of_run({"workflow": "greet", "version": "1", "run_id": "r", "trigger": "", "steps": steps})
    drawn = graphs.with_states(graphs.graph_of_document(DOCUMENT), run)

    assert "  class s1 SUCCEEDED" in graphs.mermaid_graph(drawn)
    assert '"pause" [label="pause\\nflow.wait\\nWAITING", fillcolor="#b2ebf2"];' in graphs.dot_graph(drawn)
    assert "WAITING  needs think" in graphs.text_graph(drawn, color=False)


def test_odd_documents_are_drawn_as_far_as_they_go() -> None:
    """A circle, a need that is not there, steps that are none, control characters: no error, nothing is obeyed."""
    odd = {"workflow": "\x1b[2J", "steps": {"a": {"needs": ["b"]}, "b": {"needs": ["a", "zzz"]}, "c": 1, "d": {}}}
    graph = graphs.graph_of_document(odd)
    for text in (graphs.text_graph(graph, color=False), graphs.mermaid_graph(graph), graphs.dot_graph(graph)):
        assert "\x1b" not in text
        assert "a" in text
    assert graphs.text_graph(graphs.graph_of_document([1]), color=False) == ""


def test_a_large_graph_is_sorted_in_the_order_of_the_document() -> None:
    """Where needs leave a choice, steps stand as the document has them."""
    steps = {f"s{n}": {"uses": "flow.pass", "needs": [f"s{n - 1}"] if n else []} for n in range(300)}
    nodes = graphs.graph_of_document({"steps": dict(reversed(steps.items()))}).nodes
    assert [node.id for node in graphs.sorted_nodes(nodes)] == [f"s{n}" for n in range(300)]
