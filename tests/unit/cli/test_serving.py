"""Flags of the daemon, and the configuration they make."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def test_serve_passes_its_flags_on(hostd: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every flag reaches the configuration the daemon is started with."""
    seen: list[Any] = []
    monkeypatch.setattr("hostd.serving.serve", lambda loaded, read: seen.append(loaded.config) or 7)

    code = hostd(
        "serve", "--data", str(tmp_path), "--listen", "0.0.0.0:1", "--http", "off", "--insecure", "--accept-loss",
        "--safe-mode", "--memory", "--log-level", "error", "--log-format", "json",
    ).code  # fmt: skip

    (config,) = seen
    assert code == 7
    assert (config.data, config.listen, config.http.listen, config.insecure) == (tmp_path, "0.0.0.0:1", "off", True)
    assert (config.journal.accept_loss, config.journal.store, config.plugins.safe_mode) == (True, "memory", True)
    assert (config.log.level, config.log.format) == ("error", "json")


def test_variables_of_clients_are_no_mistakes_of_the_configuration(hostd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell set up for the command line can start a daemon too."""
    for name in ("ADDRESS", "TOKEN", "TOKEN_FILE", "NAMESPACE", "DEBUG", "TLS_CA", "TLS_CERT", "TLS_KEY"):
        monkeypatch.setenv(f"HOSTD_{name}", "x")

    assert hostd("config", "show").code == 0


def test_a_wrong_configuration_is_told_before_anything_starts(hostd: Any) -> None:
    """Every mistake with its place, exit code 2."""
    done = hostd("serve", "--listen", "nowhere", "--http", "0.0.0.0:1")

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: CONFIG_INVALID")
    assert "listen" in done.err


def test_a_start_goes_without_what_only_documents_need() -> None:
    """YAML, JSON Schema, RE2 and TOML are imported when a document is read, not by every start of the daemon."""
    program = """
import sys
import hostd.api.server, hostd.cli.local, hostd.daemon
from hostd.config.load import load_config
from hostd.host.host import PluginHost
load_config(env={}, flags={"data": "/nowhere"})
assert PluginHost().load().actions
print([name for name in ("yaml", "jsonschema_rs", "re2", "tomllib", "configparser") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_port_answers_before_what_can_wait_is_imported(tmp_path: Path) -> None:
    """When gRPC answers, what speaks HTTP and most built-in plugins are not imported yet; in the end they are.

    Only the providers of secrets are: they are asked at the start. A module more is a third of a millisecond more.
    """
    program = """
import asyncio, sys
from pathlib import Path
from hostd.config.load import load_config
from hostd.daemon import Daemon

def late():
    plugins = {name.split(".")[1] for name in sys.modules if name.startswith("hostd_builtin.")}
    waiting = ("aiohttp", "hostd.http.server", "hostd.journal.memory", "yaml", "jsonschema_rs", "re2")
    return sorted(plugins), [name for name in waiting if name in sys.modules]

class Watched(Daemon):
    async def _open_api(self):
        api = await super()._open_api()
        print(*late(), sum(name.startswith("hostd.") for name in sys.modules) <= 560)
        return api

async def start():
    flags = {"data": sys.argv[1], "listen": "off", "http.listen": "127.0.0.1:0"}
    daemon = Watched(load_config(env={}, flags=flags).config)
    await daemon.start()
    plugins, others = late()
    print("http" in plugins, others)
    assert all(entry.filled for entry in daemon.core.host.registry.actions.values())
    await daemon.stop(0.0)

asyncio.run(start())
"""
    command = [sys.executable, "-c", program, str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout == "['secrets'] [] True\nTrue ['aiohttp', 'hostd.http.server']\n", done.stderr
