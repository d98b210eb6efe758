"""Plugins that do what a plugin must not, each as the text of a folder's `__init__.py`."""

from __future__ import annotations

from pathlib import Path

_HEAD = """
import asyncio, ctypes, os, signal, sys, time
from hostd.plugin import Action, Options, Registry, hookimpl
"""
_BODY = '''
class Act(Action[Options]):
    """Misbehaves."""

    id, since, stability, effects = "NAME.act", "0.1", "stable", "none"

    async def run(self, ctx, options):
        CODE

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Act)
'''


def _acts(code: str, at_import: str = "") -> str:
    return _HEAD + at_import + _BODY.replace("CODE", code)


PLUGINS = {
    "raises": "raise RuntimeError('not today')\n",
    "forgets": _HEAD + _BODY.replace("@hookimpl\n", "").replace("CODE", "return 1"),
    "crashes": _acts("ctypes.string_at(0)"),
    "hangs": _acts("ctypes.PyDLL(None).sleep(600)"),  # a C call that keeps the interpreter lock
    "floods": _acts("for _ in range(2_500): sys.stdout.write('x' * 4000 + chr(10)); await asyncio.sleep(0)"),
    "eats": _acts("return len(bytearray(1 << 31))"),
    "deaf": _acts("return os.getpid()", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"),
    "well": _acts("return os.getpid()"),
}


def write_all(plugins_dir: Path) -> None:
    """Write a folder for each."""
    for name, text in PLUGINS.items():
        folder = plugins_dir / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(text.replace("NAME", name))
