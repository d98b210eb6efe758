"""Files and mail on a real core: in threads and on a loop that nothing blocks, under the operator's rules."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from lab import Lab, of_kind

from hostd.model.records import AttemptFailed
from hostd.model.states import RunState

FILES = """
workflow: files
steps:
  write:
    uses: file.write
    with: {path: deep/a.txt, text: "${{ input.text }}", create_parents: true}
  read:
    needs: write
    uses: file.read
    with: {path: deep/a.txt}
  move:
    needs: read
    uses: file.move
    with: {path: deep/a.txt, to: b.txt}
output: {same: "${{ steps.read.output.content == input.text }}", size: "${{ steps.read.output.size }}"}
"""

MAIL = """
workflow: mail
steps:
  tell:
    uses: email.send
    with:
      server: {host: 127.0.0.1, port: PORT, security: none}
      from: robot@example.org
      to: ada@example.org
      subject: ${{ input.subject }}
      text: hello
"""


class Postbox:
    """Keeps messages."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep one."""
        self.kept.append(envelope.content)
        return "250 kept"


async def test_a_large_file_goes_through_a_run(tmp_path: Path) -> None:
    """Text larger than what a record holds is written, read and moved, in threads."""
    root = tmp_path / "root"
    await asyncio.to_thread(root.mkdir)
    lab = await Lab(None, plugins={"settings": {"file": {"roots": [str(root)]}}}).open()
    text = "x" * 200_000
    row, _ = await lab.run(FILES, {"text": text})
    assert row.state == RunState.SUCCEEDED
    assert await asyncio.to_thread((root / "b.txt").read_text) == text
    await lab.close()


async def test_files_without_roots_fail_with_the_setting() -> None:
    """The failure of the step names what the operator has to set."""
    lab = await Lab(None).open()
    row, records = await lab.run(FILES, {"text": "x"})
    assert row.state == RunState.FAILED
    [failed] = of_kind(records, AttemptFailed)
    assert "plugins.settings.file.roots" in failed.failure.message
    await lab.close()


@pytest.mark.parametrize("private", [True, False])
async def test_mail_keeps_to_the_rules_of_egress(private: bool) -> None:
    """A mail server on the loopback needs `egress.private`, as a web server does."""
    postbox = Postbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(postbox, hostname="x"), "127.0.0.1", 0)
    lab = await Lab(None, egress={"private": private}).open()
    port = server.sockets[0].getsockname()[1]
    row, records = await lab.run(MAIL.replace("PORT", str(port)), {"subject": "hi"})
    assert row.state == (RunState.SUCCEEDED if private else RunState.FAILED)
    assert len(postbox.kept) == int(private)
    if not private:
        assert of_kind(records, AttemptFailed)[0].failure.code == "ADDRESS_DENIED"
    await lab.close()
    server.close()
