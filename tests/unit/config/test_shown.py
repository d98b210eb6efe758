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
