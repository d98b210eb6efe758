"""Collecting every mistake of a document, each with its place and what to write instead."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable

from hostd.definition.nodes import Node
from hostd.errors.base import HostdError, Kind, Violation

MAX_MISTAKES = 200  # past it a reader stops reading; the last one says so
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class Mistakes:
    """The mistakes found in one file, in the order they were found."""

    def __init__(self, file: str = "") -> None:
        self.file = file
        self.found: list[Violation] = []

    def add(
        self,
        path: str,
        reason: str,
        message: str,
        suggestion: str = "",
        *,
        node: Node | None = None,
        mark: tuple[int, int] | None = None,
    ) -> None:
        """Record a mistake at a node, or at (line, column), both from 1."""
        line, column = mark or ((node.line, node.column) if node else (0, 0))
        if len(self.found) < MAX_MISTAKES:
            self.found.append(Violation(path, reason, message, suggestion, self.file, line, column))
        elif len(self.found) == MAX_MISTAKES:
            more = "there are more mistakes; correct these first"
            self.found.append(Violation(path, "DOCUMENT_INVALID", more, "", self.file, line, column))

    def did_you_mean(self, word: str, known: Iterable[str]) -> str:
        """Return `did you mean x?` as long as anyone will read it: looking for the nearest word is slow."""
        return did_you_mean(word, known) if len(self.found) < MAX_MISTAKES else ""

    def raise_any(self) -> None:
        """Raise DOCUMENT_INVALID with everything found, ordered by place; do nothing when nothing was found."""
        if self.found:
            raise document_invalid(self.found)


def document_invalid(found: Iterable[Violation]) -> HostdError:
    """Return the error that carries mistakes, ordered by place."""
    ordered = tuple(sorted(dict.fromkeys(found), key=lambda fault: (fault.line, fault.column)))
    first = ordered[0]
    more = "" if len(ordered) == 1 else f" (and {len(ordered) - 1} more)"
    return HostdError(
        Kind.INVALID,
        "DOCUMENT_INVALID",
        f"{_place(first)}{first.message}{more}",
        details={"mistakes": str(len(ordered))},
        violations=ordered,
    )


def _place(fault: Violation) -> str:
    before = f"{fault.file}:" if fault.file else "line "  # a document that came as a text has no name
    at = f"{before}{fault.line}:{fault.column}" if fault.line else fault.file
    return (
        " ".join(part for part in (at, f"{fault.path}:" if fault.path else "") if part) + " "
        if at or fault.path
        else ""
    )


def format_violation(fault: Violation) -> str:
    """Return one line for a person: `FILE:LINE:COL path: REASON message (suggestion)`."""
    suggestion = f" ({fault.suggestion})" if fault.suggestion else ""
    message = " ".join(fault.message.split())
    return f"{fault.file}:{fault.line}:{fault.column} {fault.path or '.'}: {fault.reason} {message}{suggestion}"


def child_path(path: str, key: str | int) -> str:
    """Return the path of a key or index below a path: `steps.fetch.needs[0]`; strange keys are quoted."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _PLAIN_KEY.fullmatch(key) or "." in key:
        return f'{path}["{key[:80]}"]'
    return f"{path}.{key}" if path else key


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word most like a mistyped one, or an empty text."""
    folded = {item.lower(): item for item in itertools.islice(known, 2_000)}
    found = difflib.get_close_matches(word[:80].lower(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean x?`, or an empty text."""
    found = nearest(word, known)
    return f"did you mean {found}?" if found else ""


def shown(value: object) -> str:
    """Return a value for a message: short, on one line."""
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."
