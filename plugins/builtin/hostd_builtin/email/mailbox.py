"""Mail addresses as people write them: `ada@example.org`, `Ada Lovelace <ada@example.org>`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.headerregistry import Address

ADDRESS_CHARS_MAX = 320
_FORM = re.compile(r"(?:(?P<name>[^<>]*)<(?P<inside>[^<>]+)>|(?P<alone>[^<>]+))")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_DOMAIN = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def one_line(text: str, what: str) -> str:
    """Return a text that may stand in a header. Raises ValueError for line breaks: they would begin other headers."""
    if _CONTROL.search(text):
        raise ValueError(f"{what} holds a line break or another control character")
    return text


def parse_mailbox(text: str) -> Address:
    """Return a name and an address.

    Raises:
        ValueError: it is none, or holds line breaks, several addresses, or letters outside ASCII before the `@`.
    """
    from email.headerregistry import Address  # it brings a parser that a daemon without mail never needs

    one_line(text, "an address")
    found = _FORM.fullmatch(text.strip())
    if found is None or len(text) > ADDRESS_CHARS_MAX:
        raise ValueError(f"{text[:80]!r} is no address; write ada@example.org or Ada <ada@example.org>")
    local, _, domain = (found["inside"] or found["alone"]).strip().rpartition("@")
    plain = _ascii_domain(domain)
    if not _LOCAL.fullmatch(local) or local.startswith(".") or local.endswith(".") or ".." in local:
        raise ValueError(f"{text[:80]!r} is no address; write ada@example.org or Ada <ada@example.org>")
    if len(plain) > 253 or not _DOMAIN.fullmatch(plain):
        raise ValueError(f"{text[:80]!r} has no domain that mail can go to")
    name = (found["name"] or "").strip().removeprefix('"').removesuffix('"')
    return Address(display_name=name, username=local, domain=plain)


def _ascii_domain(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
