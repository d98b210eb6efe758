"""The traps of plain YAML text, recognised and answered with the quoted form.

Expressions hold characters that YAML gives a meaning of its own: `: ` in `${{ a ? b : c }}`, `!` before a call, braces
inside a flow mapping, `*` in a cron text. A line that holds one is mended, so that reading goes on and one look shows
every mistake of a document.
"""

from __future__ import annotations

import json
import re

import msgspec

_ENTRY = re.compile(
    r"""^(?P<lead>\s*(?:-\ +)*
         (?:(?P<key>[A-Za-z_][A-Za-z0-9_.-]*|"[^"]*"|'[^']*')\ *:\ +)?)
         (?P<text>\S.*?)\s*$""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"\s+#.*$")
_FLOW_TEXT = re.compile(
    r"""(?P<before>[\[{,:]\s*)
        (?P<text>
          (?:(?![\s#])(?:(?!:\ )[^,\[\]{}"'$])+)?
          \$\{\{(?:[^{}]|\{[^{}]*\})*?\}\}
          [^,\[\]{}"']*)
        (?=\s*[,\]}])""",
    re.VERBOSE,
)
_FLOW_OPEN = re.compile(r"[\[{]")
_LAST_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*:\s*$")
_TRAP_STARTS = "!*&@`%|>"


class Repair(msgspec.Struct, frozen=True):
    """A line mended by quotes. `column` counts from 1."""

    column: int
    key: str
    quoted: str
    message: str
    line: str


def quoted(text: str) -> str:
    """Return a text in quotes that YAML reads back as it is."""
    if '"' not in text and "\\" not in text and text.isprintable():
        return f'"{text}"'
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text)


def tag_is_trap(tag: str, path: str) -> bool:
    """Say whether what YAML calls a tag was meant as an expression that begins with `!`."""
    if not tag.startswith("!") or tag.startswith("!!"):
        return False
    return path == "if" or path.endswith(".if") or any(char in tag for char in "().[]=&|<>")


def mend(line: str, *, in_flow: bool) -> Repair | None:
    """Return the mended form of a line that YAML cannot read, or None when no trap is seen in it."""
    return _mend_flow(line) or (None if in_flow else _mend_entry(line))


def _mend_flow(line: str) -> Repair | None:
    for match in _FLOW_TEXT.finditer(line):
        before = line[: match.start("text")]
        in_quotes = before.count('"') % 2 or before.count("'") % 2
        if in_quotes or not _FLOW_OPEN.search(before.replace("${{", "")):
            continue
        text = match["text"].strip()
        key = _LAST_KEY.search(before)
        return Repair(
            column=match.start("text") + 1,
            key=key[1] if key else "",
            quoted=quoted(text),
            message="inside `{ }` and `[ ]` YAML reads the braces of `${{ }}` as its own",
            line=before + quoted(text) + line[match.end("text") :],
        )
    return None


def _mend_entry(line: str) -> Repair | None:
    match = _ENTRY.match(line)
    if match is None or match["text"][0] in "{[#" or not match["lead"].strip():
        return None
    text = _COMMENT.sub("", match["text"])
    why = _why(text)
    if not why:
        return None
    return Repair(
        column=match.start("text") + 1,
        key=(match["key"] or "").strip("\"'"),
        quoted=quoted(text),
        message=why,
        line=match["lead"] + quoted(text),
    )


def _why(text: str) -> str:
    if text[0] in "\"'":
        end = text.find(text[0], 1)
        rest = text[end + 1 :].strip() if end > 0 else ""
        return "after a quoted text nothing can follow in YAML" if rest else ""
    if text[0] in _TRAP_STARTS and not (text[0] in "|>" and len(text) < 4):
        return f"plain text cannot begin with `{text[0]}` in YAML"
    if re.search(r":(\s|$)", text):
        return "YAML reads `: ` inside plain text as the start of a mapping"
    return ""
