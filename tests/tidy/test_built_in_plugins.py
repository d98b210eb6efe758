"""Every built-in plugin is one folder with its page and sample, and the list of what they provide is on record."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hostd.definition.compile import validate_text
from hostd.host.discover import find_built_in
from hostd.host.host import PluginHost
from hostd.host.pages import options_table
from hostd.host.registry import HostRegistry

HOME = Path(__file__).parents[2] / "plugins" / "builtin" / "hostd_builtin"
LIST = Path(__file__).with_name("built_in_plugins.txt")
FOLDERS = [plugin.id for plugin in find_built_in()]


@pytest.fixture(scope="module")
def registry() -> HostRegistry:
    """The registry with every built-in plugin."""
    return PluginHost().load(find_built_in())


def test_the_walk_finds_what_is_on_record(registry: HostRegistry) -> None:
    """Ids are a promise: one that comes or goes shows in the list's diff. Write the list anew when it was meant."""
    found = [f"{report.id} {component}" for report in registry.plugins for component in report.components]
    assert sorted(found) == LIST.read_text().splitlines()


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_page_says_what_the_model_says(folder: str, registry: HostRegistry) -> None:
    """Each component has its heading, its options table equal to the model's, and the sections people look for."""
    page = (HOME / folder / "README.md").read_text()
    assert page.startswith("# ")
    assert "Since 0." in page
    assert "Troubleshooting" in page
    for entry in [*registry.actions.values(), *registry.triggers.values()]:
        if entry.plugin != folder:
            continue
        kind, result = ("action", "Output") if entry.id in registry.actions else ("trigger", "Payload")
        section = re.search(
            rf"^## `{re.escape(entry.id)}` \({kind}\)\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE
        )
        assert section is not None, f"{folder}/README.md has no section for {entry.id}"
        assert options_table(entry.options) in section[1], f"the options table of {entry.id} is not the model's"
        assert f"### {result}\n" in section[1]
        assert f"Since {entry.since}" in section[1]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_sample_is_a_workflow(folder: str, registry: HostRegistry) -> None:
    """`sample.yaml` and every example in the page compile against what is loaded."""
    text = (HOME / folder / "sample.yaml").read_text()
    assert validate_text(text, f"{folder}/sample.yaml", registry) == []
    provided = [
        entry.id for entry in [*registry.actions.values(), *registry.triggers.values()] if entry.plugin == folder
    ]
    assert folder == "secrets" or any(f"uses: {component}" in text for component in provided)


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_folder_has_a_test(folder: str) -> None:
    """Some test imports the plugin."""
    tests = Path(__file__).parents[1]
    texts = (path.read_text() for path in tests.rglob("test_*.py") if path != Path(__file__))
    assert folder == "secrets" or any(f"hostd_builtin.{folder}" in text for text in texts)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_code_is_declared_and_on_the_page(folder: str, registry: HostRegistry) -> None:
    """What failures are called in the sources is what the actions say of them, and stands in the plugin's README."""
    declared = {code for entry in registry.actions.values() if entry.plugin == folder for code in entry.codes}
    sources = "\n".join(file.read_text() for file in (HOME / folder).glob("*.py"))
    raised = set(re.findall(r'\bcode="([A-Z0-9_]+)"', sources))
    raised |= {f"{word}_<" for word in re.findall(r'\bcode=f"([A-Z0-9]+)_\{', sources)}
    known = declared | {code.partition("<")[0] + "<" for code in declared if "<" in code}
    known |= {"SQLITE_RANGE"} if folder == "sql" else set()  # of SQLITE_<word>
    assert raised - known == set()
    page = (HOME / folder / "README.md").read_text()
    missing = {code for code in declared if f"`{code}`" not in page and code != "<sqlstate>"}
    assert folder == "mock" or missing == set()
