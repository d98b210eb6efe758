"""Scripts of many runs: one workflow's flood does not hold up another's script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from lab import Lab

from hostd.model.states import run_is_final

LOOP = """workflow: flood
steps:
  a: {uses: lua.script, with: {script: "while true do end", limits: {cpu_ms: 100, wall_ms: 1000}}}
"""
QUIET = 'workflow: quiet\nsteps:\n  a: {uses: lua.script, with: {script: "return 1"}}\n'


async def test_another_workflows_script_is_next_when_a_worker_is_free(make_lab: Callable[..., Awaitable[Lab]]) -> None:
    """Twenty looping runs wait for one worker; the other workflow's run ends while most of them still wait."""
    lab = await make_lab(lua={"workers": 1})
    quiet = await lab.register(QUIET)
    flood = await lab.try_start(await lab.register(LOOP), count=20)
    await lab.running()
    row = await lab.ended(await lab.start(quiet))

    assert run_is_final(row.state)
    states = lab.states()
    assert sum(run_is_final(states[each.key]) for each in flood) <= 5
