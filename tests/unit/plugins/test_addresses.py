"""Which addresses a request may be sent to."""

from __future__ import annotations

import pytest

from hostd_builtin.http.addresses import AddressPolicy, check_rule

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001:0:7f00:1::1",
    "2001:0:808:808::1",
    "2001:4:112::1",
    "2001:db8::1",
    "100::1",
    "100:0:0:1::1",
    "3fff::1",
    "5f00::1",
    "192.0.0.9",
    "192.88.99.1",
]
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str) -> None:
    """In every disguise: mapped, translated, tunnelled, link-local with a zone."""
    assert not AddressPolicy().permits("x.example", address)
    assert AddressPolicy(private=True).permits("x.example", address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    """The internet is open unless the operator closes it."""
    assert AddressPolicy().permits("x.example", address)
    assert not AddressPolicy(deny=["0.0.0.0/0", "::/0"]).permits("x.example", address)


def test_rules_name_networks_and_hosts() -> None:
    """`allow` lifts privacy for a network or a host; `deny` beats it; a name is matched whole."""
    policy = AddressPolicy(allow=["10.1.0.0/16", "Build.Internal", "*.svc.local"], deny=["10.1.9.0/24", "bad.example"])
    assert policy.permits("anything", "10.1.2.3")
    assert policy.permits("anything", "::ffff:10.1.2.3")
    assert not policy.permits("anything", "10.1.9.1")
    assert not policy.permits("anything", "10.2.0.1")
    assert policy.permits("build.internal.", "192.168.0.1")
    assert not policy.permits("evil-build.internal", "192.168.0.1")
    assert policy.permits("api.svc.local", "192.168.0.1")
    assert not policy.permits("svc.local", "192.168.0.1")
    assert not policy.permits("bad.example", "8.8.8.8")
    assert not policy.permits("x", "no address")


@pytest.mark.parametrize("rule", ["10.0.0.0/33", "300.1.1.1", "a b", "", "http://x", "x/24", "*"])
def test_malformed_rules_are_refused(rule: str) -> None:
    """A misspelt rule is an error at start, not a hole."""
    with pytest.raises(ValueError, match="neither a network"):
        check_rule(rule)
