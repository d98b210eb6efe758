"""What `-o` means: a resource as itself, a list as JSON lines or YAML documents, names, or text for people."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from hostd.cli.terminal import WISHES, quiet
from hostd.values.json_text import JsonValue, dump_json

NOTHING = "nothing found"
FORMS = ("table", "wide", "json", "yaml", "name")


class Printer(NamedTuple):
    """Prints values in one form: table, json, yaml or name. Values are JSON types; `view` makes text of them.

    `-o wide` is table with wider tables; --quiet is name where no form was asked for.
    """

    form: str

    def one(self, value: Any, view: Callable[[Any], str]) -> None:
        """Print a resource."""
        if self.form == "table":
            say(view(value))
        else:
            self._machine(value)

    def many(self, values: Iterable[Any], view: Callable[[list[Any]], str], *, none: str = "") -> None:
        """Print a list: one line each as soon as it is there, or one table of all; of an empty one say `none`."""
        if self.form == "table":
            found = list(values)
            say(view(found))
            if none and not found:
                warn(none)
            return
        for value in values:
            self.item(value)

    def item(self, value: Any) -> None:
        """Print one value of a list, at once."""
        if self.form == "yaml":
            write(b"---\n")
        self._machine(value)

    def _machine(self, value: Any) -> None:
        if self.form == "name":
            from hostd.cli.names import name_of
            from hostd.cli.tables import clean

            say(clean(name_of(value)))
        else:
            write(dump_json(value) + b"\n" if self.form == "json" else yaml_text(value).encode())


def printer_for(form: str | None) -> Printer:
    """Return the printer for what `-o` said, None for nothing."""
    if form == "wide":
        WISHES.hear(wide=True)
    return Printer({None: "name" if quiet() else "table", "wide": "table"}.get(form, form or "table"))


def say(text: str) -> None:
    """Print text for people; nothing where there is none."""
    if text:
        write(text.encode("utf-8", "backslashreplace") + b"\n")


def write(data: bytes) -> None:
    """Write to standard output at once, UTF-8 whatever the locale: who reads a watch wants each line as it comes."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def warn(text: str) -> None:
    """Write a line to standard error, so that standard output stays what was asked for; with --quiet nothing."""
    if not quiet():
        tell(text)


def tell(text: str) -> None:
    """Write a line to standard error. Where that cannot be written, nobody is told: the exit code still says it."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  for as long as the program runs


def yaml_text(value: JsonValue) -> str:
    """Return a value as YAML that every reader takes for the same value: text that looks like a number is quoted."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes more than YAML 1.1 would, and writes no references."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, data: str) -> yaml.ScalarNode:
        numeric = data[:1] in "+-.0123456789" and data[:1] != "" and "\n" not in data
        style = '"' if numeric else "|" if "\n" in data else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    Dumper.add_representer(str, text)
    dumped: str = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
    return dumped.removesuffix("...\n")
