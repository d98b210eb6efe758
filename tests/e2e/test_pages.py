"""Pages of docs/ to the letter: each is played on a daemon of its own, and prints what it says it prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from company import shop
from pages import Stage
from requires import require_tool
from tree import ROOT

DOCS = ROOT / "docs"
PLAIN = ["branch", "retry", "schedule"]


@pytest.mark.parametrize("page", PLAIN)
def test_the_page_works_as_written(page: str, tmp_path: Path) -> None:
    """With nothing but the daemon."""
    Stage(tmp_path).play(DOCS / f"how-to/{page}.md")


def test_an_api_is_called_as_written(tmp_path: Path) -> None:
    """Token, pages and a busy server; a shop of the test's own stands where the page says shop.example."""
    pytest.importorskip("cryptography", reason="cryptography is not installed: pip install 'hostd[secrets]'")
    with shop() as address:
        stage = Stage(tmp_path, {"https://shop.example": address}, HOSTD_EGRESS__ALLOW='["127.0.0.1"]')
        stage.play(DOCS / "how-to/call-an-api.md")


def test_a_signed_webhook_is_received_as_written(tmp_path: Path) -> None:
    """With curl and openssl as the sender."""
    pytest.importorskip("cryptography", reason="cryptography is not installed: pip install 'hostd[secrets]'")
    require_tool("curl")
    require_tool("openssl")
    Stage(tmp_path).play(DOCS / "how-to/webhook.md")
