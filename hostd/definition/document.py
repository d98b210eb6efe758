"""Text to documents: decoding, YAML with its traps mended, and the canonical form that versions are compared in."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import msgspec

from hostd.definition.mistakes import Mistakes, document_invalid, shown
from hostd.definition.nodes import Node
from hostd.definition.yaml_text import ReadDocument, ReadStop, read_events
from hostd.definition.yaml_traps import Repair, mend
from hostd.errors.base import Violation
from hostd.values.lazily import lazily

if TYPE_CHECKING:
    import yaml
else:
    yaml = lazily("yaml")

MAX_TEXT_BYTES = 16 * 1024 * 1024
MAX_DOCUMENTS = 1_000
_MAX_REPAIRS = 20
_MAX_REPAIR_CHARS = 256 * 1024
_MAX_REPAIR_LINE_CHARS = 2_000
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_PAIR = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


class Document(msgspec.Struct):
    """One workflow document: marked nodes, not yet checked. `faults` are the mistakes of its YAML."""

    root: Node
    file: str = ""
    faults: tuple[Violation, ...] = ()


def document_digest(canonical: bytes) -> bytes:
    """Return the blake2b-256 of a document's canonical form."""
    return hashlib.blake2b(canonical, digest_size=32).digest()


def load_documents(text: bytes | str, *, file: str = "") -> list[Document]:
    """Return the documents of a YAML or JSON text, in order; empty ones are left out.

    Raises:
        HostdError: DOCUMENT_INVALID when the text cannot be read to its end. Mistakes that leave the rest readable
            (a duplicate key, a tag) travel in the documents and are raised by compiling them.
    """
    documents, fatal = read_documents(text, file=file)
    if fatal:
        raise document_invalid([fault for document in documents for fault in document.faults] + fatal)
    return documents


def read_documents(text: bytes | str, *, file: str = "") -> tuple[list[Document], list[Violation]]:
    """Return what could be read, and the faults that end reading or belong to no document."""
    mistakes = Mistakes(file)
    decoded = _decode(text, mistakes)
    if decoded is None:
        return [], mistakes.found
    documents = _read(decoded, mistakes)
    if not documents and not mistakes.found:
        mistakes.add(
            "", "SYNTAX_INVALID", "there is no document in the text", "begin with `workflow: NAME`", mark=(1, 1)
        )
    return documents, mistakes.found


def _decode(text: bytes | str, mistakes: Mistakes) -> str | None:
    if len(text) > MAX_TEXT_BYTES:
        mistakes.add("", "DOCUMENT_TOO_LARGE", f"the text is larger than {MAX_TEXT_BYTES} bytes", mark=(1, 1))
        return None
    decoded = _decode_bytes(text, mistakes) if isinstance(text, bytes) else text
    if decoded is None:
        return None
    decoded = decoded.removeprefix("\ufeff")
    bad = _CONTROL.search(decoded)
    if bad:
        mistakes.add(
            "",
            "SYNTAX_INVALID",
            f"the character U+{ord(bad[0]):04X} cannot stand in a document",
            'remove it, or write it as an escape in double quotes, such as "\\x01"',
            mark=_mark(decoded[: bad.start()]),
        )
        return None
    return _join_surrogates(decoded)


def _decode_bytes(text: bytes, mistakes: Mistakes) -> str | None:
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        mistakes.add("", "SYNTAX_INVALID", "the text is UTF-16", "save it as UTF-8", mark=(1, 1))
        return None
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        before = text[: error.start].decode("utf-8", "replace")
        mistakes.add("", "SYNTAX_INVALID", "the text is not UTF-8 here", "save it as UTF-8", mark=_mark(before))
        return None


