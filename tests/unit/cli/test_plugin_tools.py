"""Pages, samples, starters and the doctor of plugins, without a daemon."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hostd.host.component_page import sample_block
from hostd.host.doctor import about
from hostd.host.host import PluginHost
from hostd.values.json_text import dump_json

MANIFEST = "manifest: 1\nid: sick\nversion: 0.1.0\nruntime: python\n"
GOOD = '''
from hostd.plugin import Action, Options, Registry, hookimpl

class Do(Action[Options]):
    """Does it."""

    id, since, stability, effects = "sick.do", "0.1", "stable", "none"

    async def run(self, ctx, options):
        BODY

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Do)
'''


def sick(folder: Path, code: str, manifest: str = MANIFEST) -> str:
    """Write a plugin's folder; return its path."""
    home = folder / "sick"
    home.mkdir()
    (home / "hostd-plugin.yaml").write_text(manifest)
    (home / "__init__.py").write_text(code)
    return str(home)


def test_a_page_is_made_from_the_model(hostd: Any) -> None:
    """Types, defaults, bounds, examples and a sample, in Markdown."""
    done = hostd("plugin", "docs", "cron.every")
    assert done.code == 0
    assert done.out.startswith("# cron.every\n")
    assert "| `period` | duration | required | at least 100ms, at most 52w2d |" in done.out
    assert "```yaml\ntriggers:\n  every:\n    uses: cron.every\n" in done.out


@pytest.mark.parametrize("kind", ["action", "trigger"])
def test_every_sample_has_what_is_required_and_nothing_unknown(kind: str) -> None:
    """What `plugin sample` prints of each built-in component is accepted by that component."""
    registry = PluginHost().load()
    for entry in registry.actions.values() if kind == "action" else registry.triggers.values():
        (block,) = sample_block(about(entry))[f"{'steps' if kind == 'action' else 'triggers'}"].values()
        options = block.get("with", {})
        assert entry.check_literals(options, frozenset()) == []
        assert set(entry.schema.get("required", ())) <= set(options)
        assert dump_json(block)


def test_an_unknown_component_is_told_with_a_guess(hostd: Any) -> None:
    """And the exit code of what is missing."""
    done = hostd("plugin", "sample", "cron.evry")
    assert done.code == 3 or done.code > 0
    assert "did you mean cron.every?" in done.err


@pytest.mark.timeout(400)
@pytest.mark.parametrize("runtime", ["python", "lua", "exec"])
def test_a_starter_is_well_and_passes_its_own_test(hostd: Any, tmp_path: Path, runtime: str) -> None:
    """As it was written, on this machine."""
    assert hostd("plugin", "new", "price-feed", "--runtime", runtime, "--dir", str(tmp_path)).code == 0
    folder = tmp_path / "price-feed"

    examined = hostd("plugin", "doctor", str(folder), "-o", "json")
    found = json.loads(examined.out)
    assert (examined.code, found["mistakes"], found["remarks"]) == (0, [], [])
    assert found["components"] == [{"kind": "action", "id": "price_feed.say"}]

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout

    again = hostd("plugin", "new", "price-feed", "--dir", str(tmp_path))
    assert (again.code, "is there already" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("code", "manifest", "told"),
    [
        ("1 / 0", MANIFEST, "PLUGIN_FAILED ZeroDivisionError: division by zero"),
        ("def broken(:", MANIFEST, "SyntaxError"),
        ("x = 1", MANIFEST, "NOTHING_REGISTERED"),
        (GOOD.replace("@hookimpl\n", ""), MANIFEST, "did you forget @hookimpl?"),
        (
            GOOD.replace("BODY", "return 1"),
            MANIFEST + "colour: red\n",
            "hostd-plugin.yaml:5:1 colour: MANIFEST_INVALID",
        ),
        (GOOD.replace("BODY", "return (await ctx.kv.get('a')).value"), MANIFEST, "__init__.py:10:23 permissions: "),
        (GOOD.replace('    """Does it."""\n', ""), MANIFEST, "action sick.do: the class has no docstring"),
        ("import os; os._exit(9)", MANIFEST, "exit 9"),
    ],
)
def test_the_doctor_names_what_is_wrong(hostd: Any, tmp_path: Path, code: str, manifest: str, told: str) -> None:
    """With its place where there is one, and the exit code of what is not valid; never with a traceback of ours."""
    done = hostd("plugin", "doctor", sick(tmp_path, code, manifest))
    assert done.code == 2
    assert told in done.out
    assert not re.search(r"/hostd/(host|plugin)/", done.out + done.err)


def test_what_a_plugin_does_by_itself_is_only_remarked(hostd: Any, tmp_path: Path) -> None:
    """The host cannot refuse it; the operator wants to know."""
    done = hostd("plugin", "doctor", sick(tmp_path, "import socket\n" + GOOD.replace("BODY", "return 1")))
    assert done.code == 0
    assert "remark: " in done.out
    assert "__init__.py:1:1 permissions: it imports socket" in done.out


def test_what_is_not_here_and_cannot_be_asked_for_says_both(hostd: Any) -> None:
    """No daemon runs: the answer is that of what is here, and says that nobody was asked."""
    for arguments in (("docs", "shop.price"), ("sample", "shop.price", "--from", "shop"), ("doctor", "shop")):
        done = hostd("plugin", *arguments)
        assert done.code == 4
        assert "the daemon could not be asked: UNREACHABLE" in done.err


def test_without_a_path_every_folder_is_examined(hostd: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the configured plugins folder, the well and the sick."""
    sick(tmp_path, "1 / 0")
    monkeypatch.setenv("HOSTD_PLUGINS__DIR", str(tmp_path))
    assert "plugin sick 0.1.0 has 1 mistake" in hostd("plugin", "doctor").out


def test_the_list_names_isolation_and_process() -> None:
    """An operator sees at once where each plugin runs, and how often its process had to be started again."""
    from hostd.cli.plugins import _listing

    process = {"state": "ready", "pid": 4711, "restarts": 2}
    item = {"id": "shop", "version": "1", "source": "folder", "state": "LOADED", "isolation": "process"}
    item |= {"process": process, "reason": "", "message": "", "components": []}
    head, row = _listing([item]).splitlines()
    assert head.split() == ["PLUGIN", "VERSION", "SOURCE", "STATE", "ISOLATION", "PROCESS", "WHY", "COMPONENTS"]
    assert "process    ready 4711 (2 restarts)" in row
