"""What `config show` prints."""

from pathlib import Path

from hostd.config.load import load_config
from hostd.config.shown import shown_values


def test_values_come_with_origins_and_without_secrets(tmp_path: Path) -> None:
    """Declared secrets and plugin settings named like one print as stars; the rest as a person writes it."""
    file = tmp_path / "hostd.yaml"
    file.write_text(
        "tls: {certificate: c, key: k, key_password: hunter22}\nretention: {runs: 36h}\n"
        "plugins: {settings: {kafka: {api_key: abc, brokers: [b1]}}}\n"
    )

    shown = {line.key: line for line in shown_values(load_config(env={"HOME": "/nowhere"}, file=file))}

    assert shown["tls.key_password"].value == "***"
    assert shown["plugins.settings.kafka.api_key"].value == "***"
    assert shown["plugins.settings.kafka.brokers"].value == ["b1"]
    assert shown["retention.runs"] == ("retention.runs", "1d12h", f"{file}:2")
    assert shown["http.body_max"] == ("http.body_max", "1MiB", "default")


def test_secrets_of_plugins_are_hidden_at_any_depth(tmp_path: Path) -> None:
    """In lists, in mappings of a secret name, and in addresses; the plugin called `secrets` is like any other."""
    file = tmp_path / "hostd.yaml"
    file.write_text(
        "plugins:\n  settings:\n"
        "    mail: {accounts: [{user: a, password: hunter1}], credentials: {user: b, value: hunter2}}\n"
        "    http: {proxy: 'http://ada:hunter3@proxy.example:3128', private: true}\n"
        "    secrets: {folder: /srv/secrets}\n"
    )

    shown = shown_values(load_config(env={"HOME": "/nowhere"}, file=file))
    values = {line.key: line.value for line in shown if line.key.startswith("plugins.settings.")}

    assert "hunter" not in str(shown)
    assert values["plugins.settings.mail.accounts"] == [{"user": "a", "password": "***"}]
    assert values["plugins.settings.http.proxy"] == "http://***@proxy.example:3128"
    assert values["plugins.settings.http.private"] is True
    assert values["plugins.settings.secrets.folder"] == "/srv/secrets"
