"""Broken plugins of every kind: each is listed with its reason and traceback, and the good ones load."""

from __future__ import annotations

import importlib
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hostd.host.discover import find_built_in, find_installed
from hostd.host.found import Choices, Found, PluginState, Source
from hostd.host.host import PluginHost
from hostd.plugin import Action, ActionContext, Options, Registry, hookimpl

GOOD = """
from hostd.plugin import Action, Options, hookimpl

class NoOptions(Options): ...

class {name}(Action[NoOptions]):
    id = "{id}"
    async def run(self, ctx, options): return {{"from": "{id}"}}

@hookimpl
def hostd_register(registry): registry.action({name})
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that installs a module as the distribution of a plugin; it is forgotten after the test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def install(plugin: str, source: str, *, version: str = "1.2.3") -> None:
        module = f"hostd_test_{plugin.replace('-', '_')}"
        (tmp_path / f"{module}.py").write_text(source)
        about = tmp_path / f"hostd_plugin_{module}-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: hostd-plugin-{plugin}\nVersion: {version}\n")
        (about / "entry_points.txt").write_text(f"[hostd.plugins]\n{plugin} = {module}\n")
        importlib.invalidate_caches()

    install.path = [str(tmp_path)]  # type: ignore[attr-defined]
    yield install
    for name in set(sys.modules) - before:
        if name.startswith("hostd_test_"):
            del sys.modules[name]


def test_built_in_plugins_all_load() -> None:
    """Every folder of hostd_builtin is loaded, without its third-party dependencies."""
    registry = PluginHost().load(find_built_in())
    assert {report.state for report in registry.plugins} == {PluginState.LOADED}
    assert {"http.request", "lua.script", "log.write", "mock.noop"} <= set(registry.actions)
    assert {"cron.every", "cron.schedule", "http.webhook"} <= set(registry.triggers)


def test_an_installed_plugin_needs_the_operators_word(packages: Any) -> None:
    """It is listed as NEEDS_PROCESS and not imported, until `plugins.inline` names it."""
    packages("greeter", GOOD.format(name="Greet", id="greet.say"))
    found = find_installed(packages.path)
    registry = PluginHost().load(found)
    (report,) = registry.plugins
    assert (report.state, report.reason, report.version) == (PluginState.NEEDS_PROCESS, "NEEDS_PROCESS", "1.2.3")
    assert "hostd_test_greeter" not in sys.modules
    registry = PluginHost(Choices(inline=frozenset({"greeter"}))).load(found)
    assert registry.plugins[0].components == ("action greet.say",)
    assert registry.action("greet.say") is not None


def test_what_does_not_load_is_told(packages: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A trusted plugin that nobody installed is listed as PLUGIN_MISSING; the daemon's log tells what is not loaded."""
    packages("greeter", GOOD.format(name="Greet", id="greet.say"))
    packages("sick", "raise RuntimeError('at import')")
    with caplog.at_level("INFO"):
        registry = PluginHost(Choices(inline=frozenset({"sick", "misspelt"}))).load(find_installed(packages.path))
    assert {report.id: report.reason for report in registry.plugins} == {
        "greeter": "NEEDS_PROCESS",
        "sick": "PLUGIN_FAILED",
        "misspelt": "PLUGIN_MISSING",
    }
    assert (
        "plugin_failed plugin=misspelt reason=PLUGIN_MISSING message=plugins.inline or plugins.thread names misspelt"
        in caplog.text
    )
    assert "plugin_failed plugin=sick reason=PLUGIN_FAILED message=RuntimeError: at import" in caplog.text


BROKEN = {
    "raises": ("raise RuntimeError('at import')", "RuntimeError: at import"),
    "exits": ("import sys; sys.exit(3)", "SystemExit"),
    "imports": ("import no_such_module_anywhere", "ModuleNotFoundError"),
    "syntax": ("def broken(:", "SyntaxError"),
    "forgets": (GOOD.format(name="A", id="forgets.one").replace("@hookimpl\n", ""), "did you forget @hookimpl?"),
    "misspells": (
        GOOD.format(name="A", id="misspells.one").replace("hostd_register", "hostd_registre"),
        "hostd_registre",
    ),
    "empty": ("", "no hostd_register"),
    "registers-nothing": (
        "from hostd.plugin import hookimpl\n@hookimpl\ndef hostd_register(registry): pass",
        "registered nothing",
    ),
    "raises-late": (
        "from hostd.plugin import hookimpl\n@hookimpl\ndef hostd_register(registry): 1/0",
        "ZeroDivisionError",
    ),
    "bad-options": (
        GOOD.format(name="A", id="bad.one").replace("NoOptions(Options): ...", "NoOptions(Options): x: object()"),
        "PydanticSchemaGenerationError|SchemaError|TypeError|Unable to generate",
    ),
    "bad-id": (GOOD.format(name="A", id="Bad"), "an id is <domain>.<name>"),
    "constructor": (
        GOOD.format(name="A", id="ctor.one").replace(
            "    async def run", "    def __init__(self): raise ValueError('in init')\n    async def run"
        ),
        "ValueError: in init",
    ),
    "wants-newer": ("api = '>=2.0'\n" + GOOD.format(name="A", id="newer.one"), "this hostd serves 1.0"),
    "wants-nonsense": ("api = 'new'\n" + GOOD.format(name="A", id="newer.one"), "not an API range"),
    "needs-settings": (
        GOOD.format(name="A", id="needs.one").replace(
            "    async def run", "    class Settings(Options):\n        url: str\n    async def run"
        ),
        "url: is required",
    ),
}


