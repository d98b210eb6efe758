"""Transforms, schemas, programs and databases on a real core: in documents, under a loop that nothing blocks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, of_kind

from hostd.errors.base import HostdError
from hostd.model.messages import Cancel
from hostd.model.records import AttemptFailed
from hostd.model.states import RunState

ORDERS = """
workflow: orders
steps:
  check:
    uses: schema.validate
    with:
      value: ${{ input.orders }}
      schema: {type: array, items: {type: object, required: [country, total]}}
  table:
    needs: check
    uses: sql.execute
    with: {file: orders.db, statement: "CREATE TABLE sums (country TEXT, total INTEGER)"}
  sums:
    needs: check
    uses: transform.apply
    with:
      input: ${{ steps.check.output.value }}
      vars: {least: "${{ input.least }}"}
      operations:
        - filter: item.total >= vars.least
        - group_by: {by: item.country, figures: {total: {sum: item.total}}}
        - sort: item.key
  keep:
    needs: [table, sums]
    uses: sql.execute
    with:
      file: orders.db
      statement: INSERT INTO sums SELECT value ->> 'key', value ->> 'total' FROM json_each(:sums)
      parameters: {sums: "${{ steps.sums.output }}"}
  kept:
    needs: keep
    uses: sql.query
    with: {file: orders.db, statement: SELECT * FROM sums ORDER BY country}
  count:
    needs: kept
    uses: shell.run
    with:
      command: [python3, -c, "import json,sys; print(len(json.load(sys.stdin)))"]
      stdin: ${{ steps.kept.output.rows }}
      parse: json
  right:
    needs: count
    uses: schema.validate
    with:
      value: {rows: "${{ steps.kept.output.rows }}", count: "${{ steps.count.output.stdout }}"}
      schema: {const: {rows: [{country: de, total: 5}, {country: fr, total: 5}], count: 2}}
"""

SLEEP = """
workflow: sleep
steps:
  sleep:
    uses: shell.run
    with: {command: [sh, -c, 'echo $$ > "$FILE"; exec sleep 600'], env: {FILE: "${{ input.file }}"}}
"""


def permitted(root: Path) -> dict[str, Any]:
    """Return the operator's settings."""
    return {"settings": {"sql": {"roots": [str(root)]}, "shell": {"allow": ["python3", "sh"]}}}


async def test_data_goes_through_a_run(tmp_path: Path) -> None:
    """What came in is checked, summed up, kept, read back and handed to a program."""
    lab = await Lab(None, plugins=permitted(tmp_path)).open()
    orders = [{"country": "fr", "total": 5}, {"country": "de", "total": 2}, {"country": "de", "total": 3},
              {"country": "de", "total": 1}]  # fmt: skip
    started = await lab.start(await lab.register(ORDERS), {"orders": orders, "least": 2})
    row = await lab.ended(started)
    assert row.state == RunState.SUCCEEDED, lab.records(started)[-3:]
    await lab.close()


async def test_a_large_transform_holds_up_nobody() -> None:
    """A hundred thousand items are worked on while another run of many steps goes on."""
    lab = await Lab(None).open()
    name = await lab.register(
        "workflow: large\nsteps:\n  sum: {uses: transform.apply, with: {input: '${{ input.n }}', operations: "
        "[{map: 'item * 2'}, {filter: 'item > 10'}, {aggregate: {sum: {sum: item}}}]}}\n"
    )
    started = await lab.start(name, {"n": list(range(50_000))})
    small, _ = await lab.run("workflow: small\nsteps: {a: {uses: mock.noop}}")
    assert small.state == RunState.SUCCEEDED
    assert (await lab.ended(started)).state == RunState.SUCCEEDED
    await lab.close()


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("{uses: transform.apply, with: {operations: [{map: 'item.a +'}]}}", "OPTION_INVALID"),
        ("{uses: transform.apply, with: {operations: [{map: 'steps.a.output'}]}}", "OPTION_INVALID"),
        ("{uses: transform.apply, with: {operations: [{map: '${{ input.a }}'}]}}", "CODE_INTERPOLATION"),
        ("{uses: transform.jq, with: {program: '${{ input.a }}'}}", "CODE_INTERPOLATION"),
        ("{uses: shell.run, with: {command: [sh, -c, '${{ input.a }}']}}", "CODE_INTERPOLATION"),
        ("{uses: sql.query, with: {file: a, statement: 'SELECT ${{ input.a }}'}}", "CODE_INTERPOLATION"),
        (
            "{uses: sql.transaction, with: {file: a, statements: [{statement: 'SELECT ${{ input.a }}'}]}}",
            "CODE_INTERPOLATION",
        ),
        ("{uses: schema.validate, with: {schema: {const: '${{ input.a }}'}}}", "CODE_INTERPOLATION"),
    ],
)
async def test_code_takes_no_values(step: str, reason: str) -> None:
    """A document that would paste values into code, or holds a wrong expression, is refused when it is registered."""
    lab = await Lab(None).open()
    with pytest.raises(HostdError) as caught:
        await lab.register(f"workflow: wrong\nsteps:\n  a: {step}\n")
    assert reason in {fault.reason for fault in caught.value.violations}
    await lab.close()


async def test_programs_are_off_by_default(tmp_path: Path) -> None:
    """The failure names the operator's setting."""
    lab = await Lab(None).open()
    row, records = await lab.run(SLEEP, {"file": str(tmp_path / "pid")})
    assert row.state == RunState.FAILED
    [failed] = of_kind(records, AttemptFailed)
    assert failed.failure.code == "NOT_ALLOWED" and "plugins.settings.shell.allow" in failed.failure.message
    await lab.close()


async def test_a_cancelled_run_ends_its_program(tmp_path: Path) -> None:
    """Cancelling a run kills what its step started."""
    lab = await Lab(None, plugins=permitted(tmp_path)).open()
    file = tmp_path / "pid"
    started = await lab.start(await lab.register(SLEEP), {"file": str(file)})
    text = ""
    while not text.endswith("\n"):
        text = await asyncio.to_thread(lambda: file.read_text() if file.exists() else "")
        await asyncio.sleep(0.01)
    await lab.ask(started, Cancel())
    assert (await lab.ended(started)).state == RunState.CANCELED
    assert not await asyncio.to_thread(Path(f"/proc/{int(text)}").exists)
    await lab.close()
