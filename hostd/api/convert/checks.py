"""Checks of single fields at the door. Each fault names the field, so that BadRequest can."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hostd.errors.base import HostdError, Violation, invalid
from hostd.model.ids import is_run_id
from hostd.model.requests import KEY_BYTES_MAX, LABEL_BYTES_MAX, LABELS_MAX, REQUEST_ID_BYTES_MAX, RunRef
from hostd.plugin.secrets import SECRET_BYTES_MAX

DEFAULT_NAMESPACE = "default"
REASON_BYTES_MAX = 1_000
FILE_BYTES_MAX = 1_000
ATTEMPT_MAX = 2**31 - 1
EXPRESSION_CHARS_MAX = 65_536
PAGE_SIZE, PAGE_SIZE_MAX = 100, 1_000
NUMBERS_MAX = 1_000
NUMBER_MAX = 2**63 - 1

_NAMESPACE = re.compile(r"[a-z][a-z0-9-]{0,62}")
_WORKFLOW = re.compile(r"[a-z][a-z0-9-]{0,62}")
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,100}")
_STEP = re.compile(r"(handlers\.)?[a-z][a-z0-9_]{0,62}")
_COMPONENT = re.compile(r"[a-z][a-z0-9_.-]{0,127}")
_SECRET = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def fault(path: str, message: str, *, reason: str = "ARGUMENT_INVALID") -> HostdError:
    """Return the error for one field."""
    return invalid(reason, f"{path}: {message}", violations=(Violation(path, reason, message),))


def check_namespace(text: str) -> str:
    """Return the namespace; empty means `default`."""
    if not text:
        return DEFAULT_NAMESPACE
    if not _NAMESPACE.fullmatch(text):
        raise fault("namespace", "lower case letters, digits and -, a letter first, at most 63 characters")
    return text


def check_workflow(text: str, path: str = "workflow") -> str:
    """Return a workflow's name."""
    if not text:
        raise fault(path, "name the workflow")
    if not _WORKFLOW.fullmatch(text):
        raise fault(path, "a workflow's name has lower case letters, digits and -, a letter first, at most 63")
    return text


def check_version(text: str, path: str = "version") -> str:
    """Return a version, which may be empty."""
    if text and not _VERSION.fullmatch(text):
        raise fault(path, "a version looks like 1.2.0")
    return text


def check_text(text: str, path: str, *, max_bytes: int) -> str:
    """Return a text within its size and without control characters."""
    if len(text) > max_bytes or len(text.encode("utf-8", "replace")) > max_bytes:
        raise fault(path, f"at most {max_bytes} bytes")
    if _CONTROL.search(text):
        raise fault(path, "it holds a control character")
    return text


def check_key(text: str, path: str = "key") -> str:
    """Return a key."""
    return check_text(text, path, max_bytes=KEY_BYTES_MAX) if text else text


def check_request_id(text: str, path: str = "request_id") -> str:
    """Return a request id."""
    return check_text(text, path, max_bytes=REQUEST_ID_BYTES_MAX) if text else text


def check_why(text: str) -> str:
    """Return a reason for people."""
    if len(text.encode("utf-8", "replace")) > REASON_BYTES_MAX:
        raise fault("reason", f"at most {REASON_BYTES_MAX} bytes")
    return text


def check_labels(labels: Mapping[str, str], path: str = "labels") -> dict[str, str]:
    """Return labels."""
    if not labels:
        return {}
    if len(labels) > LABELS_MAX:
        raise fault(path, f"at most {LABELS_MAX} labels")
    for name, value in labels.items():
        if not name:
            raise fault(path, "a label's name is empty")
        check_text(name, path, max_bytes=LABEL_BYTES_MAX)
        check_text(value, f"{path}.{name}", max_bytes=LABEL_BYTES_MAX)
    return dict(labels)


def check_page_size(size: int) -> int:
    """Return how many a page holds; 0 means the usual."""
    if size > PAGE_SIZE_MAX:
        raise fault("page_size", f"at most {PAGE_SIZE_MAX}")
    return size or PAGE_SIZE


def check_count(number: int, path: str, *, usual: int, most: int) -> int:
    """Return how many; 0 means the usual."""
    if number > most:
        raise fault(path, f"at most {most:,}")
    return number or usual