def test_one_broken_plugin_silences_nobody(packages: Any) -> None:
    """Fifteen broken in different ways between two good ones: the good ones work, each broken one is listed."""
    packages("aaa-good", GOOD.format(name="First", id="first.one"))
    for name, (source, _) in BROKEN.items():
        packages(name, source)
    packages("zzz-good", GOOD.format(name="Last", id="last.one"))
    found = find_installed(packages.path)
    registry = PluginHost(Choices(inline=frozenset(one.id for one in found))).load(found)
    assert sorted(registry.actions) == ["first.one", "last.one"]
    reports = {report.id: report for report in registry.plugins}
    for name, (_, words) in BROKEN.items():
        report = reports[name]
        assert report.state is PluginState.FAILED, name
        assert any(word in report.message + report.traceback for word in words.split("|")), (name, report)
        assert report.components == ()
    assert reports["forgets"].reason == "NOTHING_REGISTERED"


def test_a_traceback_begins_at_the_plugins_own_frame(packages: Any) -> None:
    """Whoever reads it sees their file and line, not the host's machinery."""
    packages("raises", "def deep():\n    raise RuntimeError('here')\ndeep()\n")
    found = find_installed(packages.path)
    (report,) = PluginHost(Choices(inline=frozenset({"raises"}))).load(found).plugins
    assert "hostd_test_raises.py" in report.traceback
    assert "line 2, in deep" in report.traceback
    assert "hostd/host" not in report.traceback
    assert "importlib" not in report.traceback


def test_two_owners_of_an_id_are_both_named(packages: Any) -> None:
    """The first keeps the id; the second fails as a whole, naming both origins."""
    packages("one", GOOD.format(name="A", id="same.one"))
    packages("two", GOOD.format(name="B", id="same.one"))
    found = find_installed(packages.path)
    registry = PluginHost(Choices(inline=frozenset({"one", "two"}))).load(found)
    second = registry.plugin("two")
    assert second.state is PluginState.FAILED
    assert "hostd_test_one:A" in second.message
    assert "hostd_test_two:B" in second.message
    assert registry.actions["same.one"].plugin == "one"


def test_allow_deny_and_safe_mode(packages: Any) -> None:
    """Deny beats allow, allow names everything that loads, safe mode keeps strangers out."""
    packages("stranger", GOOD.format(name="A", id="stranger.one"))
    found = [*find_built_in(), *find_installed(packages.path)]
    inline = frozenset({"stranger"})

    def loaded(choices: Choices) -> set[str]:
        return {one.id for one in PluginHost(choices).load(found).plugins if one.state is PluginState.LOADED}

    everything = loaded(Choices(inline=inline))
    assert loaded(Choices(inline=inline, deny=frozenset({"mock"}))) == everything - {"mock"}
    both = frozenset({"log", "mock"})
    assert loaded(Choices(allow=both, deny=frozenset({"mock"}))) == {"log"}
    assert loaded(Choices(inline=inline, safe_mode=True)) == everything - {"stranger"}


def in_memory(plugin: str, register: Any) -> Found:
    """Return a plugin that is no file."""
    module: Any = ModuleType(plugin)
    module.hostd_register = hookimpl(register)
    return Found(plugin, "1", Source.BUILT_IN, "memory", partial(lambda made: made, module))


def test_settings_are_found_by_component_or_plugin(caplog: pytest.LogCaptureFixture) -> None:
    """A component's own key beats its plugin's; a key that nothing takes is logged, a wrong value fails the plugin."""

    class One(Action[Options]):
        id = "set.one"

        class Settings(Options):
            level: int = 1

        async def run(self, ctx: ActionContext, options: Options) -> None: ...

    class Two(One):
        id = "set.two"

    def register(registry: Registry) -> None:
        registry.action(One)
        registry.action(Two)

    settings = {"set": {"level": 5}, "set.two": {"level": 7}, "sett": {"level": 9}}
    registry = PluginHost(Choices(settings=settings)).load([in_memory("set", register)])
    assert registry.actions["set.one"].instance.settings.level == 5
    assert registry.actions["set.two"].instance.settings.level == 7
    assert "plugins.settings.sett " in caplog.text
    failed = PluginHost(Choices(settings={"set": {"level": "high"}})).load([in_memory("set", register)])
    assert failed.plugin("set").reason == "OPTION_INVALID"
    assert "plugins.settings.set" in failed.plugin("set").message
