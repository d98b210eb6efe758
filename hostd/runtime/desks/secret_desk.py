"""Secrets as the doors see them: names and times, setting and deleting; a value goes in and never comes out.

Store and journal are two files: the store is written first, then who did it. A kill between the two leaves a secret
that was set without its row in the audit; asking again with the same request id sets it again and writes the row.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hostd.host.host import PluginHost
from hostd.host.secrets import delete_secret, list_secrets, rotate_secrets_key
from hostd.journal.port import Journal
from hostd.model.redaction import SHORTEST_BYTES
from hostd.model.requests import Repeat
from hostd.model.views import SecretSetView, SecretView
from hostd.runtime.ring.audit import audited
from hostd.runtime.ring.engine_loop import EngineLoop
from hostd.runtime.ring.readers import Readers
from hostd.runtime.ring.repeats import first_answer, note_of
from hostd.runtime.triggers.secret_changes import SecretChanges

SET, DELETE, ROTATE = "secret.set", "secret.delete", "secret.rotate"


class SecretDesk:
    """Seeing and changing what `${{ secrets.name }}` can name."""

    def __init__(
        self, *, host: PluginHost, loop: EngineLoop, journal: Journal, readers: Readers, changes: SecretChanges
    ) -> None:
        self._host = host
        self._loop = loop
        self._journal = journal
        self._readers = readers
        self._changes = changes

    async def list(self, namespace: str, *, after: str, limit: int) -> Sequence[SecretView]:
        """Return secrets with a name past `after`, by name. Raises SECRETS_UNUSABLE, CONFIG_INVALID, PLUGIN_FAILED."""
        found = await list_secrets(self._host.registry, namespace)
        return [view for view in found if view.name > after][:limit]

    async def set(
        self, namespace: str, name: str, value: str, *, principal: str, repeat: Repeat | None
    ) -> SecretSetView:
        """Set a secret, and let triggers that read it begin anew.

        Raises SECRETS_READ_ONLY, SECRETS_UNUSABLE, PLUGIN_FAILED, REQUEST_ID_CONFLICT.
        """
        first = await first_answer(self._journal, self._readers, namespace, SET, repeat)
        if first is not None:
            return msgspec.msgpack.decode(first, type=SecretSetView)
        view, created, winner = await self._host.secrets.set(namespace, name, value)
        done = SecretSetView(view, created, _warnings(name, value, winner))
        note = note_of(namespace, SET, repeat, msgspec.msgpack.encode(done))
        await self._loop.write(audited(namespace, principal, SET, name, note, provider=view.provider))
        told = await self._changes.tell(namespace, name)
        return msgspec.structs.replace(done, warnings=(*done.warnings, *told))

    async def delete(self, namespace: str, name: str, *, principal: str, repeat: Repeat | None) -> None:
        """Delete a secret; triggers that read it fail.

        Raises SECRET_MISSING, SECRETS_READ_ONLY, SECRETS_UNUSABLE, PLUGIN_FAILED.
        """
        if await first_answer(self._journal, self._readers, namespace, DELETE, repeat) is not None:
            return
        await delete_secret(self._host.registry, namespace, name)
        note = note_of(namespace, DELETE, repeat, name.encode())
        await self._loop.write(audited(namespace, principal, DELETE, name, note))
        await self._changes.tell(namespace, name)

    async def rotate_key(self, namespace: str, *, principal: str) -> int:
        """Encrypt the store of all namespaces with a new key. Raises SECRETS_READ_ONLY, SECRETS_UNUSABLE."""
        count = await rotate_secrets_key(self._host.registry)
        await self._loop.write(audited(namespace, principal, ROTATE, "key", secrets=str(count)))
        return count


def _warnings(name: str, value: str, winner: str) -> tuple[str, ...]:
    """Return what is worth a look; never with the value."""
    found = []
    if len(value.encode()) < SHORTEST_BYTES:
        found.append(f"{name} has fewer than {SHORTEST_BYTES} bytes: outputs and logs are not searched for it")
    if value != value.strip():
        found.append(f"{name} begins or ends with white space")
    if winner:
        found.append(f"{winner} has a secret {name}, too, and is asked first: it wins over this one")
    return tuple(found)
