"""`hostd explain`: what a word means that hostd writes or reads."""

from __future__ import annotations

import difflib
import re
from typing import Any

import click

from hostd.cli.completing import complete_reasons
from hostd.cli.lazy import Verb
from hostd.cli.served_plugins import ASK_S, Daemon
from hostd.cli.session import Session, remote
from hostd.cli.tables import clean, columns, fields
from hostd.errors.base import HostdError, Kind
from hostd.errors.codes import CODES
from hostd.errors.reasons import REASONS

WORD_CHARS_MAX = 300
NEAR_MAX = 3
LOOK_S = 3.0  # for the daemon, where something is known without it
_COMPONENT = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@click.command(cls=Verb)
@click.argument("words", nargs=-1, metavar="[WORD]", shell_complete=complete_reasons)
@remote
def explain(session: Session, words: tuple[str, ...]) -> None:
    """Say what WORD means: a reason such as RUN_MISSING, a code of an action's failure such as ADDRESS_DENIED, a key of
    documents such as steps.retry.jitter, of the configuration such as limits.watches, an action, a trigger or an option
    of one such as http.request.url, a function such as size, a metric, a call such as StartRun, a command such as runs
    list. Without one, list the reasons.

    The word `workflow`, `trigger`, `tests`, `manifest` or `config` before a key says which kind of document is meant.
    Codes, actions and triggers of plugins that are not built in are asked of the daemon, where one is reached.
    """
    out = session.out
    if not words:
        out.many([reason_page(name) for name in REASONS], _listing)
        return
    word = " ".join(words).strip()
    daemon = Daemon(session)
    found = (_pages(word, daemon) or _served_pages(word, daemon)) if len(word) <= WORD_CHARS_MAX else []
    if not found:
        raise _nothing(word, daemon.unreached)
    out.many(found, lambda pages: "\n\n".join(map(_text, pages)))


def _pages(word: str, daemon: Daemon) -> list[dict[str, Any]]:
    """Return every page that a word has: `log.level` and `log.write` are of different books."""
    reason = word.upper().removeprefix("REASON_")
    found = [reason_page(reason)] if reason in REASONS else []
    from hostd.cli.local_words import like_a_code, word_pages

    patience_s = LOOK_S if found else ASK_S
    found += word_pages(word, daemon.codes(patience_s=patience_s) if like_a_code(word) else ())
    if found and found[0].get("reason") and not word.islower():
        return found  # written as reasons are, it means nothing else
    from hostd.cli.local_pages import component_pages, key_pages, variable_pages

    if "." in word and not word.startswith("flow."):
        found += component_pages(word)
    keys = [page for page in key_pages(word) if not (found and "below" in page)]  # what stands below is known better
    return [*keys, *variable_pages(word), *found, *_command_pages(word)]


def _served_pages(word: str, daemon: Daemon) -> list[dict[str, Any]]:
    """Return the page of an action or trigger that is not here, but in a daemon."""
    from hostd.cli.local_plugins import component_docs

    if not _COMPONENT.fullmatch(word) or not daemon.may_be_there:
        return []
    try:
        return [component_docs(word, "", None, daemon)]
    except HostdError:
        return []


def _command_pages(word: str) -> list[dict[str, Any]]:
    command: click.Command | None = click.get_current_context().find_root().command
    for name in word.removeprefix("hostd ").split():
        command = command.get_command(click.Context(command), name) if isinstance(command, click.Group) else None
    if command is None or not word:
        return []
    name = word if word.startswith("hostd ") else f"hostd {word}"
    return [{"kind": "command", "name": name, "meaning": command.get_short_help_str(200), "more": f"`{name} --help`"}]


def _nothing(word: str, unreached: str) -> HostdError:
    message = _missing(word)
    return HostdError(Kind.MISSING, "ARGUMENT_INVALID", f"{message}; {unreached}" if unreached else message)


def _missing(word: str) -> str:
    """Return what is not there, and what is near: keys below one that is, or else words that are written alike."""
    from hostd.cli.local_pages import near_path

    near = near_path(word) if "." in word and len(word) <= WORD_CHARS_MAX else None
    if near is not None and near.candidates:
        return f"{near.there} has no key {near.missing[:80]!r}; did you mean {_either(near.candidates)}?"
    meant = _alike(word)
    if meant:
        return f"there is no word {word[:80]!r} that could be explained; did you mean {_either(meant)}?"
    if near is not None:
        return f"{near.there} has no key {near.missing[:80]!r}; `hostd explain {near.there}` tells those it has"
    hint = "`hostd explain` lists the reasons, `hostd plugin schema ID` asks a daemon for what its plugins provide"
    return f"there is no word {word[:80]!r} that could be explained; {hint}"


def _alike(word: str) -> list[str]:
    from hostd.cli.local_pages import known_names
    from hostd.cli.local_words import known_words

    names = [*known_names(), *known_words()]
    meant = [name for name in names if name.endswith(f".{word}")][:NEAR_MAX]  # `kind` alone
    if meant:
        return meant
    meant = difflib.get_close_matches(word[:80].upper(), REASONS, n=1, cutoff=0.6)
    others = [name for name in names if not (meant and name.isupper())]
    return meant + difflib.get_close_matches(word[:80], others, n=1, cutoff=0.6)


def _either(names: list[str]) -> str:
    return " or ".join(dict.fromkeys(names))


def reason_page(name: str) -> dict[str, Any]:
    """Return everything that is known of a reason. `near` are those that begin alike."""
    found = REASONS[name]
    codes = CODES[found.kind]
    beginning = name.partition("_")[0] + "_"
    return {
        "reason": name,
        "kind": str(found.kind),
        "what": found.what,
        "fix": found.fix,
        "grpc": codes.grpc,
        "http": codes.http,
        "exit": codes.exit,
        "near": [other for other in REASONS if other.startswith(beginning) and other != name],
    }


def _listing(pages: list[Any]) -> str:
    return columns(("REASON", "KIND", "WHAT"), [(item["reason"], item["kind"], item["what"]) for item in pages])


def _text(page: dict[str, Any]) -> str:
    if "page" in page:
        return clean(page["page"]).rstrip("\n")
    head = fields((name, value) for name, value in page.items() if name != "keys" and value not in (None, "", []))
    keys = columns(
        ("KEY", "TYPE", "", "MEANING"),
        [
            (item["key"], item["type"], "required" if item["required"] else "", item["meaning"])
            for item in page.get("keys", ())
        ],
    )
    return f"{head}\n\n{keys}" if keys else head
