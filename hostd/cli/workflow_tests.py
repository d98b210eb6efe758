"""`hostd workflow test`: run the cases of case files, each on a host of its own whose time skips. No daemon."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostd.cli.complaints import complaint
from hostd.cli.given_path import GIVEN_PATH
from hostd.cli.lazy import Verb
from hostd.cli.printing import Printer, say, warn
from hostd.cli.session import local
from hostd.cli.tables import clean
from hostd.cli.terminal import colored
from hostd.errors.base import HostdError, Kind, invalid
from hostd.errors.codes import CODES

if TYPE_CHECKING:
    from hostd.testing.cases.case import WorkflowCase
    from hostd.testing.cases.running import CaseResult

EXIT_FAILED = 1
EXIT_INVALID = CODES[Kind.INVALID].exit
DOTS_A_LINE = 80
Fault = tuple[str, HostdError]


@click.command(cls=Verb)
@click.argument("paths", nargs=-1, metavar="[FILE|FOLDER]...", type=GIVEN_PATH)
@click.option("--filter", "words", metavar="WORDS", default="",
              help="Only cases in whose file or name all of these words stand.")  # fmt: skip
@click.option("--exitfirst", "-x", is_flag=True, help="Stop at the first case that fails.")
@click.option("--junit", metavar="FILE", type=GIVEN_PATH, help="Also write JUnit's XML.")
@click.option("--verbose", "-v", is_flag=True, help="A line for each case, instead of a dot.")
@local
def test(out: Printer, paths: tuple[Path, ...], words: str, exitfirst: bool, junit: Path | None, verbose: bool) -> int:
    """Run the cases of case files (NAME.test.yaml), of folders those in them; without any, of this folder.

    Each case runs on a host of its own, in memory, whose time skips; what reaches outside is mocked or fails.
    Exit codes: 0 every case passed, 1 one failed, 2 a file has mistakes or there is no case.
    """
    import logging

    logging.getLogger("hostd").setLevel(logging.CRITICAL)  # what would be logged is in the report
    cases, faults = _read(paths or (Path(),), words)
    for _, error in faults:
        warn(complaint(error))
    if not cases and not faults:
        raise invalid("ARGUMENT_INVALID", "there is no case here: case files are called NAME.test.yaml")
    report = _Report(out, verbose)
    for case in cases:
        report.take(_run(case))
        if exitfirst and report.failed:
            break
    report.end(faults)
    if junit is not None:
        _write(junit, report.results, faults)
    return EXIT_INVALID if faults else EXIT_FAILED if report.failed else 0


def _read(places: Sequence[Path], words: str) -> tuple[list[WorkflowCase], list[Fault]]:
    """Return the cases that are meant, and the files that cannot be read."""
    from hostd.testing.cases.finding import case_files, chosen
    from hostd.testing.cases.reading import read_cases

    cases: list[WorkflowCase] = []
    faults: list[Fault] = []
    for file in case_files(places):
        try:
            cases += chosen(read_cases(file), words)
        except HostdError as error:
            faults.append((str(file), error))
    return cases, faults


def _run(case: WorkflowCase) -> CaseResult:
    import asyncio

    from hostd.testing.cases.running import run_case

    return asyncio.run(run_case(case))


def _write(file: Path, results: Sequence[CaseResult], faults: Sequence[Fault]) -> None:
    from hostd.testing.cases.junit import junit_xml

    try:
        file.write_bytes(junit_xml(results, faults))
    except OSError as error:
        raise invalid("ARGUMENT_INVALID", f"--junit: {file} cannot be written: {error.strerror}") from None


class _Report:
    """Tells of cases as they end: dots or lines, then what failed, then how many."""

    def __init__(self, out: Printer, verbose: bool) -> None:
        self._out = out
        self._lines = verbose
        self._file = ""
        self._dots = 0
        self.results: list[CaseResult] = []

    @property
    def failed(self) -> list[CaseResult]:
        """What did not come as expected."""
        return [result for result in self.results if not result.passed]

    def take(self, result: CaseResult) -> None:
        """Tell of a case that ended."""
        self.results.append(result)
        if self._out.form != "table":
            self._out.item(_plain(result))
        elif self._lines:
            word = _painted("PASSED", "green") if result.passed else _painted("FAILED", "red")
            say(f"{clean(str(result.case.file))}:{result.case.line} {clean(result.case.name)} {word}")
        else:
            self._dot(result)

    def _dot(self, result: CaseResult) -> None:
        file = clean(str(result.case.file))
        if file != self._file or self._dots >= DOTS_A_LINE:
            sys.stdout.write(f"{chr(10) if self._file else ''}{file} ")
            self._file, self._dots = file, 0
        self._dots += 1
        sys.stdout.write("." if result.passed else _painted("F", "red"))
        sys.stdout.flush()

    def end(self, faults: Sequence[Fault]) -> None:
        """Tell what failed, and how many."""
        if self._out.form != "table":
            return
        if self._file:
            sys.stdout.write("\n")
        for result in self.failed:
            word = _painted("FAILED", "red")
            say(f"\n{word} {clean(str(result.case.file))}:{result.case.line} {clean(result.case.name)}")
            say("\n".join(f"  {clean(problem)}" for problem in result.problems))
        for result in self.results:
            for note in result.notes:
                warn(clean(f"note: {result.case.file}:{result.case.line} {result.case.name}: {note}"))
        failed, passed = len(self.failed), len(self.results) - len(self.failed)
        counts = [f"{passed} passed", *([f"{failed} failed"] if failed else [])]
        counts += [f"{len(faults)} files with mistakes"] if faults else []
        seconds = sum(result.seconds for result in self.results)
        say(("\n" if self.failed else "") + f"{', '.join(counts)} in {seconds:.2f}s")


def _painted(text: str, color: str) -> str:
    return click.style(text, fg=color) if colored() else text


def _plain(result: CaseResult) -> dict[str, Any]:
    return {
        "file": str(result.case.file),
        "line": result.case.line,
        "name": result.case.name,
        "passed": result.passed,
        "problems": list(result.problems),
        "notes": list(result.notes),
        "took": result.took_ms / 1000,
        "seconds": round(result.seconds, 3),
    }
