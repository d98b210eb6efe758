"""Samples of the built-in plugins do what they say, with no more than their first lines ask for."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, of_kind

from hostd.model.records import RunEnded, RunOutcome
from hostd.model.states import RunState
from hostd.values.json_text import parse_json

HOME = Path(__file__).parents[3] / "plugins" / "builtin" / "hostd_builtin"
OUTPUTS: dict[str, Any] = {
    "cron": None,
    "event": None,
    "kv": {"count": 1, "limit": 100},
    "log": None,
    "lua": {"sum": 6.5},
    "mock": 3,
    "schema": {"id": 1, "lines": [{"sku": "pen", "count": 2}]},
    "transform": [{"key": "FR", "orders": 1, "total": 40}, {"key": "DE", "orders": 1, "total": 12.5}],
}


async def output_of(tmp_path: Path, plugin: str, value: Any = None, **settings: Any) -> Any:
    """Run a plugin's sample; return its output."""
    lab = await Lab(tmp_path / "data", **({"plugins": {"settings": {plugin: settings}}} if settings else {})).open()
    try:
        row, records = await lab.run((HOME / plugin / "sample.yaml").read_text(), value)
        assert row.state == RunState.SUCCEEDED, records
        [end] = of_kind(records, RunOutcome) or of_kind(records, RunEnded)
        return parse_json(end.output) if end.output else None
    finally:
        await lab.core.lua.close()
        await lab.close()


@pytest.mark.parametrize("plugin", OUTPUTS)
async def test_a_sample_runs_as_it_is(plugin: str, tmp_path: Path) -> None:
    """Without input or settings."""
    assert await output_of(tmp_path, plugin) == OUTPUTS[plugin]


async def test_samples_run_with_what_the_operator_permits(tmp_path: Path) -> None:
    """The one setting each of them names is enough."""
    assert await output_of(tmp_path, "sql", roots=[str(tmp_path)]) == {"amount": 12}
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "1.json").write_text('{"n": 1}')
    await output_of(tmp_path, "file", {"path": "orders/1.json"}, roots=[str(tmp_path)])
    assert [json.loads(file.read_text()) for file in (tmp_path / "done").iterdir()] == [{"n": 1}]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", tmp_path, *who, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    assert await output_of(tmp_path, "shell", allow=["git"], roots=[str(tmp_path)]) == []


@pytest.mark.parametrize("plugin", ["sql", "file", "shell"])
async def test_what_is_not_permitted_names_its_setting(plugin: str, tmp_path: Path) -> None:
    """Who reads the message knows where to look."""
    lab = await Lab(tmp_path / "data").open()
    try:
        text = (HOME / plugin / "sample.yaml").read_text()
        _, records = await lab.run(text, {"path": "a", "amount": 1})
        assert f"plugins.settings.{plugin}." in str(records)
    finally:
        await lab.close()