def check_run(ref: RunRef) -> RunRef:
    """Return what names a run: run_id, or workflow and key."""
    if ref.run_id:
        if ref.workflow or ref.key:
            raise fault("run", "name the run by run_id, or by workflow and key, not both")
        if not is_run_id(ref.run_id):
            told = f"{ref.run_id[:40]!r} is no run id, which has 26 characters of 0-9 and a-v"
            raise fault("run.run_id", f"{told}; `hostd runs list` shows them, WORKFLOW/KEY names a run by its key")
        return ref
    if not ref.workflow or not ref.key:
        raise fault("run", "name the run: run_id, or workflow and key")
    check_workflow(ref.workflow, "run.workflow")
    check_key(ref.key, "run.key")
    return ref


def check_step(text: str) -> str:
    """Return a step's id, which may be empty."""
    if text and not _STEP.fullmatch(text):
        raise fault("step", "a step's id has lower case letters, digits and _, a letter first")
    return text


def check_component(text: str, path: str = "id") -> str:
    """Return a plugin's or component's id."""
    if not _COMPONENT.fullmatch(text):
        raise fault(path, "name it, such as http.request")
    return text


def check_name(text: str, path: str = "name") -> str:
    """Return a trigger's name."""
    if not text:
        raise fault(path, "it is missing")
    return check_text(text, path, max_bytes=128)


def check_digest(text: str) -> bytes:
    """Return a blob's digest."""
    if not _DIGEST.fullmatch(text):
        raise fault("digest", "64 hex digits in lower case")
    return bytes.fromhex(text)


def check_optional_workflow(text: str) -> str:
    """Return a workflow's name; empty means all."""
    return check_workflow(text) if text else text


def check_document(text: str) -> bytes:
    """Return the text of documents. How large one may be is for the loader to say."""
    if not text.strip():
        raise fault("document", "it is empty; send the text of a workflow document")
    return text.encode()


def check_file(text: str) -> str:
    """Return the name of a file, for messages."""
    return check_text(text, "file", max_bytes=FILE_BYTES_MAX)


def check_path(text: str) -> str:
    """Return where a file on the daemon's machine is to be written; a relative path stays in its folder."""
    if not text:
        raise fault("path", "name the file to write")
    check_text(text, "path", max_bytes=FILE_BYTES_MAX)
    if ".." in text.split("/"):
        raise fault("path", "`..` is not taken")
    return text


def check_event_id(text: str) -> str:
    """Return an event's id, which may be empty."""
    return check_text(text, "event_id", max_bytes=KEY_BYTES_MAX)


def check_kind(text: str) -> str:
    """Return a kind of component; empty means whichever there is."""
    return check_component(text, "kind") if text else text


def check_source(text: str) -> str:
    """Return a script. How large it may be is a limit of scripts."""
    if not text:
        raise fault("source", "send the script")
    return text


def check_expression(text: str) -> str:
    """Return an expression."""
    if not text.strip():
        raise fault("expression", "send the expression")
    if len(text) > EXPRESSION_CHARS_MAX:
        raise fault("expression", f"at most {EXPRESSION_CHARS_MAX} characters")
    return text


def check_secret_name(text: str) -> str:
    """Return a secret's name; what is none is not repeated, for it could be the value."""
    if not _SECRET.fullmatch(text):
        raise fault("name", "a secret's name has a-z, 0-9 and _, a letter first, at most 63")
    return text


def check_secret_value(data: bytes) -> str:
    """Return a secret as text."""
    if not 0 < len(data) <= SECRET_BYTES_MAX:
        raise fault("value", f"a secret has 1 to {SECRET_BYTES_MAX:,} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise fault("value", "a secret is UTF-8 text; write bytes in base64") from None


def check_letter_number(number: int, path: str = "number") -> int:
    """Return the number of a dead letter."""
    if not 0 < number <= NUMBER_MAX:
        raise fault(path, "numbers of dead letters begin with 1")
    return number


def check_letter_numbers(numbers: Sequence[int], path: str = "numbers") -> tuple[int, ...]:
    """Return the numbers of dead letters."""
    if len(numbers) > NUMBERS_MAX:
        raise fault(path, f"at most {NUMBERS_MAX}")
    return tuple(check_letter_number(number, path) for number in numbers)


def check_attempt(number: int) -> int:
    """Return the number of an attempt; 0 means all."""
    if number > ATTEMPT_MAX:
        raise fault("attempt", f"at most {ATTEMPT_MAX}")
    return number
