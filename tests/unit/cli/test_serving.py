"""Flags of the daemon, and the configuration they make."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def test_serve_passes_its_flags_on(hostd: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every flag reaches the configuration the daemon is started with."""
    seen: list[Any] = []
    monkeypatch.setattr("hostd.daemon.serve", lambda loaded, read: seen.append(loaded.config) or 7)

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
