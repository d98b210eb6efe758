"""Which case files a person means, and which of their cases."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hostd.errors.base import invalid
from hostd.testing.cases.case import WorkflowCase
from hostd.testing.cases.reading import SUFFIXES

FILES_MAX = 10_000
PASSED_OVER = frozenset({"node_modules", "__pycache__", "venv", "build", "dist"})


def case_files(places: Iterable[Path]) -> list[Path]:
    """Return the files, and those of folders, in order of their names; hidden folders and the like are passed over.

    Raises:
        HostdError: ARGUMENT_INVALID for a place that is not there, or where there are too many.
    """
    found: dict[Path, None] = {}
    for place in places:
        if place.is_dir():
            found.update(dict.fromkeys(sorted(_in_folder(place))))
        elif place.exists():
            found[place] = None
        else:
            raise invalid("ARGUMENT_INVALID", f"{place} is not there; name a file or a folder")
        if len(found) > FILES_MAX:
            raise invalid("ARGUMENT_INVALID", f"there are more than {FILES_MAX} case files; name fewer folders")
    return list(found)


def _in_folder(folder: Path) -> Iterator[Path]:
    for home, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in PASSED_OVER]
        for name in files:
            if name.endswith(SUFFIXES):
                yield Path(home) / name


def chosen(cases: Sequence[WorkflowCase], words: str) -> list[WorkflowCase]:
    """Return the cases in whose file or name all of the words stand, in any case of letters."""
    wanted = words.lower().split()
    return [case for case in cases if all(word in f"{case.file} {case.name}".lower() for word in wanted)]
