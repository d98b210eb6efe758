"""The page of the plugin `http` says of nested options what the models say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hostd.host.pages import options_table
from hostd.plugin import Options
from hostd_builtin.http import auth_options, hook_options, options, pages

PAGE = (Path(hook_options.__file__).with_name("README.md")).read_text()


def nested() -> list[type[Options]]:
    """Return every options class that has a place in a document."""
    found: dict[str, Any] = {}
    for module in (auth_options, hook_options, options, pages):
        found |= {
            name: each for name, each in vars(module).items() if isinstance(each, type) and not name.startswith("_")
        }
    skipped = {"Options", "RequestSettings", "BlobRef", "OptionNotSupported"}
    return [each for name, each in found.items() if issubclass(each, Options) and name not in skipped]


@pytest.mark.parametrize("model", nested(), ids=lambda model: model.__name__)
def test_every_table_is_the_models(model: type[Options]) -> None:
    """Whoever changes an option changes its line on the page."""
    assert options_table(model) in PAGE


def test_codes_and_reasons_are_explained() -> None:
    """What a step or a sender may be told stands in a table of the page."""
    folder = Path(hook_options.__file__).parent
    text = "\n".join(file.read_text() for file in folder.glob("*.py"))
    codes = {line.split('"')[1] for line in text.split("code=")[1:] if line.startswith('"')}
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()
