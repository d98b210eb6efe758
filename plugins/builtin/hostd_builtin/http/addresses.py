"""Which addresses may be connected to: pure, decided on the resolved address, never on the name alone.

Private means whatever is not globally reachable by the IANA registries (RFC 6890 and its successors), also when it is
wrapped in an IPv6 address. IPv4-mapped, 6to4 and NAT64 addresses lead to the IPv4 address inside and are judged by it
alone; Teredo addresses are private. Python's own tables change from version to version, so where they do, ours decide.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ALSO_PRIVATE = tuple(  # where some Python says "global"
    ipaddress.ip_network(text)
    for text in (
        *("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "fec0::/10", "2001::/23"),
        *("100:0:0:1::/64", "3fff::/20", "5f00::/16"),
    )
)


def check_rule(rule: str) -> Network | str:
    """Return a rule as a network or a lower-case host name (`*.internal` covers what ends in `.internal`).

    Raises:
        ValueError: it is neither.
    """
    try:
        return ipaddress.ip_network(rule, strict=False)
    except ValueError:
        pass
    if not _HOST.fullmatch(rule) or re.fullmatch(r"[0-9.]+(/[0-9]+)?", rule):
        raise ValueError(f"{rule[:80]!r} is neither a network such as 10.1.0.0/16 nor a host name")
    return rule.lower().rstrip(".")


def _inside(address: Address) -> Iterator[Address]:
    """Yield an address and the IPv4 addresses it carries."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        yield from (one for one in carried if one is not None)


def _stands_for_another(address: Address) -> bool:
    """Say whether what is sent there goes to the IPv4 address inside."""
    if not isinstance(address, ipaddress.IPv6Address):
        return False
    return address.ipv4_mapped is not None or address.sixtofour is not None or address in _NAT64


def is_private(address: Address) -> bool:
    """Say whether an address lies outside the public internet in any way."""
    return any(
        not one.is_global
        or one.is_multicast
        or one.is_reserved
        or one.is_unspecified
        or any(one in network for network in _ALSO_PRIVATE)
        for one in _inside(address)
        if not _stands_for_another(one)
    )


class AddressPolicy:
    """The operator's rules. `deny` beats `allow`; `allow` beats being private."""

    def __init__(self, *, private: bool = False, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> None:
        self._private = private
        self._allow = [check_rule(rule) for rule in allow]
        self._deny = [check_rule(rule) for rule in deny]

    def permits(self, host: str, address: str) -> bool:
        """Say whether a connection to an address, reached under a host name, is permitted."""
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if _matches(self._deny, host, parsed):
            return False
        return self._private or not is_private(parsed) or _matches(self._allow, host, parsed)


def _matches(rules: list[Network | str], host: str, address: Address) -> bool:
    name = host.lower().rstrip(".")
    return any(
        _named(rule, name) if isinstance(rule, str) else any(one in rule for one in _inside(address)) for rule in rules
    )


def _named(rule: str, name: str) -> bool:
    return name.endswith(rule[1:]) if rule.startswith("*.") else name == rule
