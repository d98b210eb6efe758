"""The reference page of case files, from the tables that check them: `make docs` writes it."""

from __future__ import annotations

from typing import Any

from hostd.definition.shapes import Anything, Choice, Flag, Many, Named, Number, Period, Shape, Text
from hostd.testing.cases.grammar import (
    ANSWER,
    CASE,
    CASE_FILE,
    EXPECT,
    FAILS,
    FAILURE,
    MEANWHILE,
    STEP_EXPECTED,
    TRIGGER,
)
from hostd.testing.cases.matching import TYPES

HEAD = """\
# Case files

`NAME.test.yaml` beside a workflow holds its cases, for `hostd workflow test` and pytest:
[how to](../how-to/test-workflows.md).
Unknown keys are refused; every mistake is told with its line. `hostd schema tests` prints a JSON Schema for editors.
"""
MATCHERS = f"""
## Values that will do

In `output`, `message`, and options of `calls` a value stands for itself, or for all that will do:

| value | what will do |
|---|---|
| `{{$any: true}}` | anything but null |
| `{{$has: {{a: 1}}}}` | a mapping with at least these keys; of a list, each item is like one of its |
| `{{$matches: "^a.*"}}` | a text in which the pattern (RE2) is found |
| `{{$type: text}}` | a value of this type: {", ".join(TYPES)} |
"""
_SECTIONS: tuple[tuple[str, Shape], ...] = (
    ("Keys of the file", CASE_FILE),
    ("Each of `cases`", CASE),
    ("Each of `mocks`, and each entry of a `script`", ANSWER),
    ("`fails`", FAILS),
    ("`trigger`", TRIGGER),
    ("Each of `at`", MEANWHILE),
    ("`expect`", EXPECT),
    ("Each of `expect.steps`, where it is no state alone", STEP_EXPECTED),
    ("`expect.failure`", FAILURE),
)


def cases_reference() -> str:
    """Return the page."""
    return "\n".join([HEAD, *(f"## {title}\n\n{_table(shape)}" for title, shape in _SECTIONS)]) + MATCHERS


def _table(shape: Shape) -> str:
    lines = ["| key | value | meaning |", "|---|---|---|"]
    for name, key in shape.keys.items():
        required = " Required." if key.required else ""
        lines.append(f"| `{name}` | {_words(key.spec)} | {key.doc}{required} |")
    return "\n".join(lines) + "\n"


def _words(spec: Any) -> str:
    if isinstance(spec, Choice):
        return ", ".join(f"`{word}`" for word in spec.words)
    if isinstance(spec, Text):
        return spec.what
    if isinstance(spec, Many):
        return f"a list, each {spec.item.what}" + (", or one alone" if spec.or_one else "")
    if isinstance(spec, Named):
        return f"a mapping from {spec.name.what}"
    if isinstance(spec, Anything):
        return spec.what or "any value"
    return _SIMPLE[type(spec)]


_SIMPLE: dict[type, str] = {
    Flag: "`true` or `false`",
    Number: "a count",
    Period: "a duration such as `10s`",
    Shape: "a mapping",
}
