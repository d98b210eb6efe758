"""Every error that hostd gives has a reason with a page."""

import ast
import re
from collections.abc import Iterator

from tree import parsed, relative, sources

from hostd.errors.reasons import REASONS

REASON = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
# Functions and classes that take a reason, with the position it stands at.
TAKES_REASON = {"HostdError": 1, "invalid": 0, "Violation": 1}

# Given by clients and doors only, or kept for what is announced already.
NOT_GIVEN_HERE: set[str] = set()


def given_reasons() -> Iterator[tuple[str, str]]:
    """Yield (reason, where) of every literal reason in the sources."""
    for file in sources("hostd", "plugins/builtin"):
        for node in ast.walk(parsed(file)):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name not in TAKES_REASON:
                continue
            named = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
            placed = node.args[TAKES_REASON[name] :][:1]
            for value in [*named, *placed]:
                for constant in ast.walk(value):
                    if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                        yield constant.value, f"{relative(file)}:{node.lineno}"


def test_every_reason_given_has_a_page() -> None:
    """A reason in the code is in the table, so `hostd explain` knows it."""
    assert {(reason, where) for reason, where in given_reasons() if reason not in REASONS} == set()


def test_reasons_are_well_formed() -> None:
    """UPPER_SNAKE, at most 63 characters, with a sentence of what happened and one of what to do."""
    for reason, page in REASONS.items():
        assert REASON.fullmatch(reason), reason
        assert len(reason) <= 63, reason
        assert page.what.endswith("."), reason
        assert page.fix.endswith((".", "?")), reason


def test_every_reason_is_used() -> None:
    """A page for an error that nothing gives misleads."""
    text = "\n".join(file.read_text() for file in sources("hostd", "plugins/builtin") if file.name != "reasons.py")
    unused = {reason for reason in REASONS if f'"{reason}"' not in text}
    assert unused - NOT_GIVEN_HERE == set()
