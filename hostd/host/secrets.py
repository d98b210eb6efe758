"""Asking the providers of secrets, in order; changing what the first of them that can be written to holds."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hostd.errors.base import HostdError, Kind
from hostd.host.guard import PLUGIN_ERRORS
from hostd.host.registry import HostRegistry, SecretsEntry
from hostd.model.views import SecretView
from hostd.plugin import WritableSecrets

A = TypeVar("A")
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
            value = await _get(entry, namespace, name)
        except PLUGIN_ERRORS as error:  # the fence; no text of the error: it could hold the value
            reason = error.message if isinstance(error, HostdError) else type(error).__name__
            failed.append(f"{entry.id}: {reason}")
            continue
        if value is not None:
            return str(value)
    if failed:
        message = f"the secret {name} could not be read: {'; '.join(failed)}"
        raise HostdError(Kind.UNAVAILABLE, "PLUGIN_FAILED", message[:1_000])
    message = f"there is no secret {name} in namespace {namespace}; `hostd secret set {name}` sets one"
    raise HostdError(Kind.MISSING, "SECRET_MISSING", message)


async def _get(entry: SecretsEntry, namespace: str, name: str) -> str | None:
    if not entry.life.ready:
        await entry.life.prepare()
    return await entry.instance.get(name, namespace=namespace)


async def secret_is_missing(registry: HostRegistry, namespace: str, name: str) -> bool:
    """Say whether no provider has a secret; one that cannot be asked may have it."""
    try:
        await read_secret(registry, namespace, name)
    except HostdError as error:
        return error.reason == "SECRET_MISSING"
    return False


async def list_secrets(registry: HostRegistry, namespace: str) -> list[SecretView]:
    """Return the secrets that providers tell of, by name, each from the provider that wins; never values.

    Raises:
        HostdError: what a provider raises that cannot be asked; PLUGIN_FAILED.
    """
    found: dict[str, SecretView] = {}
    for entry in registry.secrets:
        for info in await _guarded(entry, lambda entry=entry: entry.instance.names(namespace=namespace)):  # type: ignore[misc]
            at_ms = round(info.updated_at.timestamp() * 1000) if info.updated_at is not None else None
            writable = isinstance(entry.instance, WritableSecrets)
            found.setdefault(info.name, SecretView(namespace, info.name, entry.id, at_ms, writable))
    return [found[name] for name in sorted(found)]


async def set_secret(registry: HostRegistry, namespace: str, name: str, value: str) -> tuple[SecretView, bool, str]:
    """Set a secret in the first provider that can be written to.

    Returns:
        The secret as it is now, whether it is new there, and the provider that still wins over it, else an empty text.

    Raises:
        HostdError: SECRETS_READ_ONLY where no provider can be written to, SECRETS_UNUSABLE, PLUGIN_FAILED.
    """
    entry, store = _store(registry)
    before = await _guarded(entry, lambda: store.names(namespace=namespace))
    await _guarded(entry, lambda: store.put(name, value, namespace=namespace))
    after = {info.name: info for info in await _guarded(entry, lambda: store.names(namespace=namespace))}
    at = after[name].updated_at if name in after else None
    view = SecretView(namespace, name, entry.id, round(at.timestamp() * 1000) if at is not None else None, True)
    return view, name not in {info.name for info in before}, await _winner(registry, entry, namespace, name)


async def _winner(registry: HostRegistry, store: SecretsEntry, namespace: str, name: str) -> str:
    """Return the provider that is asked before the store and has the name, too."""
    for entry in registry.secrets:
        if entry is store:
            return ""
        try:
            if await _get(entry, namespace, name) is not None:
                return entry.id
        except PLUGIN_ERRORS:  # the fence: it has it or not, the secret is set
            continue
    return ""


async def delete_secret(registry: HostRegistry, namespace: str, name: str) -> None:
    """Delete a secret. Raises SECRET_MISSING; SECRETS_READ_ONLY where it comes from elsewhere; SECRETS_UNUSABLE."""
    entry, store = _store(registry)
    if await _guarded(entry, lambda: store.delete(name, namespace=namespace)):
        return
    other = await _winner(registry, entry, namespace, name)
    if other:
        message = f"the secret {name} comes from {other}, which hostd cannot write to; remove it there"
        raise HostdError(Kind.UNSUPPORTED, "SECRETS_READ_ONLY", message)
    raise HostdError(Kind.MISSING, "SECRET_MISSING", f"there is no secret {name} in namespace {namespace}")


async def rotate_secrets_key(registry: HostRegistry) -> int:
    """Encrypt the store with a new key; return how many secrets that were. Raises SECRETS_*."""
    entry, store = _store(registry)
    return await _guarded(entry, store.rotate_key)


def _store(registry: HostRegistry) -> tuple[SecretsEntry, WritableSecrets]:
    for entry in registry.secrets:
        if isinstance(entry.instance, WritableSecrets):
            return entry, entry.instance
    raise HostdError(Kind.UNSUPPORTED, "SECRETS_READ_ONLY", "no loaded provider of secrets can be written to")


async def _guarded(entry: SecretsEntry, ask: Callable[[], Awaitable[A]]) -> A:
    """Ask a provider. Raises its HostdErrors; PLUGIN_FAILED for anything else, whose text could hold a value."""
    try:
        if not entry.life.ready:
            await entry.life.prepare()
        return await ask()
    except HostdError:
        raise
    except PLUGIN_ERRORS as error:  # the fence
        message = f"{entry.id} failed: {type(error).__name__}"
        raise HostdError(Kind.UNAVAILABLE, "PLUGIN_FAILED", message) from None
