"""`hostd explain`: what a reason, a key of a document or of the configuration, an action or a trigger means."""

from __future__ import annotations

import difflib
from typing import Any

import click

from hostd.cli.printing import Printer
from hostd.cli.session import local
from hostd.cli.tables import clean, columns, fields
from hostd.errors.base import HostdError, Kind
from hostd.errors.codes import CODES
from hostd.errors.reasons import REASONS


@click.command()
@click.argument("word", required=False, metavar="[WORD]")
@local
def explain(out: Printer, word: str | None) -> None:
    """Say what WORD means: a reason such as RUN_MISSING, a key of documents such as steps.retry, a key of the
    configuration such as limits.watches, an action or a trigger such as http.request. Without one, list the reasons.
    """
    if word is None:
        out.many([reason_page(name) for name in REASONS], _listing)
        return
    reason = word.upper().removeprefix("REASON_")
    found = [reason_page(reason)] if reason in REASONS else _pages(word)
    if not found:
        raise _nothing(word)
    out.many(found, lambda pages: "\n\n".join(map(_text, pages)))


def _pages(word: str) -> list[dict[str, Any]]:
    """Return every page that a word has: `log.level` and `log.write` are of different books."""
    from hostd.cli.local_pages import component_page, config_page, document_page

    component = component_page(word) if "." in word and not word.startswith("flow.") else None
    return [page for page in (document_page(word), config_page(word), component) if page is not None]


def _nothing(word: str) -> HostdError:
    from hostd.cli.local_pages import known_names

    names = list(known_names())
    near = [name for name in names if name.endswith(f".{word}")]  # `retry` alone
    if not near:
        near = difflib.get_close_matches(word[:80].upper(), REASONS, n=1, cutoff=0.6)
        near += difflib.get_close_matches(word[:80], names, n=1, cutoff=0.6)
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    else:
        hint = "`hostd explain` lists the reasons, `hostd plugin schema ID` asks a daemon for what its plugins provide"
    message = f"there is no reason, key, action or trigger {word[:80]!r}; {hint}"
    return HostdError(Kind.MISSING, "ARGUMENT_INVALID", message)


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
