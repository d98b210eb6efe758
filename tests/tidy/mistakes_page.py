"""docs/reference/mistakes.md from the golden files of tests/e2e/test_mistakes.py: nothing on it was not printed."""

from __future__ import annotations

import re
from pathlib import Path

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "mistakes"
PARTS = ("Workflow documents", "The command line", "Reaching the daemon", "Starting the daemon", "Plugins", "Webhooks")
HEAD = """\
# Common mistakes

What people get wrong, what hostd says then, and why. Search this page for the words you read. Each message was printed
by a real command against a real daemon (paths, ports and times are made alike). `hostd explain REASON` says more about
a reason; [all reasons](errors.md).
"""


def mistakes_reference() -> str:
    """Return the page."""
    found: dict[str, list[str]] = {part: [] for part in PARTS}
    for file in sorted(GOLDEN.glob("*.txt")):
        head, _, transcript = file.read_text(encoding="utf-8").partition("\n\n")
        first, _, why = head.partition("\n")
        part, _, title = first.partition(": ")
        fence = "`" * max(3, *(len(ticks) + 1 for ticks in re.findall("`+", transcript)), 3)
        body = f"{fence}text\n{transcript.rstrip()}\n{fence}"
        found[part].append(f"### {title}\n\n{why}\n\n{body}")
    parts = [f"## {part}\n\n" + "\n\n".join(texts) for part, texts in found.items()]
    return HEAD + "\n" + "\n\n".join(parts) + "\n"