def _mark(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _join_surrogates(text: str) -> str:
    """Write the surrogate pairs of JSON's escapes out: YAML's escapes know no pairs."""
    if not text.lstrip().startswith("{") or not _PAIR.search(text):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _PAIR.sub(lambda pair: json.loads(f'"{pair[0]}"') if not _escaped(text, pair.start()) else pair[0], text)


def _escaped(text: str, at: int) -> bool:
    """Say whether the backslash at a place is itself escaped by an odd run of backslashes before it."""
    run = 0
    while at - run > 0 and text[at - run - 1] == "\\":
        run += 1
    return run % 2 == 1


def _read(text: str, mistakes: Mistakes) -> list[Document]:
    """Read all documents, mending a line and starting again where a known trap stops YAML."""
    for _ in range(_MAX_REPAIRS):
        documents: list[Document] = []
        try:
            _collect(text, mistakes.file, documents)
        except ReadStop:
            return documents
        except yaml.MarkedYAMLError as error:
            mended = _mend(text, error, mistakes)
            if mended is None:
                _explain(error, mistakes)
                return documents
            text = mended
        except yaml.YAMLError as error:
            mistakes.add("", "SYNTAX_INVALID", f"not YAML: {shown(str(error))}")
            return documents
        else:
            return documents
    return documents


def _collect(text: str, file: str, documents: list[Document]) -> None:
    for read in read_events(text, file):
        if read.root.kind == "null" and not read.mistakes.found:
            continue
        documents.append(_document(read, file))
        if len(documents) > MAX_DOCUMENTS:
            read.mistakes.add("", "DOCUMENT_TOO_LARGE", f"a text holds at most {MAX_DOCUMENTS} documents")
            documents[-1] = _document(read, file)
            raise ReadStop


def _document(read: ReadDocument, file: str) -> Document:
    return Document(root=read.root, file=file, faults=tuple(read.mistakes.found))


def _mend(text: str, error: yaml.MarkedYAMLError, mistakes: Mistakes) -> str | None:
    if len(text) > _MAX_REPAIR_CHARS:
        return None
    lines = text.split("\n")
    in_flow = "flow" in str(error.context or "")
    mark = error.problem_mark
    if mark is None or mark.line >= len(lines) or len(lines[mark.line]) > _MAX_REPAIR_LINE_CHARS:
        return None
    repair = mend(lines[mark.line].rstrip("\r"), in_flow=in_flow)
    if repair is None:
        return None
    _tell(repair, mark.line + 1, mistakes)
    lines[mark.line] = repair.line
    return "\n".join(lines)


def _tell(repair: Repair, line: int, mistakes: Mistakes) -> None:
    key = f"{repair.key}: " if repair.key else ""
    mistakes.add(repair.key, "QUOTES_NEEDED", repair.message, f"write {key}{repair.quoted}", mark=(line, repair.column))


_PLAIN_WORDS = {
    "found character that cannot start any token": "plain text cannot begin with this character",
    "found a tab character where an indentation space is expected": "a tab cannot indent",
    "found a tab character that violates indentation": "a tab cannot indent",
    "mapping values are not allowed in this context": "a `key: value` cannot stand here",
    "did not find expected key": "a key was expected here; look at the indentation and at quotes that end too early",
    "could not find expected ':'": "a `:` after the key was expected",
    "found unexpected end of stream": "a quoted text does not end",
}


def _explain(error: yaml.MarkedYAMLError, mistakes: Mistakes) -> None:
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or "the text cannot be read")
    message = _PLAIN_WORDS.get(problem, problem)
    suggestion = ""
    if mark is not None and "tab" not in message and _tab_at(error):
        message, suggestion = "a tab cannot indent", "indent with spaces"
    elif "tab" in message:
        suggestion = "indent with spaces"
    elif error.context_mark is not None and mark is not None and error.context_mark.line != mark.line:
        what = str(error.context).removeprefix("while ").removeprefix("parsing ").removeprefix("scanning ")
        suggestion = f"look from line {error.context_mark.line + 1} on, where {what} begins"
    place = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
    mistakes.add("", "SYNTAX_INVALID", f"not YAML: {message}", suggestion, mark=place)


def _tab_at(error: yaml.MarkedYAMLError) -> bool:
    return (
        error.problem == "found character that cannot start any token"
        and error.problem_mark is not None
        and (error.problem_mark.column == 0 or error.context == "while scanning for the next token")
    )
