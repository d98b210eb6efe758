"""Wheels made on the spot, so that pip needs no index: small ones of plugins, and what this environment has."""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from hostd.host.installed.sdk_wheel import sdk_requirements

PLUGIN = '''
from hostd.plugin import (
    Action, Duration, Field, Options, Registry, Trigger, TriggerContext, hookimpl
)

class GreetOptions(Options):
    name: str = Field("you", description="Who is greeted.")

class Greet(Action[GreetOptions]):
    """Greets."""

    id, since, stability, effects, executors = "greet.say", "0.1", "stable", "none", ("inline", "process")

    async def run(self, ctx, options):
        import os, sys
        return {"text": f"WORD {options.name}", "python": sys.executable, "pid": os.getpid()}

class EveryOptions(Options):
    period: Duration = Field(description="Time between two events.", gt="0s")

class Every(Trigger[EveryOptions]):
    """Emits an event a period."""

    id, since, stability = "greet.every", "0.1", "stable"

    async def run(self, ctx: TriggerContext) -> None:
        async for slot in ctx.clock.ticks(self.options.period):
            await ctx.emit(ctx.event({"name": "tick"}, id=slot.isoformat()), cursor=slot)

@hookimpl
def hostd_register(registry: Registry) -> None:
    registry.action(Greet)
    registry.trigger(Every)
'''


def plugin_wheel(
    folder: Path,
    *,
    version: str = "1.0",
    word: str = "hello",
    needs: Iterable[str] = ("hostd-sdk",),
    code: str = "",
    manifest: str = "",
    point: str = "greet = hostd_greet",
) -> Path:
    """Write the wheel of a plugin `greet` that says a word; return its file."""
    files = {"hostd_greet/__init__.py": code or PLUGIN.replace("WORD", word)}
    if manifest:
        files["hostd_greet/hostd-plugin.yaml"] = manifest
    return write_wheel(
        folder, "hostd-plugin-greet", version, files, needs=needs, entry_points=f"[hostd.plugins]\n{point}\n"
    )


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    files: dict[str, str],
    *,
    needs: Iterable[str] = (),
    entry_points: str = "",
) -> Path:
    """Write a wheel of pure Python; return its file."""
    plain = name.replace("-", "_")
    info = f"{plain}-{version}.dist-info"
    needed = "".join(f"Requires-Dist: {one}\n" for one in needs)
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if entry_points:
        contents[f"{info}/entry_points.txt"] = entry_points
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{plain}-{version}-py3-none-any.whl"
    record = "".join(f"{path},{_hash(text.encode())},{len(text.encode())}\n" for path, text in contents.items())
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    return file


def dependencies_of_the_sdk(folder: Path) -> Path:
    """Write wheels of what hostd-sdk needs, out of this very environment; return the folder for `--find-links`."""
    folder.mkdir(parents=True, exist_ok=True)
    waiting, seen = [Requirement(one) for one in sdk_requirements()], set()
    while waiting:
        found = distribution(waiting.pop().name)
        if found.name in seen:
            continue
        seen.add(found.name)
        _repack(found, folder)
        for text in found.requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(needed)
    return folder


def _repack(package: Distribution, folder: Path) -> None:
    tags = re.findall(r"^Tag: (\S+)", package.read_text("WHEEL") or "", re.MULTILINE)
    name = re.sub(r"[-_.]+", "_", package.name)
    tag = "-".join(".".join(dict.fromkeys(parts)) for parts in zip(*(tag.split("-") for tag in tags), strict=True))
    with zipfile.ZipFile(folder / f"{name}-{package.version}-{tag}.whl", "w") as archive:
        record = ""
        for file in package.files or ():
            where = Path(str(package.locate_file(file)))
            kept = ".." not in file.parts and "__pycache__" not in file.parts and where.is_file()
            if not kept or file.name in ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json"):
                continue
            data = where.read_bytes()
            archive.writestr(file.as_posix(), data)
            record += f"{file.as_posix()},{_hash(data)},{len(data)}\n"
        info = next(file.parts[0] for file in package.files or () if file.name == "METADATA")
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")


def _hash(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
