"""What the pages for people show holds: links lead somewhere, documents compile, settings load."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tree import ROOT

from hostd.config.load import load_config
from hostd.definition.compile import compile_text
from hostd.host.discover import find_built_in
from hostd.host.host import PluginHost
from hostd.host.registry import HostRegistry

BLOCK = re.compile(r"(?:<!-- (?P<mark>[^\n]*?) -->\n)?```yaml\n(?P<text>.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"```.*?```", re.DOTALL)
FOREIGN = re.compile(r"uses: (?:hello|tick|shop|words)\.")
"""Documents that use a plugin the page installs; the tests beside that plugin, or of that page, run them."""


def pages() -> Iterator[Path]:
    """Yield every page for people."""
    yield from sorted(ROOT.glob("*.md"))
    for folder in ("docs", "plugins", "clients"):
        yield from sorted(file for file in (ROOT / folder).rglob("*.md") if "node_modules" not in file.parts)


def blocks() -> Iterator[tuple[str, str, str]]:
    """Yield page, mark and text of each YAML block."""
    for page in pages():
        for match in BLOCK.finditer(page.read_text(encoding="utf-8")):
            yield page.relative_to(ROOT).as_posix(), match["mark"] or "", match["text"]


DOCUMENTS = [
    pytest.param(text, id=f"{page}:{text.split()[1]}")
    for page, mark, text in blocks()
    if text.startswith("workflow:") and not FOREIGN.search(text) and not mark.endswith(".test.yaml")
]
SETTINGS = [pytest.param(text, id=page) for page, mark, text in blocks() if mark == "config"]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as forges make them."""
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in pages()])
def test_every_link_leads_somewhere(page: Path) -> None:
    """Files are there, and so are the headings that links name."""
    for match in LINK.finditer(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target, _, anchor = match["target"].partition("#")
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), match["target"]
        assert not anchor or anchor in anchors(file), match["target"]


def test_the_index_names_every_page() -> None:
    """docs/README.md leads to each page of docs/."""
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    for folder in ("how-to", "reference"):
        for page in sorted((ROOT / "docs" / folder).glob("*.md")):
            assert f"({folder}/{page.name})" in index


@cache
def built_in() -> HostRegistry:
    """Return the actions and triggers that come with hostd."""
    return PluginHost().load(find_built_in())


@pytest.mark.parametrize("text", DOCUMENTS)
def test_every_document_compiles(text: str) -> None:
    """A workflow that a page shows can be registered as it stands."""
    compile_text(text, catalogue=built_in())


@pytest.mark.parametrize("text", SETTINGS)
def test_every_configuration_loads(text: str, tmp_path: Path) -> None:
    """Each key that a page shows is one, with a value it takes."""
    (tmp_path / "hostd.yaml").write_text(text)
    load_config(env={}, file=tmp_path / "hostd.yaml")
