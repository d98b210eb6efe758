"""`make site`: the pages become a site in site/, as they lie in the repository, so that one link serves both.

Pages, and the files and folders they link to, are copied with their paths; zensical builds from there, and ends with an
error where a link or an anchor leads nowhere.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\((?P<target>[^)\s#]+)[^)\s]*\)")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def pages() -> Iterator[Path]:
    """Yield every page for people."""
    yield from sorted(ROOT.glob("*.md"))
    for folder in ("docs", "plugins/builtin", "plugins/examples", "clients", "deploy"):
        yield from (page for page in sorted((ROOT / folder).rglob("*.md")) if "node_modules" not in page.parts)


def linked(page: Path) -> Iterator[Path]:
    """Yield what a page links to in the repository."""
    for match in LINK.finditer(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if "://" not in match["target"] and not match["target"].startswith("mailto:"):
            yield (page.parent / match["target"]).resolve()


def stage(target: Path) -> None:
    """Copy pages, and what they link to, into a folder that is made anew."""
    shutil.rmtree(target, ignore_errors=True)
    found = list(pages())
    for file in sorted({*found, *(linked_to for page in found for linked_to in linked(page))}):
        if file.is_dir():
            _stage_folder(file, target)
        elif file.is_file():
            _copy(file, target)


def _copy(file: Path, target: Path) -> None:
    place = target / file.relative_to(ROOT)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, place)


def _stage_folder(folder: Path, target: Path) -> None:
    """Copy a folder's files; one without a page of its own gets a list of them."""
    files = [file for file in sorted(folder.iterdir()) if file.is_file()]
    for file in files:
        _copy(file, target)
    if not (folder / "README.md").exists():
        lines = "\n".join(f"- [{file.name}]({file.name})" for file in files)
        index = target / folder.relative_to(ROOT) / "README.md"
        index.write_text(f"# {folder.relative_to(ROOT)}\n\n{lines}\n", encoding="utf-8")


def build(folder: Path) -> Path:
    """Build in a folder; return the site's. Raises CalledProcessError where a page has a mistake."""
    stage(folder / "pages")
    shutil.copyfile(ROOT / "mkdocs.yml", folder / "mkdocs.yml")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "-f", "mkdocs.yml"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "site"


def main() -> None:
    """Build to site/."""
    try:
        built = build(ROOT / "build/docs")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    shutil.rmtree(ROOT / "site", ignore_errors=True)
    shutil.move(built, ROOT / "site")


if __name__ == "__main__":
    main()
