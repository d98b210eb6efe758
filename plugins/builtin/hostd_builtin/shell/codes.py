"""What failures of shell.run are called."""

from __future__ import annotations

CODES = {
    "NOT_ALLOWED": "The operator does not permit the program: it has to stand in `plugins.settings.shell.allow`.",
    "NOT_FOUND": "There is no such program in `path`, or no folder `cwd`.",
    "NOT_STARTED": "The program cannot be executed; the message holds what the system says.",
    "ARGUMENT_REFUSED": "A value begins with `-`. End `command` with `--`, or say `allow_options: true`.",
    "PATH_DENIED": "`cwd` lies outside of `roots`, or on a link.",
    "NOT_A_FOLDER": "`cwd` is no folder.",
    "EXIT_<code>": "It ended with another exit code than `success_codes`. Retryable if it is one of `retryable_codes`.",
    "SIGNAL_<name>": "It was killed by a signal. Retryable.",
    "TIMEOUT": "It took longer than `timeout` and was ended. Retryable.",
    "OUTPUT_INVALID": "`parse: json`, and stdout is none, or was cut at `max_output`.",
    "NO_PERMISSION": "The daemon's user may not. See who owns the path in the message.",
    "IO": "The system failed for another reason, as the message says. Retryable where it may pass.",
}
