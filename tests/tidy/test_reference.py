"""The generated pages say what the code says."""

import importlib.util

import pytest
from tree import ROOT

_spec = importlib.util.spec_from_file_location("reference_pages", ROOT / "tests/tidy/reference_pages.py")
assert _spec is not None
assert _spec.loader is not None
reference_pages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference_pages)


@pytest.mark.parametrize("name", sorted(reference_pages.PAGES))
def test_each_page_is_current(name: str) -> None:
    """`make docs` was run after the last change."""
    committed = (ROOT / "docs/reference" / name).read_text(encoding="utf-8")
    assert committed == reference_pages.PAGES[name](), f"docs/reference/{name} is old: run `make docs`"
