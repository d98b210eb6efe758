"""Every block of README and docs runs in some test, or says above it why it is only a piece."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import Block, blocks
from tree import ROOT

KINDS = {"sh", "bash", "yaml", "python", "lua", "json", "js", "go"}
PLAYED = (ROOT / "tests/e2e/test_pages.py").read_text(encoding="utf-8")

# Pages with a test of their own, and the remarks of the blocks that it runs; "" are blocks without one.
OWN = {
    "README.md": ("tests/e2e/test_readme.py", r"file: .*|background|dev|"),
    "docs/how-to/command-line.md": ("tests/e2e/test_command_line_page.py", r"file: .*|"),
    "docs/how-to/configure.md": ("tests/e2e/test_configure_page.py", r"file: .*|run"),
    "docs/how-to/embed.md": ("tests/e2e/test_embed_page.py", r"file: .*|python.*|"),
    "docs/how-to/observe.md": ("tests/e2e/test_observe_page.py", r"file: .*|run"),
    "docs/how-to/plugin.md": ("tests/e2e/test_how_to.py", r"file: .*|run"),
    "docs/how-to/python-client.md": ("tests/e2e/test_python_client.py", r"file: .*|run"),
    "docs/how-to/secrets.md": ("tests/e2e/test_secrets_page.py", r"file: .*|run"),
    "docs/how-to/test-workflows.md": ("tests/e2e/test_test_workflows_page.py", r"file: .*|prints|"),
    "docs/reference/cli.md": ("tests/unit/cli/test_examples.py", r""),
    "docs/reference/lua.md": ("tests/unit/lua/test_reference_page.py", r""),
}


def pages() -> Iterator[Path]:
    """Yield README and every page of docs/."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))


def is_run(page: Path, block: Block) -> bool:
    """Say whether some test runs a block, compiles it or loads it."""
    if block.kind == "yaml" and (block.text.startswith("workflow:") or block.mark == "config"):
        return True  # tests/tidy/test_docs.py
    if (page.parent.name == "how-to" and f'"{page.stem}"' in PLAYED) or f'{page.name}"' in PLAYED:
        return True
    _, marks = OWN.get(page.relative_to(ROOT).as_posix(), ("", r"(?!)"))
    return re.fullmatch(marks, block.mark) is not None


@pytest.mark.parametrize("page", [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in pages()])
def test_every_block_runs_or_says_why_not(page: Path) -> None:
    """What a person copies from a page has been tried."""
    left = [
        f"{page.relative_to(ROOT)}:{block.line} ```{block.kind}"
        for block in blocks(page)
        if block.kind in KINDS and not block.mark.startswith("fragment: ") and not is_run(page, block)
    ]
    assert not left, "no test runs:\n" + "\n".join(left)


@pytest.mark.parametrize(("page", "test"), [(page, test) for page, (test, _) in OWN.items()])
def test_the_tests_of_pages_are_there(page: str, test: str) -> None:
    """The table above names tests that read these pages."""
    assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")
