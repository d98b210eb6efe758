"""What scripts ask of the host: durable keys and events, as the workflow's permissions say, and again after a rerun."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from lab import NAMESPACE, Lab, of_kind

from hostd.definition.capabilities import CAPABILITIES
from hostd.journal.port import RunRow
from hostd.model.messages import Cancel, Terminate
from hostd.model.records import AttemptFailed, RunEnded, RunOutcome
from hostd.model.states import RunState
from hostd.values.json_text import parse_json

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "lua.md"


def document(script: str, *permissions: str, retry: str = "") -> str:
    """Return a workflow of one script whose output is the run's."""
    body = "\n".join(f"        {line}" for line in script.splitlines())
    return f"""\
workflow: w
permissions: [{", ".join(permissions)}]
steps:
  a:
    uses: lua.script
    {retry}
    with:
      script: |
{body}
output: ${{{{ steps.a.output }}}}
"""


async def ended(lab: Lab, text: str) -> tuple[RunRow, Any, list[Any]]:
    """Return a run's row, its output, and the failures of its attempts."""
    row, records = await lab.run(text)
    [outcome] = of_kind(records, RunOutcome) or of_kind(records, RunEnded)
    output = parse_json(outcome.output) if outcome.output else None
    return row, output, [record.failure for record in of_kind(records, AttemptFailed)]


async def test_a_script_reads_and_changes_keys(lab: Lab) -> None:
    """Every call takes and gives what the action of its name does, by sugar or by `host.call`."""
    _, output, _ = await ended(
        lab,
        document(
            """\
local first = kv.put{key = "a", value = {n = 1}, expected_version = 0}
local again = host.call("kv.put", {key = "a", value = {n = 2}, expected_version = first.version})
local sum = kv.add{key = "count", amount = 5}
kv.add{key = "count"}
local gone = kv.delete{key = "a", expected_version = again.version}
local keys = {}
for _, entry in ipairs(kv.list{prefix = ""}.entries) do keys[#keys + 1] = entry.key end
return {first.version, again.value.n, sum.value, gone.deleted, kv.get{key = "a", default = "none"}.value, keys}
""",
            *CAPABILITIES,
        ),
    )
    assert output == [1, 2, 5, True, "none", ["count"]]
    entry = await lab.core.key_values.get(NAMESPACE, "count")
    assert entry is not None and entry.value == 6


async def test_only_what_the_workflow_asked_for_is_granted(lab: Lab) -> None:
    """A call without its permission is refused with what there is, and changes nothing."""
    row, _, failures = await ended(lab, document('kv.put{key = "a", value = 1}', "kv.get"))
    assert (row.state, [failure.code for failure in failures]) == (RunState.FAILED, ["CAPABILITY_DENIED"])
    assert await lab.core.key_values.get(NAMESPACE, "a") is None
    _, said, _ = await ended(lab, document('return select(2, pcall(host.call, "kv.set", {key = "a"}))', "kv.put"))
    assert "there is no host call 'kv.set'" in said and "kv.put" in said


async def test_a_fault_of_a_call_is_caught_or_tried_again(lab: Lab) -> None:
    """The reason is the text's first word; uncaught it fails the step, which is tried again where the reason allows."""
    _, said, _ = await ended(
        lab, document('return select(2, pcall(kv.put, {key = "a", value = 1, expected_version = 7}))', "kv.put")
    )
    assert said.startswith("KV_CONFLICT: ")
    row, output, failures = await ended(
        lab,
        document(
            'return kv.put{key = "b", value = 1, expected_version = ctx.attempt == 1 and 7 or 0}.version',
            "kv.put",
            retry="retry: {max_attempts: 2, initial_interval: 1ms}",
        ),
    )
    assert (row.state, output) == (RunState.SUCCEEDED, 1)
    assert [(failure.code, failure.retryable) for failure in failures] == [("KV_CONFLICT", True)]
    row, _, failures = await ended(lab, document('kv.put{key = "b", valu = 1}', "kv.put"))
    assert [(failure.code, failure.retryable) for failure in failures] == [("OPTION_INVALID", False)]


async def test_a_rerun_publishes_nothing_twice(lab: Lab) -> None:
    """Each call has an id of its own, the same when the script runs again; an id that is given is taken."""
    row, output, failures = await ended(
        lab,
        document(
            """\
local one = event.publish{topic = "t", data = 1}
local two = event.publish{topic = "t", data = 2}
local own = event.publish{topic = "t", data = 3, id = "mine"}
if ctx.attempt < 3 then error("again") end
return {one.position, two.position, own.position}
""",
            "event.publish",
            retry="retry: {max_attempts: 3, initial_interval: 1ms}",
        ),
    )
    assert (row.state, len(failures)) == (RunState.SUCCEEDED, 2)
    page, _ = await lab.core.topics.read(NAMESPACE, ["t"], after=0, limit=100, wait_ms=0)
    assert [(one.position, one.event.data) for one in page] == list(zip(output, [1, 2, 3], strict=True))
    assert len({one.event.id for one in page}) == 3 and page[2].event.id == "mine"


@pytest.mark.parametrize("cut", ["cancel", "terminate", "timeout"])
async def test_a_script_that_is_cut_off_writes_nothing_any_more(lab: Lab, cut: str) -> None:
    """What it asks for behind the end of its run, or of its time, changes nothing, whatever was under way."""
    loops = 'while true do kv.add{key = "n"}; event.publish{topic = "t", data = 1} end'
    text = document(loops, "kv.add", "event.publish", retry="timeout: 1s" if cut == "timeout" else "")
    started = await lab.start(await lab.register(text))
    if cut != "timeout":
        while await lab.core.key_values.get(NAMESPACE, "n") is None:
            await asyncio.sleep(0.005)
        await lab.ask(started, Cancel("enough") if cut == "cancel" else Terminate("enough"))
    await lab.ended(started)
    entry = await lab.core.key_values.get(NAMESPACE, "n")
    last = await lab.core.topics.last()
    for number in range(5):
        await ended(lab, document(f"return {number}").replace("workflow: w", f"workflow: w{number}"))
    assert await lab.core.key_values.get(NAMESPACE, "n") == entry
    assert await lab.core.topics.last() == last


async def test_permissions_that_grant_nothing_are_warned_of(lab: Lab) -> None:
    """Registering tells of an unknown one, with the nearest that there is."""
    text = document("return 1", "kv.set", "kv.ad", "kv.get").encode()
    checked = await lab.core.front.workflows.validate(NAMESPACE, text, file="")
    assert [warning.split(":")[1].split(";")[0] for warning in checked.warnings] == [
        " kv.set grants nothing",
        " kv.ad grants nothing",
    ]
    assert "did you mean kv.add?" in checked.warnings[1]


def test_the_page_names_every_capability() -> None:
    """The table of lua.md and what the daemon knows are the same, in the same words."""
    rows = re.findall(r"^\| `([a-z.]+)` \| ([^|]+) \| [^|]*\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert {name: what for name, what in rows if name in CAPABILITIES} == CAPABILITIES
