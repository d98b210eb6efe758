"""A workflow's own retention, from its document to what pruning leaves."""

from __future__ import annotations

from pathlib import Path

from lab import Lab

from hostd.journal.port import Retention
from hostd.model.ids import stored_id

DAY_MS = 86_400_000
QUICK = """
workflow: quick
retention: {runs: 2d, logs: 1d}
steps:
  say: {uses: log.write, with: {message: hello}}
"""
PLAIN = QUICK.replace("quick", "plain").replace("retention: {runs: 2d, logs: 1d}\n", "")


async def test_a_run_goes_when_its_workflow_says(tmp_path: Path) -> None:
    """Past its workflow's time a run goes, before the operator's; its logs go after their own; others stay."""
    lab = await Lab(tmp_path / "data").open()
    quick = await lab.start(await lab.register(QUICK))
    plain = await lab.start(await lab.register(PLAIN))
    ended_ms = (await lab.ended(quick, plain)).ended_at_ms
    keeps = lab.core.journal.log_keeps([stored_id(quick.run_id), stored_id(plain.run_id)])
    await lab.restart()
    journal = lab.core.journal
    assert keeps == {stored_id(quick.run_id): DAY_MS}
    assert journal.prune(now_ms=ended_ms + DAY_MS, retention=Retention()) == 0
    while journal.prune(now_ms=ended_ms + 3 * DAY_MS, retention=Retention()):
        pass
    assert [row.workflow for row in lab.runs()] == ["plain"]
    await lab.close()
