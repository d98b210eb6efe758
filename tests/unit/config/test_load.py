"""Loading a configuration: precedence, every mistake at once, places, origins."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hostd.config.load import Loaded, default_data_folder, load_config
from hostd.config.reference import config_keys
from hostd.errors.base import HostdError

OTHER = {  # a value of each key that is not its default: as written, and as it must arrive
    "data": ("/srv/hostd", Path("/srv/hostd")),
    "listen": ("127.0.0.1:9000", "127.0.0.1:9000"),
    "insecure": ("true", True),
    "env": ("REGION, STAGE", ("REGION", "STAGE")),
    "tls.certificate": ("/c.pem", Path("/c.pem")),
    "tls.key": ("/k.pem", Path("/k.pem")),
    "tls.key_password": ("hunter22", "hunter22"),
    "tls.client_ca": ("/ca.pem", Path("/ca.pem")),
    "http.listen": ("off", "off"),
    "http.body_max": ("512KiB", 512 << 10),
    "http.body_timeout": ("3s", timedelta(seconds=3)),
    "http.headers_max": ("32", 32),
    "http.connections_max": ("7", 7),
    "http.hosts": ("a.example,b.example", ("a.example", "b.example")),
    "http.origins": ("https://ui.example", ("https://ui.example",)),
    "plugins.dir": ("/srv/plugins", Path("/srv/plugins")),
    "plugins.inline": ("[kafka]", ("kafka",)),
    "plugins.thread": ("[mail]", ("mail",)),
    "plugins.process": ("[http]", ("http",)),
    "plugins.groups": ("{ours: [shop, feed]}", {"ours": ("shop", "feed")}),
    "plugins.limits.memory": ("128MiB", 128 << 20),
    "plugins.limits.files": ("64", 64),
    "plugins.limits.file_size": ("2MiB", 2 << 20),
    "plugins.limits.cpu": ("1.5", 1.5),
    "plugins.limits.attempts": ("5", 5),
    "plugins.limits.start": ("5s", timedelta(seconds=5)),
    "plugins.limits.answer": ("5s", timedelta(seconds=5)),
    "plugins.limits.idle": ("1m", timedelta(minutes=1)),
    "plugins.limits.orphan": ("5s", timedelta(seconds=5)),
    "plugins.allow": ("cron,http", ("cron", "http")),
    "plugins.deny": ("lua", ("lua",)),
    "plugins.install": ("never", "never"),
    "plugins.settings": ("{http: {retries: 3}}", {"http": {"retries": 3}}),
    "plugins.safe_mode": ("true", True),
    "plugins.trace": ("true", True),
    "lua.isolation": ("required", "required"),
    "lua.workers": ("2", 2),
    "lua.spare": ("0", 0),
    "lua.limits.cpu": ("500ms", timedelta(milliseconds=500)),
    "lua.limits.slice": ("1s", timedelta(seconds=1)),
    "lua.limits.memory": ("64MiB", 64 << 20),
    "lua.limits.input": ("2MiB", 2 << 20),
    "lua.limits.output": ("2MiB", 2 << 20),
    "lua.limits.reply": ("2MiB", 2 << 20),
    "lua.limits.source": ("128KiB", 128 << 10),
    "lua.limits.string": ("4MiB", 4 << 20),
    "lua.limits.pattern": ("128", 128),
    "lua.limits.coroutines": ("5", 5),
    "lua.limits.host_calls": ("5", 5),
    "lua.limits.log": ("1KiB", 1024),
    "journal.store": ("memory", "memory"),
    "journal.accept_loss": ("true", True),
    "retention.runs": ("2d", timedelta(days=2)),
    "retention.logs": ("1d", timedelta(days=1)),
    "retention.events": ("1d", timedelta(days=1)),
    "retention.dedup_keys": ("1d", timedelta(days=1)),
    "retention.dedup_keys_max": ("500", 500),
    "retention.request_ids": ("48h", timedelta(days=2)),
    "retention.dead_letters": ("1d", timedelta(days=1)),
    "retention.events_size": ("2GiB", 2 << 30),
    "retention.audit": ("90d", timedelta(days=90)),
    "limits.runs_in_memory": ("100", 100),
    "limits.watches": ("100", 100),
    "limits.doors": ("100", 100),
    "limits.inline": ("10", 10),
    "limits.threads": ("4", 4),
    "limits.processes": ("4", 4),
    "limits.cancel_grace": ("5s", timedelta(seconds=5)),
    "limits.drain": ("5s", timedelta(seconds=5)),
    "log.level": ("debug", "debug"),
    "log.format": ("json", "json"),
    "log.attempts": ("warning", "warning"),
    "otel.endpoint": ("http://localhost:4318", "http://localhost:4318"),
    "otel.protocol": ("grpc", "grpc"),
    "otel.ca": ("/etc/ca.pem", Path("/etc/ca.pem")),
    "otel.certificate": ("/etc/otel.pem", Path("/etc/otel.pem")),
    "otel.key": ("/etc/otel.key", Path("/etc/otel.key")),
    "otel.headers": ("authorization=Basic x", "authorization=Basic x"),
    "otel.sample": ("0.25", 0.25),
    "otel.metrics_every": ("30s", timedelta(seconds=30)),
    "egress.private": ("true", True),
    "egress.allow": ("10.1.0.0/16", ("10.1.0.0/16",)),
    "egress.deny": ("evil.example", ("evil.example",)),
}
TOGETHER = {"tls.certificate": "tls.key", "tls.key": "tls.certificate", "tls.client_ca": "tls.certificate,tls.key"}


def value_at(loaded: Loaded, key: str) -> Any:
    """Return the value at a dotted key."""
    value: Any = loaded.config
    for part in key.split("."):
        value = getattr(value, part)
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


def load_text(tmp_path: Path, text: str, **env: str) -> Loaded:
    """Load a file of the given text."""
    file = tmp_path / "hostd.yaml"
    file.write_text(text)
    return load_config(env=env, file=file)


def mistakes_of(tmp_path: Path, text: str, **env: str) -> list[tuple[str, str, int, int, str]]:
    """Return (path, reason, line, column, suggestion) of each mistake in a file of the given text."""
    with pytest.raises(HostdError) as caught:
        load_text(tmp_path, text, **env)
    assert caught.value.reason == "CONFIG_INVALID"
    return [(fault.path, fault.reason, fault.line, fault.column, fault.suggestion) for fault in caught.value.violations]


def test_every_key_is_known_here() -> None:
    """The table above has every key of the models, and no other."""
    assert sorted(OTHER) == sorted(key for key, _ in config_keys())


@pytest.mark.parametrize("key", sorted(OTHER))
def test_each_key_is_an_environment_variable(key: str) -> None:
    """HOSTD_A__B sets a.b, and the origin says so."""
    text, expected = OTHER[key]
    env = {
        f"HOSTD_{name.replace('.', '__').upper()}": OTHER[name][0] for name in TOGETHER.get(key, "").split(",") if name
    }
    name = f"HOSTD_{key.replace('.', '__').upper()}"
    default = load_config(env={"HOME": "/nowhere"})

    loaded = load_config(env={"HOME": "/nowhere", name: text, **env})

    assert value_at(loaded, key) == expected != value_at(default, key)
    assert loaded.origins[key] == f"env {name}"


def test_flags_win_then_environment_then_file_then_default(tmp_path: Path) -> None:
    """Four layers lie over each other, key by key."""
    file = tmp_path / "my.yaml"
    file.write_text("listen: 127.0.0.1:1\nhttp: {listen: 127.0.0.1:1}\nlog: {level: error}\n")
    env = {"HOSTD_LISTEN": "127.0.0.1:2", "HOSTD_HTTP__LISTEN": "127.0.0.1:2", "HOME": "/nowhere"}

    loaded = load_config(flags={"listen": "127.0.0.1:3", "data": None}, env=env, file=file)

    assert loaded.config.listen == "127.0.0.1:3"
    assert loaded.config.http.listen == "127.0.0.1:2"
    assert loaded.config.log.level == "error"
    assert loaded.config.log.format == "text"
    assert loaded.origins["listen"] == "flag --listen"
    assert loaded.origins["http.listen"] == "env HOSTD_HTTP__LISTEN"
    assert loaded.origins["log.level"] == f"{file}:3"
    assert "log.format" not in loaded.origins


def test_the_file_is_named_by_variable_or_lies_in_the_data_folder(tmp_path: Path) -> None:
    """HOSTD_CONFIG names the file; else hostd.yaml of the data folder is read when it is there."""
    (tmp_path / "hostd.yaml").write_text("log: {level: debug}")
    (tmp_path / "other.yaml").write_text("log: {level: error}")

    assert load_config(env={"HOSTD_DATA": str(tmp_path)}).config.log.level == "debug"
    assert load_config(env={}, flags={"data": str(tmp_path)}).config.log.level == "debug"
    named = {"HOSTD_DATA": str(tmp_path), "HOSTD_CONFIG": str(tmp_path / "other.yaml")}
    assert load_config(env=named).config.log.level == "error"
    assert load_config(env={"HOSTD_DATA": str(tmp_path / "empty")}).file is None


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    """A file that somebody named and that is missing is an error, not a default."""
    with pytest.raises(HostdError, match="does not exist"):
        load_config(env={}, file=tmp_path / "missing.yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 give a sentence, not a traceback."""
    (tmp_path / "hostd.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(HostdError, match="not UTF-8"):
        load_config(env={}, file=tmp_path / "hostd.yaml")


def test_data_lies_where_the_system_says() -> None:
    """A systemd unit's state directory wins over the user's folders."""
    assert default_data_folder({"HOME": "/home/a"}) == Path("/home/a/.local/share/hostd")
    assert default_data_folder({"HOME": "/home/a", "XDG_DATA_HOME": "/x"}) == Path("/x/hostd")
    assert default_data_folder({"STATE_DIRECTORY": "/var/lib/hostd"}) == Path("/var/lib/hostd")


def test_every_mistake_is_reported_with_its_place(tmp_path: Path) -> None:
    """Unknown keys get the nearest one, wrong values their line; nothing hides the next."""
    text = (
        "listn: 127.0.0.1:1\nhttp:\n  body_max: lots\n  bodymax: 1MiB\nlua:\n  limits: {cpu: 3}\nenv: [OK, 'not ok']\n"
    )

    found = mistakes_of(tmp_path, text)

    assert ("listn", "KEY_UNKNOWN", 1, 1, "did you mean `listen`?") in found
    assert ("http.body_max", "VALUE_INVALID", 3, 3, "") in found
    assert ("http.bodymax", "KEY_UNKNOWN", 4, 3, "did you mean `http.body_max`?") in found
    assert ("lua.limits.cpu", "VALUE_INVALID", 6, 12, "") in found
    assert ("env[1]", "VALUE_INVALID", 7, 11, "") in found
    assert len(found) == 5


def test_an_unknown_variable_is_refused() -> None:
    """A mistyped HOSTD_ variable is named with what was probably meant; those of others are let be."""
    others = {"HOSTD_TOKEN": "x", "HOSTD_SECRET_API": "x", "HOSTD_PORT": "tcp://10.0.0.1:1", "HOSTD_PORT_1_TCP": "x"}

    load_config(env={"HOME": "/nowhere", **others, "HOSTD_SERVICE_HOST": "10.0.0.1", "HOSTD_LISTEN": ""})
    with pytest.raises(HostdError) as caught:
        load_config(env={"HOME": "/nowhere", "HOSTD_LOG__LEVL": "debug"})

    assert caught.value.violations[0].suggestion == "did you mean `log.level`?"
    assert "HOSTD_LOG__LEVL" in caught.value.message
    with pytest.raises(HostdError) as caught:
        load_config(env={"HOME": "/nowhere", "HOSTD_HTTP_BODY_MAX": "1MiB"})
    assert caught.value.violations[0].suggestion == "did you mean `HOSTD_HTTP__BODY_MAX`?"


def test_a_port_alone_is_shown_as_an_address(tmp_path: Path) -> None:
    """`listen: 7421` is a number; how an address is written stands beside it."""
    shown = "write an address with its port, such as 127.0.0.1:7420"
    assert mistakes_of(tmp_path, "http: {listen: 7421}\n") == [("http.listen", "TYPE_INVALID", 1, 8, shown)]


def test_a_room_that_is_only_comments_is_its_default(tmp_path: Path) -> None:
    """`http:` with every line commented out means nothing; an unknown key with nothing behind it is still unknown."""
    assert load_text(tmp_path, "http:\n  # listen: off\n").config.http.listen == "127.0.0.1:7421"
    assert [found[1] for found in mistakes_of(tmp_path, "htpp:\n")] == ["KEY_UNKNOWN"]


def test_a_value_where_a_room_should_be_is_named(tmp_path: Path) -> None:
    """`http: off` is a type mistake, also when the environment goes deeper."""
    assert mistakes_of(tmp_path, "http: off\n") == [("http", "TYPE_INVALID", 1, 1, "")]
    assert mistakes_of(tmp_path, "http: off\n", HOSTD_HTTP__LISTEN="off")[0][1] == "TYPE_INVALID"
    assert mistakes_of(tmp_path, "- a\n")[0][1] == "TYPE_INVALID"


def test_listening_beyond_loopback_needs_tls_or_a_word(tmp_path: Path) -> None:
    """Without TLS only loopback is fine, unless --insecure says otherwise; both ports are watched."""
    found = mistakes_of(tmp_path, "listen: 0.0.0.0:7420\nhttp: {listen: 'hostd.example:80'}\n")
    assert [(path, reason, line) for path, reason, line, *_ in found] == [
        ("listen", "INSECURE_LISTEN", 1),
        ("http.listen", "INSECURE_LISTEN", 2),
    ]

    load_text(tmp_path, "listen: 0.0.0.0:7420\ninsecure: true\n")
    load_text(tmp_path, "listen: 0.0.0.0:7420\ntls: {certificate: /c, key: /k}\n")
    load_text(tmp_path, "listen: '[::1]:7420'\nhttp: {listen: 'localhost:1'}\n")


def test_halves_of_tls_are_refused(tmp_path: Path) -> None:
    """A certificate without a key is a mistake."""
    assert mistakes_of(tmp_path, "tls:\n  certificate: /c.pem\n")[0][:3] == ("tls", "VALUE_INVALID", 1)


def test_variables_in_texts_are_replaced_after_parsing(tmp_path: Path) -> None:
    """A secret with `: ` and `#` stays one text; a missing variable is a mistake with its line."""
    text = (
        "tls: {certificate: c, key: k, key_password: '${PASS}'}\n"
        "log: {level: '${LEVEL:-error}'}\n"
        "lua: {workers: '${N}'}\n"
    )

    loaded = load_text(tmp_path, text, PASS="a: b #c ${N}", N="3")

    assert loaded.config.tls.key_password is not None
    assert loaded.config.tls.key_password.get_secret_value() == "a: b #c ${N}"
    assert loaded.config.log.level == "error"
    assert loaded.config.lua.workers == 3
    assert mistakes_of(tmp_path, text, PASS="x") == [("lua.workers", "VARIABLE_INVALID", 3, 7, "")]


def test_settings_of_plugins_are_carried_as_they_are(tmp_path: Path) -> None:
    """What a plugin's settings mean is the plugin's business; the environment reaches into them too."""
    text = "plugins: {settings: {http: {agent: me, codes: [1, 2]}}}"

    loaded = load_text(
        tmp_path, text, HOSTD_PLUGINS__SETTINGS__HTTP__RETRIES="3", HOSTD_PLUGINS__SETTINGS__HTTP__AGENT="you"
    )

    assert loaded.config.plugins.settings == {"http": {"agent": "you", "codes": [1, 2], "retries": 3}}


def test_a_secret_is_never_in_an_error_or_a_repr(tmp_path: Path) -> None:
    """Mistakes beside a secret do not print it."""
    text = "tls: {certificate: c, key: k, key_password: [hunter22]}\n"
    with pytest.raises(HostdError) as caught:
        load_text(tmp_path, text)
    assert "hunter22" not in str(caught.value) + str(caught.value.violations)

    loaded = load_text(tmp_path, text.replace("[hunter22]", "hunter22"))
    assert "hunter22" not in repr(loaded)


def test_a_value_out_of_bounds_is_told_the_bound_as_it_is_written(tmp_path: Path) -> None:
    """Sizes and durations are named in their units, and the mistakes stand in the order of the file."""
    file = tmp_path / "hostd.yaml"
    file.write_text("lua: {isolatoin: required, workers: 0}\nhttp: {body_max: 99TiB}\nlimits: {drain: 2h}\n")
    with pytest.raises(HostdError) as caught:
        load_config(env={}, file=file)
    assert [(fault.line, fault.message) for fault in caught.value.violations] == [
        (1, "`lua.isolatoin` is not a key of the configuration"),
        (1, "`lua.workers`: at least 1 is allowed"),
        (2, "`http.body_max`: at most 1MiB is allowed"),
        (3, "`limits.drain`: at most 1h is allowed"),
    ]


def test_mistakes_across_keys_are_not_hidden_by_others(tmp_path: Path) -> None:
    """What several keys make together is looked at with the wrong ones left out."""
    text = "limits: {threads: many}\nenv: ['not ok']\ntls: {certificate: c.pem}\nhttp: {listen: 0.0.0.0:1}\n"

    found = [fault[:3] for fault in mistakes_of(tmp_path, text)]

    assert ("tls", "VALUE_INVALID", 3) in found
    assert ("limits.threads", "VALUE_INVALID", 1) in found
    assert ("env[0]", "VALUE_INVALID", 2) in found
    assert len(found) == 3
