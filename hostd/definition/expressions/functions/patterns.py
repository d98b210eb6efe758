"""Regular expressions through RE2: linear time whatever the pattern; named as in CEL and its regex extension."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hostd.definition.expressions.functions.registry import Family
from hostd.definition.expressions.kinds import INT, TEXT
from hostd.definition.expressions.limits import MAX_PATTERN_CHARS, Evaluation
from hostd.definition.expressions.problems import Problem
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    import re2
else:
    re2 = lazily("re2")

PATTERNS = Family("Patterns")

_STEPS_A_NODE = 2_048  # characters times instructions: RE2's worst case is about 15 ns a step
_PROGRAM_A_NODE = 64  # instructions; compiling costs about half a microsecond each
_REFUSED_NODES = 50  # RE2 may work for a millisecond before it refuses a pattern


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return options


@functools.lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Any:
    """Return the compiled pattern. Raises Problem."""
    if len(pattern) > MAX_PATTERN_CHARS:
        raise Problem(f"a pattern is at most {MAX_PATTERN_CHARS} characters long")
    try:
        return re2.compile(pattern, _options())
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise Problem(f"the pattern is not one of RE2: {reason[:200]}") from None


def _compiled(run: Evaluation, text: str, pattern: str) -> Any:
    """Return the compiled pattern, after the worst that it can cost on the text is charged."""
    run.charge(len(pattern) // 16)
    try:
        compiled = compile_pattern(pattern)
    except Problem:
        run.charge(_REFUSED_NODES)
        raise
    size = compiled.programsize
    run.charge(size // _PROGRAM_A_NODE + len(text) * size // _STEPS_A_NODE)
    return compiled


def _search(run: Evaluation, text: str, pattern: str) -> Any:
    return _compiled(run, text, pattern).search(text)


@PATTERNS.function(
    "matches", "text.matches(pattern)", takes=(TEXT, TEXT), example="'order-17'.matches('^order-[0-9]+$')", gives="true"
)
def _matches(run: Evaluation, text: str, pattern: str) -> bool:
    """Whether a pattern (RE2) is found anywhere in a text; ^ and $ bind it to the ends."""
    return _search(run, text, pattern) is not None


@PATTERNS.function(
    "regex.extract",
    "regex.extract(text, pattern)",
    takes=(TEXT, TEXT),
    example="regex.extract('id=42', 'id=([0-9]+)')",
    gives='"42"',
)
def _extract(run: Evaluation, text: str, pattern: str) -> str | None:
    """What the pattern, or its one group, first finds; null when nothing is found."""
    compiled = _compiled(run, text, pattern)
    group = _wanted_group(compiled)
    found = compiled.search(text)
    if found is None:
        return None
    value = found.group(group)
    run.make_chars(len(value or ""))
    return value  # type: ignore[no-any-return]


def _wanted_group(compiled: Any) -> int:
    groups = int(compiled.groups)
    if groups > 1:
        raise Problem("the pattern has more than one group; write (?:...) for those that only hold together")
    return groups


@PATTERNS.function(
    "regex.extractAll",
    "regex.extractAll(text, pattern)",
    takes=(TEXT, TEXT),
    example="regex.extractAll('a1b22', '[0-9]+')",
    gives='["1","22"]',
)
def _extract_all(run: Evaluation, text: str, pattern: str) -> list[str]:
    """Everything the pattern, or its one group, finds."""
    compiled = _compiled(run, text, pattern)
    group = _wanted_group(compiled)
    found: list[str] = []
    for match in compiled.finditer(text):
        value = match.group(group) or ""
        run.charge(1)
        run.make(len(value) + 64)
        found.append(value)
    return found


@PATTERNS.function(
    "regex.replace",
    "regex.replace(text, pattern, new[, count])",
    takes=(TEXT, TEXT, TEXT, INT),
    least=3,
    example="regex.replace('a1b22', '[0-9]+', '#')",
    gives='"a#b#"',
)
def _replace(run: Evaluation, text: str, pattern: str, new: str, count: int = 0) -> str:
    r"""The text with every match (or the first `count`) replaced; \1 in `new` is the first group."""
    compiled = _compiled(run, text, pattern)
    parts: list[str] = []
    end = 0
    for number, match in enumerate(compiled.finditer(text), start=1):
        run.charge(1)
        part = _expanded(new, match)
        run.make_chars(match.start() - end + len(part))
        parts += (text[end : match.start()], part)
        end = match.end()
        if number == count:
            break
    run.make_chars(len(text) - end)
    parts.append(text[end:])
    return "".join(parts)


def _expanded(new: str, match: Any) -> str:
    """Return the replacement with \\1 to \\9 (and \\0, the whole match) put in."""
    if "\\" not in new:
        return new
    pieces = new.split("\\")
    parts = [pieces[0]]
    at = 1
    while at < len(pieces):
        piece = pieces[at]
        if piece[:1].isdigit() and piece[:1].isascii():
            group = int(piece[0])
            if group > match.re.groups:
                raise Problem(f"the pattern has no group {group}")
            parts.append((match.group(group) or "") + piece[1:])
        elif not piece and at + 1 < len(pieces):
            at += 1
            parts.append("\\" + pieces[at])
        else:
            raise Problem("a backslash in the replacement takes a digit; \\\\ is the sign itself")
        at += 1
    return "".join(parts)
