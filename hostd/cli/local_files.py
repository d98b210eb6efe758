"""Checks files of every kind that people write, without a daemon.

Like local.py it reaches into the rooms below.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from hostd.cli.document_kinds import Kind
from hostd.cli.local import check_configuration
from hostd.cli.local_documents import Known, check_documents
from hostd.cli.local_scripts import check_lua
from hostd.errors.base import HostdError, Violation


class FileChecked(NamedTuple):
    """What is wrong with a file, and what is doubtful."""

    mistakes: list[Violation]
    warnings: list[str]


def check_file(kind: Kind, data: bytes, *, name: str, label: str, known: Known | None = None) -> FileChecked:
    """Check one file.

    Args:
        name: where it lies; `-` where it was given on standard input.
        label: what messages call it.
        known: what documents may use; else what is known here.

    Raises:
        HostdError: what keeps it from being looked at.
    """
    if kind == "cases":
        return FileChecked(_of_cases(data, label), [])
    if kind == "script":
        return FileChecked(check_lua({label: data.decode("utf-8-sig", "replace")}), [])
    if kind == "configuration" and name != "-":
        mistakes, warnings, _ = check_configuration({}, Path(name))
        return FileChecked(mistakes, warnings)
    if kind == "manifest" and name != "-":
        return FileChecked(_of_manifest(Path(name)), [])
    return FileChecked(*check_documents(data, label, known))


def _of_cases(data: bytes, label: str) -> list[Violation]:
    from hostd.testing.cases.reading import cases_of

    try:
        cases_of(data, Path(label))
    except HostdError as error:
        if error.reason != "DOCUMENT_INVALID":
            raise
        return list(error.violations)
    return []


def _of_manifest(file: Path) -> list[Violation]:
    from hostd.host.folders.manifest import read_manifest

    try:
        read_manifest(file)
    except HostdError as error:
        return list(error.violations) or [Violation("", error.reason, error.message, file=str(file))]
    return []
