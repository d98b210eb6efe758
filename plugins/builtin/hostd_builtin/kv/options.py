"""What the actions of `kv` take under `with:`, and how they show an entry."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator

from hostd.plugin import Duration, Field, HostdError, JsonValue, KvEntry, Options, rfc3339
from hostd.plugin.service_rules import KV_LIST_MAX, check_key


class KeyOptions(Options):
    """A key."""

    key: str = Field(
        description="The key, 1 to 512 bytes; shared by everything in the namespace.",
        examples=["prices/btc/last"],
    )

    @field_validator("key")
    @classmethod
    def _is_usable(cls, key: str) -> str:
        try:
            return check_key(key)
        except HostdError as error:
            raise ValueError(error.message) from None


class GetOptions(KeyOptions):
    """What to read."""

    default: Any = Field(None, description="`value` where there is none.", examples=[0])


class PutOptions(KeyOptions):
    """What to keep."""

    value: Any = Field(description="Any JSON value of at most 64 KiB.", examples=["${{ steps.price.output }}"])
    ttl: Duration | None = Field(
        None, description="How long it is kept; absent = for ever.", gt="0s", le="36600d", examples=["1h"]
    )
    expected_version: int | None = Field(
        None,
        description="Change only this version, 0: only where there is none; otherwise the step fails with KV_CONFLICT.",
        ge=0,
    )


class AddOptions(KeyOptions):
    """What to add."""

    amount: int = Field(1, description="Whole number to add; a key that is not there counts as 0.")
    ttl: Duration | None = Field(
        None, description="How long the sum is kept from now on; absent = as before.", gt="0s", le="36600d"
    )


class DeleteOptions(KeyOptions):
    """What to forget."""

    expected_version: int | None = Field(
        None, description="Delete only this version; otherwise the step fails with KV_CONFLICT.", ge=0
    )


class ListOptions(Options):
    """Which keys to read."""

    prefix: str = Field("", description="Only keys that begin with it.", max_length=512, examples=["prices/"])
    after: str = Field("", description="Only keys behind this one: the last of the page before.", max_length=512)
    limit: int = Field(100, description="At most so many.", ge=1, le=KV_LIST_MAX)


def shown(entry: KvEntry) -> dict[str, JsonValue]:
    """Return an entry as outputs show it."""
    expires_at = None if entry.expires_at is None else rfc3339(entry.expires_at)
    return {"key": entry.key, "value": entry.value, "version": entry.version, "expires_at": expires_at}
