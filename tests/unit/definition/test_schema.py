"""The JSON Schema for editors and the reference page: both say what the tables say."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from hostd.definition.compile import compile_text, validate_text
from hostd.definition.grammar import (
    DEFAULTS,
    ENGINE_STEPS,
    HANDLERS,
    RETENTION,
    RETRY,
    STEP,
    TRIGGER,
    TRIGGER_DOCUMENT,
    WORKFLOW,
)
from hostd.definition.schema import trigger_schema, workflow_schema
from hostd.definition.shapes import Shape
from hostd.values.json_text import parse_json

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "workflow.md"
SHAPES: dict[str, Shape] = {
    shape.title: shape for shape in (WORKFLOW, DEFAULTS, RETENTION, TRIGGER, TRIGGER_DOCUMENT, STEP, RETRY, HANDLERS)
} | ENGINE_STEPS
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def validator() -> Any:
    return jsonschema_rs.validator_for(workflow_schema(), pattern_options=jsonschema_rs.RegexOptions())


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_of_the_page_are_sound(text: str, validator: Any) -> None:
    """Each example compiles, and its stored form fits the exported schema."""
    (plan,) = compile_text(text)
    assert [error.message for error in validator.iter_errors(parse_json(plan.document))] == []


@pytest.mark.parametrize(
    "body",
    [
        {"steps": {}},
        {"steps": {"a": {"with": {}}}},
        {"steps": {"a": {"uses": "flow.wait", "with": {"minutes": 5}}}},
        {"steps": {"a": {"uses": "x.y", "for_each": []}}},
        {"steps": {"a-b": {"uses": "x.y"}}},
        {"steps": {"a": {"uses": "x.y", "timeout": "soon"}}},
        {"steps": {"a": {"uses": "x.y", "retry": {"jitter": 2}}}},
        {"steps": {"a": {"uses": "x.y"}}, "states": {}},
        {"steps": {"a": {"uses": "x.y"}}, "version": "1.0"},
        {"steps": {"a": {"uses": "x.y"}}, "inputs": {"type": "objct"}},
        {"steps": {"a": {"uses": "x.y"}}, "triggers": {"t": {"uses": "x.y", "signal": {}}}},
    ],
)
def test_the_schema_refuses_what_the_compiler_refuses(body: dict[str, Any], validator: Any) -> None:
    """Unknown and refused words, names, durations and limits are mistakes in an editor too."""
    document = {"workflow": "a", **body}
    assert not validator.is_valid(document)
    assert validate_text(json.dumps(document))


@pytest.mark.parametrize(
    ("body", "sound"),
    [
        ({"target": "a@active"}, True),
        ({"target": "a@1.2.0", "with": {}, "input": {"a": 1}}, True),
        ({"target": "a"}, False),
        ({"target": "a@latest"}, False),
        ({"target": "a@active", "steps": {}}, False),
        ({}, False),
    ],
)
def test_the_schema_of_triggers_agrees_with_the_compiler(body: dict[str, Any], sound: bool) -> None:
    """What an editor takes as a trigger document is what the compiler takes."""
    document = {"trigger": "t", "uses": "x.y", **body}
    assert jsonschema_rs.validator_for(trigger_schema()).is_valid(document) is sound
    assert (not validate_text(json.dumps(document))) is sound


def table(shape: Shape) -> str:
    """Return the lines of the page for a shape."""
    rows = [
        f"| `{name}`{' (required)' if key.required else ''} | {key.doc} |"
        for name, key in shape.keys.items()
        if not key.refused
    ]
    return "\n".join(["| key | meaning |", "|---|---|", *rows])


def test_the_page_lists_the_keys_of_the_tables() -> None:
    """Every table of the page is what the grammar says (HOSTD_UPDATE_GOLDEN=1 writes them anew)."""
    page = PAGE.read_text()
    for title, shape in SHAPES.items():
        begin = f"<!-- keys: {title} -->"
        assert begin in page, title
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n{table(shape)}\n<!-- /keys -->{rest.partition('<!-- /keys -->')[2]}"
    if os.environ.get("HOSTD_UPDATE_GOLDEN"):
        PAGE.write_text(page)
    assert page == PAGE.read_text()


def test_the_page_names_every_word_that_is_refused() -> None:
    """Nobody has to find out by trying what is not built yet."""
    tail = PAGE.read_text().partition("## Not yet")[2]
    silent = {"initial", "context", "actions", "output", "as", "on_item_error", "every", "max_iterations"}
    refused = {name for shape in (WORKFLOW, STEP, TRIGGER) for name, key in shape.keys.items() if key.refused}
    assert [name for name in sorted(refused - silent) if f"`{name}`" not in tail and f"`{name}:`" not in tail] == []
