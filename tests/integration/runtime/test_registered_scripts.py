"""Lua is compiled when a document is registered or checked, not when it first runs."""

from __future__ import annotations

import pytest
from lab import NAMESPACE, Lab

from hostd.cli.local_documents import check_documents
from hostd.errors.base import HostdError

BAD = """\
workflow: w
steps:
  a:
    uses: lua.script
    with:
      script: |
        local x = 1
        return x +
"""
GREEDY = 'workflow: w\nsteps:\n  a: {uses: lua.script, with: {script: "return 1", limits: {cpu_ms: 900}}}\n'


async def test_a_script_that_does_not_compile_is_refused_at_the_door(lab: Lab) -> None:
    """Registering raises the mistake with its place, and nothing is registered; checking answers the same."""
    with pytest.raises(HostdError) as refused:
        await lab.register(BAD)
    checked = await lab.core.front.workflows.validate(NAMESPACE, BAD.encode(), file="")

    for faults in (refused.value.violations, checked.violations):
        assert [(fault.reason, fault.line, fault.path) for fault in faults] == [
            ("SCRIPT_INVALID", 8, "steps.a.with.script")
        ]
    with pytest.raises(HostdError, match="WORKFLOW_MISSING"):
        await lab.core.workflows.plans.resolve(NAMESPACE, "w")


async def test_a_limit_above_the_operators_is_refused_at_the_door(lab: Lab) -> None:
    """The operator's ceiling is the one that counts."""
    await lab.register(GREEDY)
    await lab.restart(lua={"limits": {"cpu": "500ms"}})
    with pytest.raises(HostdError) as refused:
        await lab.register(GREEDY.replace("return 1", "return 2"))
    assert [fault.path for fault in refused.value.violations] == ["steps.a.with.limits.cpu_ms"]


def test_checking_without_a_daemon_compiles_too() -> None:
    """`hostd validate` says the same with file and line."""
    faults, _ = check_documents(BAD.encode(), "w.yaml")
    assert [(fault.file, fault.line, fault.reason) for fault in faults] == [("w.yaml", 8, "SCRIPT_INVALID")]
