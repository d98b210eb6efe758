"""Pages of docs/ to the letter: each is played on a daemon of its own, and prints what it says it prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from company import mail_server, shop
from pages import Stage
from postgres_server import postgres_server
from requires import require_tool
from tree import ROOT

pytestmark = pytest.mark.timeout(900)
DOCS = ROOT / "docs"
PLAIN = [
    *("backup", "branch", "container", "debug", "develop", "lua", "migrate", "poll", "programs", "retry", "roll-out"),
    *("schedule", "upgrade"),
]


@pytest.mark.parametrize("page", PLAIN)
def test_the_page_works_as_written(page: str, tmp_path: Path) -> None:
    """With nothing but the daemon."""
    Stage(tmp_path).play(DOCS / f"how-to/{page}.md")


def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    """From an empty folder through kill -9 and a test to a plugin."""
    require_tool("curl")
    Stage(tmp_path).play(DOCS / "tutorial.md")


@pytest.mark.parametrize("page", ["call-an-api", "big-values"])
def test_an_api_is_called_as_written(page: str, tmp_path: Path) -> None:
    """A shop of the test's own, busy at first, stands where the page says shop.example."""
    pytest.importorskip("cryptography", reason="cryptography is not installed: pip install 'hostd[secrets]'")
    with shop() as address:
        stage = Stage(tmp_path, {"https://shop.example": address}, HOSTD_EGRESS__ALLOW='["127.0.0.1"]')
        stage.play(DOCS / f"how-to/{page}.md")


def test_a_signed_webhook_is_received_as_written(tmp_path: Path) -> None:
    """With curl and openssl as the sender."""
    pytest.importorskip("cryptography", reason="cryptography is not installed: pip install 'hostd[secrets]'")
    require_tool("curl")
    require_tool("openssl")
    Stage(tmp_path).play(DOCS / "how-to/webhook.md")


@pytest.mark.parametrize("page", ["dead-letters", "events", "once"])
def test_what_is_sent_arrives_as_written(page: str, tmp_path: Path) -> None:
    """With curl as the sender."""
    require_tool("curl")
    Stage(tmp_path).play(DOCS / f"how-to/{page}.md")


def test_databases_are_asked_as_written(tmp_path: Path) -> None:
    """A PostgreSQL of the test's own stands where the page says db.example."""
    with postgres_server() as address:
        Stage(tmp_path, {"postgresql://hostd@db.example/shop": address}).play(DOCS / "how-to/databases.md")


def test_a_failure_is_told_by_mail_as_written(tmp_path: Path) -> None:
    """A mail server of the test's own stands where the page says mail.example."""
    pytest.importorskip("aiosmtplib", reason="aiosmtplib is not installed: pip install 'hostd[mail]'")
    with mail_server() as (port, letters):
        here = f"host: 127.0.0.1, port: {port}, security: none"
        stage = Stage(tmp_path, {"host: mail.example, port: 587, security: starttls": here})
        stage.seen["mail server"] = lambda: "\n".join(letters.kept)
        stage.play(DOCS / "how-to/mail-on-failure.md")
