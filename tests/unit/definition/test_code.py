"""Scripts in documents: each fault at its line of the document, beside every other mistake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from hostd.definition.compile import compile_text
from hostd.definition.ports import CodeFault, CodeSource
from hostd.errors.base import HostdError

DOCUMENT = """\
workflow: w
steps:
  block:
    uses: test.lua
    with:
      limits: {cpu_ms: 9000}
      script: |
        local one = 1
        fault here
  line: {uses: test.lua, with: {script: "fault"}}
  mixed: {uses: test.lua, with: {script: "return ${{ input.x }}"}}
  other: {uses: test.send, with: {url: u, script: "fault in no Lua"}}
  wrong: {uses: test.nowhere}
"""


class Fake:
    """Finds the word fault."""

    def __init__(self) -> None:
        self.asked: list[CodeSource] = []

    def faults(self, sources: Sequence[CodeSource]) -> list[CodeFault]:
        self.asked += sources
        found = []
        for number, source in enumerate(sources):
            for line, text in enumerate(source.text.splitlines(), 1):
                if "fault" in text:
                    found.append(CodeFault(number, "SCRIPT_INVALID", f"{source.name}:{line}: no", line))
            if source.limits:
                found.append(CodeFault(number, "OPTION_INVALID", "too much", limit="cpu_ms"))
        return found


@pytest.fixture
def with_lua(catalogue: Any) -> Any:
    made_up = type(catalogue.actions["test.send"])
    catalogue.actions["test.lua"] = made_up(
        {"script": str, "limits": dict}, code_fields=frozenset({"script"}), executors=("lua",)
    )
    return catalogue


def test_a_fault_stands_at_its_line_of_the_document(with_lua: Any) -> None:
    """A block's line is counted on from the key, a quoted script's is its own; what is no Lua is left alone."""
    check = Fake()

    with pytest.raises(HostdError) as refused:
        compile_text(DOCUMENT, file="w.yaml", catalogue=with_lua, code=check)

    found = {(fault.line, fault.path, fault.reason) for fault in refused.value.violations}
    assert found == {
        (6, "steps.block.with.limits.cpu_ms", "OPTION_INVALID"),
        (9, "steps.block.with.script", "SCRIPT_INVALID"),
        (10, "steps.line.with.script", "SCRIPT_INVALID"),
        (11, "steps.mixed.with.script", "CODE_INTERPOLATION"),
        (13, "steps.wrong.uses", "ACTION_UNKNOWN"),
    }
    assert [source.name for source in check.asked] == ["block", "line"]


def test_what_nobody_could_compile_is_a_warning(with_lua: Any) -> None:
    """The document is taken, and says that its scripts were not looked at."""

    class Nobody:
        def faults(self, sources: Sequence[CodeSource]) -> list[CodeFault]:
            return [CodeFault(0, "", "not compiled: no workers here")]

    text = 'workflow: w\nsteps:\n  a: {uses: test.lua, with: {script: "return 1"}}\n'
    (plan,) = compile_text(text, catalogue=with_lua, code=Nobody())
    assert plan.warnings == ("not compiled: no workers here",)
