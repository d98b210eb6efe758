"""hostd beside pytest: the fixture `hostd_host`, and case files (`*.test.yaml`) as tests.

pytest imports this in every program that hostd is installed in; hostd itself is imported once something of it is used.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hostd.testing.cases.case import WorkflowCase
    from hostd.testing.host import TestHost

_fixture: Any = pytest.fixture  # anyio takes plain ones
try:
    from pytest_asyncio import fixture as _fixture
except ImportError:
    pass

SUFFIXES = (".test.yaml", ".test.yml")
HEAD_BYTES = 1 << 20
_KEYS = (re.compile(rb"^workflow\s*:", re.MULTILINE), re.compile(rb"^cases\s*:", re.MULTILINE))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let case files be left alone."""
    group = parser.getgroup("hostd")
    group.addoption("--no-hostd-cases", action="store_true", help="do not collect hostd's case files (*.test.yaml)")
    parser.addini("hostd_cases", "collect hostd's case files (*.test.yaml)", type="bool", default=True)


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "hostd(**options): what the fixture hostd_host gives to TestHost")


@_fixture  # type: ignore[untyped-decorator]
async def hostd_host(request: pytest.FixtureRequest) -> AsyncIterator[TestHost]:
    """A host in memory whose time skips; `@pytest.mark.hostd(actions=[...], only_mocked=True)` says how it is built."""
    from hostd.testing.host import TestHost

    mark = request.node.get_closest_marker("hostd")
    async with TestHost(**(mark.kwargs if mark is not None else {})) as host:
        yield host


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CaseFile | None:
    """Take a file that is called like a case file, and looks like one."""
    if not file_path.name.endswith(SUFFIXES) or not _wanted(parent.config):
        return None
    with file_path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not all(key.search(head) for key in _KEYS):
        return None
    collector: CaseFile = CaseFile.from_parent(parent, path=file_path)
    return collector


def _wanted(config: pytest.Config) -> bool:
    return bool(config.getini("hostd_cases")) and not config.getoption("--no-hostd-cases")


class CaseFile(pytest.File):
    """A case file; its cases are tests."""

    def collect(self) -> Iterable[CaseItem]:
        """Yield the cases. Raises CollectError with every mistake of the file."""
        from hostd.definition.mistakes import format_violation
        from hostd.errors.base import HostdError
        from hostd.testing.cases.reading import read_cases

        try:
            cases = read_cases(self.path)
        except HostdError as error:
            lines = [format_violation(fault) for fault in error.violations] or [error.message]
            raise self.CollectError("\n".join(lines)) from None
        for case in cases:
            yield CaseItem.from_parent(self, name=case.name, case=case)


class CaseItem(pytest.Item):
    """A case."""

    def __init__(self, *, case: WorkflowCase, **more: Any) -> None:
        super().__init__(**more)
        self.case = case

    def runtest(self) -> None:
        """Run it on an event loop of its own; whatever loop the thread has stays the thread's."""
        from hostd.testing.cases.running import run_case

        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            result = runner.run(run_case(self.case))
        if not result.passed:
            raise CaseFailed("\n".join(result.problems))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return what did not come as expected, without a traceback."""
        if isinstance(excinfo.value, CaseFailed):
            return f"{self.path}:{self.case.line} {self.case.name}\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the case stands."""
        return self.path, self.case.line - 1, f"case: {self.name}"


class CaseFailed(AssertionError):
    """A case did not come as it expects."""
