"""`hostd-plugin.yaml`: what a plugin is, readable without running any of its code."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from hostd.config.marked_yaml import read_yaml
from hostd.errors.base import HostdError, Kind, Violation
from hostd.host.folders.part import Codes, ComponentId, Part
from hostd.host.folders.provides import ProvidedAbout
from hostd.host.process.launch import PERMISSIONS
from hostd.plugin import API
from hostd.plugin.api import accepts

FILE_NAME = "hostd-plugin.yaml"

BYTES_MAX = 1024 * 1024
PLUGIN_ID = r"^[a-z][a-z0-9_-]{0,62}$"

PluginId = Annotated[str, StringConstraints(pattern=PLUGIN_ID)]
OptionName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


def _served(wanted: str) -> str:
    if not accepts(wanted):
        raise ValueError(
            f"it asks for the plugin API {wanted}; this hostd serves {API}: use another hostd, or change it"
        )
    return wanted


def _inside(path: str) -> str:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not path:
        raise ValueError("must be a path inside the plugin's folder")
    return path


class OptionAbout(Part):
    """One option of a Lua action."""

    type: Literal["string", "integer", "number", "boolean", "list", "map", "duration", "any"] = Field(
        description="What it holds."
    )
    description: str = Field("", max_length=2_000, description="One sentence for a person.")
    required: bool = Field(False, description="It has to be given.")
    default: Any = Field(None, description="Its value when it is not given.")
    example: Any = Field(None, description="A value as somebody might write it.")
    min: float | None = Field(None, description="Least number, or least length of a text or list.")
    max: float | None = Field(None, description="Greatest number, or greatest length of a text or list.")
    one_of: tuple[str, ...] = Field((), max_length=100, description="The texts it may be.")


class LuaActionAbout(Part):
    """One action of a Lua plugin."""

    file: Annotated[str, AfterValidator(_inside)] = Field(description="The script, inside the folder; sees `input`.")
    description: str = Field("", max_length=2_000, description="First sentence of its documentation.")
    effects: Literal["none", "idempotent", "at_most_once"] = Field(
        "idempotent", description="What the outside sees of an attempt."
    )
    options: dict[OptionName, OptionAbout] = Field({}, max_length=100, description="Its options by name.")
    codes: Codes = Field(
        {}, description="What its failures may be called: each `code` that its `error{}` gives, with what it means."
    )


class Manifest(Part):
    """A plugin's manifest."""

    manifest: Literal[1] = Field(description="Version of this form.")
    id: PluginId = Field(description="Id of the plugin, unique in a daemon.")
    version: str = Field("0", max_length=64, description="Version of the plugin.")
    api: Annotated[str, AfterValidator(_served)] = Field("", description="Range of the plugin API it was written for.")
    description: str = Field("", max_length=2_000, description="One sentence for a person.")
    runtime: Literal["python", "lua", "exec"] = Field(description="What runs it.")
    command: tuple[str, ...] = Field(
        (), max_length=100, description="For exec: the program and its arguments; a path is taken inside the folder."
    )
    permissions: tuple[Literal["net", "fs", "secrets", "subprocess", "kv", "blobs", "events"], ...] = Field(
        (),
        description="What it may ask of the host; net, fs and subprocess also tell the operator what it does itself.",
    )
    actions: dict[ComponentId, LuaActionAbout] = Field({}, max_length=1_000, description="For lua: its actions by id.")
    provides: dict[ComponentId, ProvidedAbout] = Field(
        {},
        max_length=1_000,
        description="For python and exec: what it serves, by id; its process is then started on first use.",
    )
    digest: str = Field(
        "",
        pattern=r"^([0-9a-f]{64})?$",
        description="blake2b-256 of its files, to be refused when they are others. What tools put beside them does not "
        "count: `node_modules`, `.venv`, `.git` and caches (`__pycache__`, `*.pyc`, ...).",
    )

    @property
    def granted(self) -> frozenset[str]:
        """What it asks for."""
        return frozenset(self.permissions) & PERMISSIONS


def read_manifest(file: Path) -> Manifest:
    """Return a folder's manifest.

    Raises:
        HostdError: MANIFEST_INVALID with every mistake and its line.
    """
    try:
        text = _text(file)
    except (OSError, ValueError) as error:
        raise HostdError(Kind.INVALID, "MANIFEST_INVALID", f"{file} cannot be read: {error}") from None
    marked = read_yaml(text, file=str(file))
    mistakes = list(marked.mistakes)
    found: Manifest | None = None
    if not mistakes:
        try:
            found = Manifest.model_validate(marked.value)
            mistakes = _across(found, str(file))
        except ValidationError as error:
            mistakes = [_violation(fault, marked.marks, str(file)) for fault in error.errors(include_url=False)[:50]]
    if mistakes or found is None:
        raise _invalid(mistakes)
    return found


def _text(file: Path) -> str:
    """Return a manifest's text. Raises OSError, ValueError for what is no file of text of at most 1 MiB."""
    if not file.is_file():  # a pipe or a device, which may not end
        raise ValueError("it is no file")
    with file.open("rb") as opened:
        content = opened.read(BYTES_MAX + 1)
    if len(content) > BYTES_MAX:
        raise ValueError(f"it has more than {BYTES_MAX} bytes")
    return content.decode("utf-8")


def _across(manifest: Manifest, file: str) -> list[Violation]:
    """Return what fields say against each other."""
    faults = []
    if (manifest.runtime == "exec") != bool(manifest.command):
        faults.append(("command", "`command` goes with `runtime: exec`, and only with it"))
    if (manifest.runtime == "lua") != bool(manifest.actions):
        faults.append(("actions", "`actions` goes with `runtime: lua`, and only with it"))
    if manifest.runtime == "lua" and manifest.provides:
        faults.append(("provides", "`provides` goes with `runtime: python` and `runtime: exec`"))
    return [Violation(path, "MANIFEST_INVALID", message, file=file) for path, message in faults]


def _violation(fault: Any, marks: Any, file: str) -> Violation:
    place = tuple(fault["loc"])
    at = place
    while at and at not in marks:
        at = at[:-1]
    line, column = marks.get(at, (0, 0))
    message = re.sub(r"^(Value error|Assertion failed), ", "", fault["msg"])
    hint = ""
    if fault["type"] == "extra_forbidden":
        message = "is no key of a manifest"
        hint = _meant(place[-1], Manifest.model_fields) if len(place) == 1 else ""
    if fault["type"] == "missing":
        message, hint = "is required", f"add `{place[-1]}`"
    if fault["type"] == "literal_error":
        hint = _meant(fault["input"], re.findall(r"'([^']+)'", message))
    if fault["type"] == "string_pattern_mismatch":
        message = f"{fault['input'][:60]!r} is no id: a letter, then letters, digits and hyphens, in lower case"
        hint = f"write {re.sub(r'[^a-z0-9]+', '-', fault['input'][:60].lower()).strip('-')}" if place == ("id",) else ""
    return Violation(".".join(map(str, place)), "MANIFEST_INVALID", message, hint, file, line, column)


def _meant(word: Any, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(word)[:60], list(known), n=1)
    return f"did you mean {near[0]}?" if near else ""


def _invalid(mistakes: list[Violation]) -> HostdError:
    told = "; ".join(f"{one.path or 'the manifest'} (line {one.line}): {one.message}" for one in mistakes[:5])
    return HostdError(Kind.INVALID, "MANIFEST_INVALID", told[:2_000], violations=tuple(mistakes))
