"""`hostd config` without a daemon."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest


def test_values_come_with_where_they_come_from(hostd: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`hostd config show --origin` lists every key."""
    (tmp_path / "hostd.yaml").write_text("limits: {threads: 7}\n")
    monkeypatch.setenv("HOSTD_LUA__WORKERS", "2")

    done = hostd("config", "show", "--data", str(tmp_path), "--origin", "-o", "json")

    values = {item["key"]: item for item in map(json.loads, done.out.splitlines())}
    assert values["data"] == {"key": "data", "value": str(tmp_path), "origin": "flag --data"}
    assert values["limits.threads"] == {"key": "limits.threads", "value": 7, "origin": f"{tmp_path}/hostd.yaml:1"}
    assert values["lua.workers"]["origin"] == "env HOSTD_LUA__WORKERS"
    assert "limits.threads" in hostd("config", "show").out


def test_one_value_is_printed_alone(hostd: Any, tmp_path: Path) -> None:
    """For scripts; a misspelt key gets the nearest one."""
    (tmp_path / "my.yaml").write_text("http: {hosts: [a.example]}\nretention: {runs: 90d}\n")
    file = str(tmp_path / "my.yaml")

    assert hostd("config", "get", "retention.runs", "--config", file).out == "90d\n"
    assert json.loads(hostd("config", "get", "http.hosts", "--config", file, "-o", "json").out) == ["a.example"]
    wrong = hostd("config", "get", "retention.run")
    assert (wrong.code, "did you mean retention.runs?" in wrong.err) == (2, True)


def test_a_check_names_every_mistake_at_once(hostd: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FILE:LINE:COL for what the file says, the variable's name for what the environment says; exit code 2."""
    file = tmp_path / "my.yaml"
    file.write_text("listn: x\nhttp:\n  body_max: 5\ntls: {certificate: c.pem}\n")
    monkeypatch.setenv("HOSTD_LIMITS__THREADS", "many")

    done = hostd("config", "check", str(file))

    assert done.code == 2
    assert done.out.splitlines()[1:] == [
        f"{file}:1:1 listn: KEY_UNKNOWN `listn` is not a key of the configuration (did you mean `listen`?)",
        f"{file}:3:3 http.body_max: VALUE_INVALID `http.body_max`: at least 1KiB is allowed",
        f"{file}:4:1 tls: VALUE_INVALID `tls.certificate` and `tls.key` go together (set both)",
    ]
    assert "HOSTD_LIMITS__THREADS" in done.out.splitlines()[0]


def test_a_check_looks_at_certificates_and_plugins_settings_too(hostd: Any, tmp_path: Path) -> None:
    """What would keep a port or a plugin from starting has its line; settings that nobody takes are a warning."""
    file = tmp_path / "my.yaml"
    file.write_text(
        "tls: {certificate: no.pem, key: no.pem}\nplugins:\n  settings:\n    http: {privat: true}\n"
        "    sql: {roots: 3}\n    htpt: {x: 1}\n"
    )

    done = hostd("config", "check", str(file), "-o", "json")

    found = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 2
    assert [(fault["path"], fault["line"]) for fault in found] == [
        ("tls", 1),
        ("plugins.settings.http.request.privat", 4),
        ("plugins.settings.sql.roots", 5),
    ]
    assert "plugins.settings.htpt" in done.err


def test_a_right_configuration_checks_in_silence(hostd: Any, tmp_path: Path) -> None:
    """Settings that a component takes for its plugin are no warning; no file is right, one that was named not."""
    (tmp_path / "my.yaml").write_text("plugins: {settings: {http: {private: true}}}\n")

    done = hostd("config", "check", str(tmp_path / "my.yaml"))

    assert (done.code, done.out, done.err) == (0, "", f"{tmp_path}/my.yaml: no mistakes\n")
    assert hostd("config", "check").code == 0
    missing = hostd("config", "check", str(tmp_path / "none.yaml"))
    no_other = "leave --config and HOSTD_CONFIG out to have none"
    assert (missing.code, missing.out) == (2, f".: CONFIG_INVALID {tmp_path}/none.yaml does not exist ({no_other})\n")


def test_the_schema_is_json_schema(hostd: Any) -> None:
    """An editor takes it as it is."""
    schema = json.loads(hostd("config", "schema").out)

    jsonschema_rs.meta.validate(schema)
    assert schema["properties"]["limits"]["properties"]["threads"]["anyOf"][0]["maximum"] == 1024
