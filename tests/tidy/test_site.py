"""The site of the documentation: it builds, no link or anchor leads nowhere, and its navigation has every page."""

from __future__ import annotations

import re
import sys
from functools import cache
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from requires import lacking
from tree import ROOT

sys.path.insert(0, str(ROOT / "docs"))

LIST_IN_TEXT = re.compile(r"<p>(?:(?!</p>).)*?\n(?:- |\d+\. |\|)", re.DOTALL)


class Anchors(HTMLParser):
    """A page's ids, and where it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note both."""
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif tag == "a" and name == "href" and value is not None:
                self.links.append(value)


@cache
def anchors(file: Path) -> Anchors:
    """Return what a built page holds."""
    found = Anchors()
    found.feed(file.read_text(encoding="utf-8"))
    return found


def leads_somewhere(page: Path, link: str, site: Path) -> bool:
    """Say whether a link of the site has its page, and the anchor there."""
    where = urlsplit(link)
    if where.scheme or where.netloc:
        return True
    path = unquote(where.path)
    file = page if not path else (site / path.lstrip("/") if path.startswith("/") else page.parent / path).resolve()
    if file.is_dir():
        file = file / "index.html"
    if not file.is_file():
        return False
    return not where.fragment or file.suffix != ".html" or unquote(where.fragment) in anchors(file).ids


@pytest.mark.timeout(600)
def test_the_site_builds_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    """With --strict; then each link of each built page is followed."""
    if find_spec("zensical") is None:
        lacking("zensical is not installed: pip install --group docs")
    from build_site import build

    site = build(tmp_path)
    pages = [page for page in sorted(site.rglob("*.html")) if page.name != "404.html"]
    wrong = [
        f"{page.relative_to(site)}: {link}"
        for page in pages
        for link in dict.fromkeys(anchors(page).links)
        if not leads_somewhere(page, link, site)
    ]
    assert len(pages) > 50
    unread = [page.relative_to(site) for page in pages if LIST_IN_TEXT.search(page.read_text(encoding="utf-8"))]
    assert not unread, f"a list needs an empty line before it: {unread}"
    assert not wrong, "\n".join(wrong)


def test_the_navigation_has_every_page() -> None:
    """And no page that is not there."""
    named = set(
        re.findall(r"^ +- .*?: ([\w./-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    )
    there = {page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").rglob("*.md")}
    built_in = {page.relative_to(ROOT).as_posix() for page in ROOT.glob("plugins/builtin/hostd_builtin/*/README.md")}
    decisions = {page for page in there if page.startswith("docs/decisions/0")}
    assert (there | built_in) - decisions - named == set()
    assert {page for page in named if not (ROOT / page).exists()} == set()
