"""What failures of actions on files are called."""

from __future__ import annotations

CODES = {
    "PATH_DENIED": "No roots, outside of them, a link, a folder instead of a file: the message says which.",
    "NOT_FOUND": "There is nothing at that path.",
    "EXISTS": "There is something at that path already.",
    "NOT_EMPTY": "The folder is not empty.",
    "NOT_A_FILE": "A folder lies at that path.",
    "NOT_A_FOLDER": "A part of the path is no folder.",
    "NO_PERMISSION": "The daemon's user may not, or the file system is read only. See who owns the path.",
    "TOO_LARGE": "The file has more than `max_bytes`. Raise it, or read less.",
    "CONTENT_INVALID": "The content is not what `parse` says; `parse: base64` takes it as it is.",
    "NO_SPACE": "The disk, or the user's share of it, is full. Retryable: make room.",
    "IO": "The system failed for another reason, as the message says. Retryable where it may pass.",
    "CANCELED": "It was stopped before it was done.",
}
