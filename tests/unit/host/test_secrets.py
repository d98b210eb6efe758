"""Secrets: the providers in order, each namespace by itself, nothing readable by others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hostd.errors.base import HostdError
from hostd.host.discover import find_built_in
from hostd.host.found import Choices
from hostd.host.host import PluginHost


@pytest.fixture
def host(tmp_path: Path) -> PluginHost:
    """Return a host with a data folder and the built-in providers."""
    made = PluginHost(Choices(allow=frozenset({"secrets"})), data_dir=tmp_path)
    made.load(find_built_in())
    return made


def private(path: Path, text: str | bytes) -> Path:
    """Write a file that only its owner may read."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o600)
    return path


async def refused(host: PluginHost, name: str, namespace: str = "default") -> HostdError:
    """Return the error of a secret that cannot be read."""
    with pytest.raises(HostdError) as caught:
        await host.secrets.get(namespace, name)
    return caught.value


async def test_the_environment_comes_first(host: PluginHost, tmp_path: Path, monkeypatch: Any) -> None:
    """A variable beats the file, the file serves what the environment does not have."""
    private(tmp_path / "secrets.yaml", "token: from-file\nother: also-file\n")
    monkeypatch.setenv("HOSTD_SECRET_TOKEN", "from-environment")
    assert await host.secrets.get("default", "token") == "from-environment"
    assert await host.secrets.get("default", "other") == "also-file"


async def test_a_missing_secret_is_named(host: PluginHost) -> None:
    """SECRET_MISSING for a name nobody knows, and for what is no name."""
    assert (await refused(host, "token")).reason == "SECRET_MISSING"
    for name in ("", "TOKEN", "../token", "a" * 64, "to-ken"):
        assert (await refused(host, name)).reason == "SECRET_MISSING"


async def test_namespaces_do_not_see_each_other(host: PluginHost, tmp_path: Path, monkeypatch: Any) -> None:
    """Neither file nor variable of one namespace answers in another, whatever the names look like."""
    private(tmp_path / "secrets.yaml", "token: default-file\n")
    private(tmp_path / "secrets.team-a.yaml", "token: team-file\n")
    monkeypatch.setenv("HOSTD_SECRET_TEAM_A__KEY", "team-key")
    monkeypatch.setenv("HOSTD_SECRET_KEY", "default-key")
    assert await host.secrets.get("team-a", "token") == "team-file"
    assert await host.secrets.get("team-a", "key") == "team-key"
    assert await host.secrets.get("default", "key") == "default-key"
    assert (await refused(host, "team_a__key")).reason == "SECRET_MISSING"
    assert (await refused(host, "token", "other")).reason == "SECRET_MISSING"
    assert (await refused(host, "token", "../default")).reason == "SECRET_MISSING"


async def test_values_are_the_text_that_is_written(host: PluginHost, tmp_path: Path) -> None:
    """YAML turns no secret into a number, a truth value or a date, and one file may be one secret."""
    private(tmp_path / "secrets.yaml", "pin: 0123\nword: yes\ndate: 2026-01-01\nquoted: 'a: b'\n")
    private(tmp_path / "secrets" / "key", "line one\nline two\n")
    assert [await host.secrets.get("default", name) for name in ("pin", "word", "date", "quoted", "key")] == [
        "0123",
        "yes",
        "2026-01-01",
        "a: b",
        "line one\nline two",
    ]


async def test_a_changed_file_is_read_again(host: PluginHost, tmp_path: Path) -> None:
    """A rotated secret needs no restart."""
    path = private(tmp_path / "secrets.yaml", "token: old\n")
    assert await host.secrets.get("default", "token") == "old"
    path.unlink()
    private(path, "token: newer\n")
    assert await host.secrets.get("default", "token") == "newer"
    path.unlink()
    assert (await refused(host, "token")).reason == "SECRET_MISSING"


@pytest.mark.parametrize(
    "text, words",
    [
        ("token: hunter2hunter2\ntoken: again", "stands there twice"),
        ("- hunter2hunter2", "must be a mapping"),
        ("token: [hunter2hunter2]", "must be a text"),
        ("token: 'hunter2hunter2", "not YAML, line"),
        ("To-Ken: hunter2hunter2", "line 1"),
        (b"token: \xff\xfe", "not UTF-8"),
        (b"x" * (1024 * 1024 + 1), "more than 1048576 bytes"),
    ],
)
async def test_a_file_that_cannot_be_read_is_named_without_its_content(
    host: PluginHost, tmp_path: Path, text: str | bytes, words: str
) -> None:
    """The error names file and line, never a value."""
    private(tmp_path / "secrets.yaml", text)
    error = await refused(host, "token")
    assert error.reason == "PLUGIN_FAILED"
    assert words in error.message
    assert "secrets.yaml" in error.message
    assert "hunter2" not in error.message


async def test_files_that_others_may_read_are_refused(host: PluginHost, tmp_path: Path) -> None:
    """Group or world readable: the error says chmod 600."""
    private(tmp_path / "secrets.yaml", "token: x\n").chmod(0o640)
    assert "chmod 600" in (await refused(host, "token")).message
    (tmp_path / "secrets.yaml").unlink()
    private(tmp_path / "secrets" / "token", "x").chmod(0o604)
    assert "chmod 600" in (await refused(host, "token")).message


async def test_files_that_others_may_read_are_named_at_the_start(
    host: PluginHost, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong mode, a broken file and an open single secret are warned of before anybody asks; values never show."""
    private(tmp_path / "secrets.yaml", "token: very-secret-value\n").chmod(0o644)
    private(tmp_path / "secrets.team-a.yaml", "token: very-secret-value\n")
    private(tmp_path / "secrets.team-b.yaml", "token: [very-secret-value")
    private(tmp_path / "secrets" / "alone", "very-secret-value").chmod(0o640)
    private(tmp_path / "secrets.txt", "not ours").chmod(0o644)

    await host.secrets.prepare()

    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warned) == 3
    for name, why in (("secrets/alone", "0640"), ("secrets.team-b.yaml", "YAML"), ("secrets.yaml", "chmod 600")):
        assert any(name in line and why in line for line in warned)
    assert "very-secret-value" not in caplog.text
    assert await host.secrets.get("team-a", "token") == "very-secret-value"
