"""The shapes a secret can leak in, made here anew: not by the code under test."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus


def shapes(secret: str) -> dict[str, bytes]:
    """Return a secret's shapes by name: plain, URL-quoted, base64 at each alignment, hex, JSON-escaped."""
    raw = secret.encode()
    found = {
        "plain": secret,
        "quoted": quote(secret, safe=""),
        "quoted as path": quote(secret),
        "quoted as form": quote_plus(secret),
        "json": json.dumps(secret)[1:-1],
        "json as it is": json.dumps(secret, ensure_ascii=False)[1:-1],
        "json in json": json.dumps(json.dumps(secret))[3:-3],
        "repr": repr(secret)[1:-1],
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
    }
    for name in ("quoted", "quoted as path", "quoted as form"):
        found[f"{name}, lower"] = _lower(found[name])
    for shift in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            whole = encode(b"x" * shift + raw).decode().rstrip("=")
            found[f"{name}+{shift}"] = whole[(0, 2, 3)[shift] : -1]
    return {name: text.encode() for name, text in found.items()}


def _lower(text: str) -> str:
    head, *rest = text.split("%")
    return head + "".join("%" + part[:2].lower() + part[2:] for part in rest)


def found_in(data: bytes, secrets: dict[str, str]) -> list[str]:
    """Return which secrets some bytes show, and in which shape."""
    bare = data.replace(b"\\", b"")
    found = [f"{name} escaped" for name, secret in secrets.items() if any(part in bare for part in _bare(secret))]
    for name, secret in secrets.items():
        found += [f"{name} {shape}" for shape, text in shapes(secret).items() if text in data]
    return found


def _bare(secret: str) -> set[bytes]:
    """Return what is left of a secret that JSON or Python escaped, to any depth, once the backslashes are gone."""
    bare = secret.replace("\\", "")
    letters = bare.replace("\t", "t").replace("\n", "n")
    json_codes = "".join(char if char.isascii() else f"u{ord(char):04x}" for char in letters)
    python_codes = letters.replace("\u2028", "u2028").replace("\u20ac", "u20ac")
    return {text.encode() for text in (bare, letters, json_codes, python_codes)}
