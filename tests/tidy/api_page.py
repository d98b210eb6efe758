"""`docs/reference/api.md`, written from the comments in proto/."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

PROTO = Path(__file__).resolve().parents[2] / "proto/hostd/v1"
ORDER = (
    "workflow_service",
    "run_service",
    "run",
    "trigger_service",
    "dead_letter_service",
    "event_service",
    "plugin_service",
    "script_service",
    "secret_service",
    "admin_service",
)
LAST = "payload"

_OPENS = re.compile(r"(service|message|enum|oneof) (\w+) \{(\})?")
_RPC = re.compile(r"rpc (\w+)\((stream )?(\w+)\) returns \((stream )?(\w+)\);")
_FIELD = re.compile(r"((?:repeated |optional )?(?:map<[^>]+>|[\w.]+)) (\w+) = (\d+);")
_VALUE = re.compile(r"(\w+) = (\d+);")


class Item(NamedTuple):
    """An rpc, a field or a value, with its comment."""

    name: str
    kind: str
    comment: str


class Block(NamedTuple):
    """A service, a message or an enum."""

    word: str
    name: str
    comment: str
    items: list[Item]


def blocks_of(text: str) -> list[Block]:
    """Return the blocks of a proto file, in order. Comments stand above what they are about."""
    blocks: list[Block] = []
    comment: list[str] = []
    choice = ""
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith("//"):
            comment.append(line.removeprefix("//").strip())
            continue
        about = " ".join(comment)
        if opened := _OPENS.match(line):
            if opened[1] == "oneof":
                choice = opened[2]
            else:
                blocks.append(Block(opened[1], opened[2], about, []))
        elif line == "}":
            choice = ""
        elif blocks and (item := _item(blocks[-1].word, line, about, choice)):
            blocks[-1].items.append(item)
        comment = []
    return blocks


def _item(word: str, line: str, comment: str, choice: str) -> Item | None:
    if found := _RPC.match(line):
        sent, got = ("stream of " if found[at] else "" for at in (2, 4))
        return Item(found[1], f"{sent}{_linked(found[3])} → {got}{_linked(found[5])}", comment)
    if word == "message" and (found := _FIELD.match(line)):
        of = f" (one of `{choice}`)" if choice else ""
        return Item(found[2], f"{found[1].replace('google.protobuf.', '')}{of}", comment)
    if word == "enum" and (found := _VALUE.match(line)):
        return Item(found[1], found[2], comment)
    return None


def _linked(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _table(block: Block) -> list[str]:
    heads = {"service": ("rpc", "takes and gives"), "message": ("field", "type"), "enum": ("value", "number")}
    first, second = heads[block.word]
    lines = [f"| {first} | {second} | |", "|---|---|---|"]
    for item in block.items:
        comment = item.comment.replace("|", "\\|")
        lines.append(f"| `{item.name}` | {item.kind} | {comment} |".replace("|  |", "| |"))
    return lines


def api_reference() -> str:
    """Return the page."""
    lines = [
        "# The gRPC API\n",
        "Package `hostd.v1`; the sources are in `proto/hostd/v1/` and import nothing but `google/protobuf`.\n",
        "Over TCP each call carries the metadata `authorization: Bearer TOKEN`, the content of `<data>/token`; the",
        "Unix socket needs none. Errors carry `google.rpc.ErrorInfo` with a reason of [errors.md](errors.md) and the",
        "domain `hostd`. Field 1 of every request is `namespace`; empty means `default`. A `request_id` makes a",
        "repetition within 24 hours get the first answer.\n",
    ]
    for name in (*ORDER, LAST):
        for block in blocks_of((PROTO / f"{name}.proto").read_text(encoding="utf-8")):
            lines.append(f"{'##' if block.word == 'service' else '###'} {block.name}\n")
            if block.comment:
                lines.append(f"{block.comment}\n")
            if block.items:
                lines += [*_table(block), ""]
            else:
                lines.append("No fields.\n")
    return "\n".join(lines).rstrip() + "\n"
