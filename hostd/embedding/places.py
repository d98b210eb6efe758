"""Where in a program each part of a document was written, so that a mistake names the Python line that made it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from hostd.definition.mistakes import document_invalid
from hostd.errors.base import HostdError, Violation

Path = tuple[str, ...]
"""Keys from the top of the document."""

Place = tuple[str, int]
"""File and line."""

_PART = re.compile(r'\["(?P<quoted>.*?)"\]|\[(?P<index>\d+)\]|(?P<plain>[^.\[]+)')


class Fault(NamedTuple):
    """A mistake found while the document is put together."""

    path: str
    reason: str
    message: str
    suggestion: str
    place: Place


class Places:
    """Places by path; a part without one of its own was written where what holds it was."""

    def __init__(self, first: Place) -> None:
        self._of: dict[Path, Place] = {(): first}

    def note(self, path: Path, place: Place) -> None:
        """Remember where a part was written."""
        self._of[path] = place

    def find(self, path: str) -> Place:
        """Return where a mistake's path was written: `steps.fetch.with.headers["x-a"]`."""
        parts = tuple(match["quoted"] or match["index"] or match["plain"] for match in _PART.finditer(path))
        return next(self._of[parts[:count]] for count in range(len(parts), -1, -1) if parts[:count] in self._of)

    def told(self, error: HostdError, found: list[Fault]) -> HostdError:
        """Return the compiler's mistakes, and those found before it, with files and lines of the program."""
        known = {fault.path for fault in found}  # what follows from them is no news
        violations = [
            violation._replace(**self._where(violation.path))
            for violation in error.violations
            if violation.path not in known
        ]
        return faults_error(found, violations)

    def _where(self, path: str) -> dict[str, Any]:
        file, line = self.find(path)
        return {"file": file, "line": line, "column": 1}


def faults_error(found: list[Fault], violations: list[Violation]) -> HostdError:
    """Return DOCUMENT_INVALID with everything that is wrong."""
    ours = [Violation(f.path, f.reason, f.message, f.suggestion, f.place[0], f.place[1], 1) for f in found]
    return document_invalid([*ours, *violations])
