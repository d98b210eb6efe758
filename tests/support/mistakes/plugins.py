"""Mistakes in plugins: what `hostd plugin doctor` says to who writes one, and what becomes of runs that use one."""

from __future__ import annotations

import json

from commands import CommandDaemon
from mistakes.kit import Stage, mistake
from processes import wait_until

PART = "Plugins"
HELLO = """\
from hostd.plugin import Action, Options, Registry, hookimpl


class Say(Action[Options]):
    \"\"\"Says hello.\"\"\"

    id, since, stability, effects = "hello.say", "0.1", "stable", "none"

    async def run(self, ctx, options):
        return "hello"


@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Say)
"""


def doctor(stage: Stage, text: str, manifest: str = "") -> None:
    """Have a plugin's folder examined."""
    if manifest:
        stage.file("hello/hostd-plugin.yaml", manifest)
    stage.file("hello/__init__.py", text, shown=text is not HELLO)
    stage.hostd("plugin", "doctor", "hello")


@mistake(PART)
def plugin_raises_at_import(stage: Stage) -> None:
    """A plugin that raises when it is imported.

    The others work; its traceback ends in the line that raised.
    """
    doctor(stage, "raise RuntimeError('HELLO_KEY is not set')\n")


@mistake(PART)
def plugin_dependency_missing(stage: Stage) -> None:
    """A plugin whose dependency is not installed.

    A folder that is copied brings no packages; `hostd plugin install` does.
    """
    doctor(stage, "import stripe_of_nobody\n")


@mistake(PART)
def plugin_forgot_hookimpl(stage: Stage) -> None:
    """A plugin without `@hookimpl`.

    Without it `hostd_register` is a function like any other.
    """
    doctor(stage, HELLO.replace("@hookimpl\n", "").replace(", hookimpl", ""))


@mistake(PART)
def plugin_manifest_mistake(stage: Stage) -> None:
    """Mistakes in a plugin's manifest.

    It is checked as strictly as a workflow document.
    """
    doctor(
        stage,
        HELLO,
        """\
        manifest: 1
        id: Hello World
        runtime: pyhton
        permisions: [network]
        """,
    )


@mistake(PART)
def plugin_for_another_api(stage: Stage) -> None:
    """A plugin for another version of the plugin API.

    `api` of the manifest says for which it was written.
    """
    doctor(stage, HELLO, 'manifest: 1\nid: hello\nversion: "1"\nruntime: python\napi: ">=9"\n')


@mistake(PART)
def plugin_command_missing(stage: Stage) -> None:
    """A plugin whose program is not there.

    Not installed, not built, or not executable.
    """
    stage.file(
        "words/hostd-plugin.yaml", 'manifest: 1\nid: words\nversion: "1"\nruntime: exec\ncommand: [./words-plugin]\n'
    )
    stage.hostd("plugin", "doctor", "words")


@mistake(PART)
def no_plugin_there(stage: Stage) -> None:
    """A folder that is no plugin.

    The folder above or below it, or an empty one.
    """
    stage.file("flows/order.yaml", "workflow: order\n", shown=False)
    stage.hostd("plugin", "doctor", "flows")
    stage.hostd("plugin", "install", "flows", "--yes")
    stage.hostd("plugin", "show", "htpp")


@mistake(PART)
def plugin_crashes(stage: Stage) -> None:
    """A plugin that takes its process down.

    It has a process of its own, which is started again; the daemon and the other plugins work on.
    """
    dropped(stage, "fragile", HELLO.replace("hello.say", "fragile.glass").replace('return "hello"', "os._exit(3)"))
    run_of(stage, "fragile.glass", "glass")


@mistake(PART)
def plugin_raises(stage: Stage) -> None:
    """An action that raises.

    An `ActionError` is a failure in the plugin's own words; anything else is a bug in it.
    """
    dropped(stage, "sums", HELLO.replace("hello.say", "sums.add").replace('return "hello"', 'return {}["amount"]'))
    run_of(stage, "sums.add", "add")


@mistake(PART)
def plugin_does_not_load(stage: Stage) -> None:
    """A workflow that uses a plugin which did not load.

    The list of plugins says why it did not.
    """
    dropped(stage, "weather", "raise RuntimeError('WEATHER_KEY is not set')\n")
    stage.file("outside.yaml", "workflow: outside\nsteps:\n  look: {uses: weather.now}\n")
    stage.hostd("workflow", "register", "outside.yaml")


@mistake(PART)
def disabled_plugin(stage: Stage) -> None:
    """A plugin that was switched off.

    What its actions should do fails, until it is switched on again.
    """
    dropped(stage, "lamp", HELLO.replace("hello.say", "lamp.light"))
    stage.file("evening.yaml", "workflow: evening\nsteps:\n  light: {uses: lamp.light}\n")
    stage.prepare("workflow", "register", "evening.yaml")
    stage.prepare("plugin", "disable", "lamp")
    stage.hostd("runs", "start", "evening", "--wait")


def dropped(stage: Stage, name: str, text: str) -> None:
    """Drop a plugin's folder into the daemon, and wait until it is known."""
    folder = stage.daemon.data / "plugins" / name
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(f"import os\n{text}")
    wait_until(lambda: _state(stage.daemon, name) in ("LOADED", "FAILED"), name)


def _state(daemon: CommandDaemon, name: str) -> str:
    done = daemon.here("plugin", "show", name, "-o", "json")
    return json.loads(done.out)["state"] if done.code == 0 else ""


def run_of(stage: Stage, action: str, name: str) -> None:
    """Run an action of it."""
    stage.file(f"{name}.yaml", f"workflow: {name}\nsteps:\n  act: {{uses: {action}}}\n")
    stage.prepare("workflow", "register", f"{name}.yaml")
    stage.hostd("runs", "start", name, "--wait")


@mistake(PART)
def denied_plugin(stage: Stage) -> None:
    """A plugin that the operator denies, and a program that is not allowed.

    `plugins.deny` and the settings of a plugin are the operator's.
    """
    stage.file("list.yaml", "workflow: list\nsteps:\n  ls: {uses: shell.run, with: {command: [ls]}}\n")
    stage.hostd("run", "list.yaml")
    stage.file("hostd.yaml", "plugins:\n  deny: [shell]\n")
    stage.hostd("run", "list.yaml", "--config", "hostd.yaml")
