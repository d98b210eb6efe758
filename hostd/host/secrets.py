"""Asking the providers of secrets, in order."""

from __future__ import annotations

import re

from hostd.errors.base import HostdError, Kind
from hostd.host.guard import PLUGIN_ERRORS
from hostd.host.registry import HostRegistry

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


async def read_secret(registry: HostRegistry, namespace: str, name: str) -> str:
    """Return a secret's value from the first provider that knows it.

    Raises:
        HostdError: SECRET_MISSING; UNAVAILABLE with PLUGIN_FAILED when a provider failed and none knew it.
    """
    if not NAME.fullmatch(name):
        raise HostdError(Kind.MISSING, "SECRET_MISSING", f"{name[:80]!r} is no name of a secret; write a-z, 0-9 and _")
    failed: list[str] = []
    for entry in registry.secrets:
        try:
            if not entry.life.ready:
                await entry.life.prepare()
            value = await entry.instance.get(name, namespace=namespace)
        except PLUGIN_ERRORS as error:  # the fence; no text of the error: it could hold the value
            reason = error.message if isinstance(error, HostdError) else type(error).__name__
            failed.append(f"{entry.id}: {reason}")
            continue
        if value is not None:
            return str(value)
    if failed:
        message = f"the secret {name} could not be read: {'; '.join(failed)}"
        raise HostdError(Kind.UNAVAILABLE, "PLUGIN_FAILED", message[:1_000])
    message = (
        f"there is no secret {name} in namespace {namespace}; set HOSTD_SECRET_{name.upper()} or add it to the file"
    )
    raise HostdError(Kind.MISSING, "SECRET_MISSING", message)
