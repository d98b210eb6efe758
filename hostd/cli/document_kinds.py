"""What kind of file somebody gave: documents, cases, a configuration, a plugin's manifest, or a script."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Literal, TypeAlias

from hostd.cli.inputs import file_label
from hostd.cli.printing import warn
from hostd.cli.tables import clean
from hostd.errors.base import invalid

Kind: TypeAlias = Literal["documents", "cases", "configuration", "manifest", "script"]

_TOP = re.compile(r"""^\ufeff?["']?([A-Za-z_]\w*)["']?\s*:""", re.MULTILINE)
_DOCUMENT = frozenset({"workflow", "trigger", "steps"})
CONFIGURATION = frozenset(
    {"data", "egress", "env", "http", "insecure", "journal", "limits", "listen", "log", "lua", "otel", "plugins",
     "retention", "tls"}
)  # fmt: skip
"""The rooms and keys of hostd.yaml; importing them would take longer than a small command."""

_WORDS: dict[Kind, tuple[str, str]] = {
    "cases": ("a case file", "`hostd workflow test` runs it"),
    "configuration": ("a configuration", "`hostd serve --config` and `hostd dev` read it"),
    "manifest": ("a plugin's manifest", "`hostd plugin doctor` examines the folder"),
    "script": ("a script", "`hostd script run` runs it"),
    "documents": ("a document", "`hostd validate` checks it with the scripts in it, `hostd run` runs it"),
}


def kind_of(name: str, text: str) -> Kind:
    """Return what a file is, by its name, else by its keys; documents where nothing else is sure."""
    base = PurePath(name).name.lower()
    keys = set(_TOP.findall(text))
    if base.endswith(".lua"):
        return "script"
    if base == "hostd-plugin.yaml":
        return "manifest"
    if base.endswith((".test.yaml", ".test.yml")) or ("cases" in keys and not keys & {"steps", "trigger"}):
        return "cases"
    if not keys & _DOCUMENT and (base == "hostd.yaml" or (keys and keys <= CONFIGURATION)):
        return "configuration"
    return "documents"


def documents_only(files: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the files, as (name, text), that hold documents; say of the others that they are left out.

    Raises ARGUMENT_INVALID where there are others only.
    """
    left = ""
    found = False
    for name, text in files:
        kind = kind_of(name, text)
        if kind == "documents":
            found = True
            yield name, text
            continue
        left = f"{clean(file_label(name))} is {_WORDS[kind][0]}; {_WORDS[kind][1]}"
        warn(f"left out: {left}")
    if left and not found:
        raise invalid("ARGUMENT_INVALID", f"no workflow or trigger is in what was given: {left}")


def require_document(name: str, text: str) -> None:
    """Raise ARGUMENT_INVALID where a workflow was asked for, and the file is something else that we know."""
    kind = kind_of(name, text)
    if kind != "documents":
        what, does = _WORDS[kind]
        raise invalid("ARGUMENT_INVALID", f"{clean(file_label(name))} is {what}, no workflow; {does}")


def require_script(name: str, text: str) -> None:
    """Raise ARGUMENT_INVALID where a script was asked for, and the file is something else that we know."""
    kind = kind_of(name, text)
    yaml = PurePath(name).suffix.lower() in (".yaml", ".yml", ".json")
    if kind != "script" and (yaml or kind != "documents"):
        what, does = _WORDS[kind]
        raise invalid("ARGUMENT_INVALID", f"{clean(file_label(name))} is {what}, no Lua script; {does}")
