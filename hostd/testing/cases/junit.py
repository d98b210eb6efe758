"""JUnit's XML, which build servers read: a suite a file, a case a case, an error for a file with mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from hostd.errors.base import HostdError
from hostd.testing.cases.running import CaseResult

ALLOWED = frozenset("\t\n\r")


def junit_xml(results: Sequence[CaseResult], faults: Sequence[tuple[str, HostdError]]) -> bytes:
    """Return the report of a test run.

    Args:
        faults: files that could not be read, with the error.
    """
    root = Xml.Element("testsuites", name="hostd workflow test")
    for file in dict.fromkeys(str(result.case.file) for result in results):
        _suite(root, file, [result for result in results if str(result.case.file) == file])
    for file, error in faults:
        suite = Xml.SubElement(root, "testsuite", name=file, tests="1", failures="0", errors="1", time="0")
        case = Xml.SubElement(suite, "testcase", classname=file, name="the file", time="0")
        lines = [f"{one.file}:{one.line}:{one.column} {one.path}: {one.message}" for one in error.violations]
        Xml.SubElement(case, "error", message=_clean(error.message)).text = _clean("\n".join(lines))
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _suite(root: Xml.Element, file: str, results: Sequence[CaseResult]) -> None:
    failed = sum(not result.passed for result in results)
    seconds = sum(result.seconds for result in results)
    suite = Xml.SubElement(
        root,
        "testsuite",
        name=_clean(file),
        tests=str(len(results)),
        failures=str(failed),
        errors="0",
        time=f"{seconds:.3f}",
    )
    for result in results:
        given = {
            "classname": _clean(file),
            "name": _clean(result.case.name),
            "file": _clean(file),
            "line": str(result.case.line),
            "time": f"{result.seconds:.3f}",
        }
        case = Xml.SubElement(suite, "testcase", given)
        if not result.passed:
            text = _clean("\n".join(result.problems))
            Xml.SubElement(case, "failure", message=_clean(result.problems[0])).text = text


def _clean(text: str) -> str:
    """Return a text without characters that XML does not take."""
    return "".join(char if char in ALLOWED or _speaks(char) else "?" for char in text)


def _speaks(char: str) -> bool:
    return char >= " " and not "\ud800" <= char <= "\udfff"
