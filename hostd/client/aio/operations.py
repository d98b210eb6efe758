"""Secrets and dead letters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from hostd.client.aio.connection import Connection
from hostd.client.conversion import result_of
from hostd.client.host_results import DeadLetter, Redriven, Secret
from hostd.client.starts import new_request_id
from hostd.v1 import (
    dead_letter_service_pb2,
    secret_service_pb2,
)
from hostd.values.request_ids import id_of_page

BULK_TIMEOUT_S = 300.0  # a thousand events are emitted again, or a store is written


class OperationCalls(Connection):
    """What is done with secrets and with events that could not be used."""

    # -- secrets

    async def list_secrets(self) -> AsyncIterator[Secret]:
        """Yield names of secrets and where each comes from; never values."""
        request = secret_service_pb2.ListSecretsRequest(namespace=self.namespace)
        async for page in self._pages(self.secrets.ListSecrets, request):
            for each in page.secrets:
                yield result_of(Secret, each)

    async def set_secret(self, name: str, value: str | bytes, *, request_id: str = "") -> Secret:
        """Set a secret in the encrypted store; steps that begin from now on get it."""
        given = value.encode() if isinstance(value, str) else value
        request = secret_service_pb2.SetSecretRequest(
            namespace=self.namespace, name=name, value=given, request_id=request_id or new_request_id()
        )
        return result_of(Secret, (await self._ask(self.secrets.SetSecret, request)).secret)

    async def delete_secret(self, name: str, *, request_id: str = "") -> None:
        """Delete a secret from the encrypted store."""
        request = secret_service_pb2.DeleteSecretRequest(
            namespace=self.namespace, name=name, request_id=request_id or new_request_id()
        )
        await self._ask(self.secrets.DeleteSecret, request)

    async def rotate_secrets_key(self) -> int:
        """Encrypt the store, with the secrets of all namespaces, with a new key; return how many secrets it holds."""
        request = secret_service_pb2.RotateSecretsKeyRequest(namespace=self.namespace)
        return (await self._ask(self.secrets.RotateSecretsKey, request, timeout_s=BULK_TIMEOUT_S)).secrets

    # -- dead letters

    async def list_dead_letters(
        self,
        filter: str = "",
        *,
        limit: int | None = None,
    ) -> AsyncIterator[DeadLetter]:
        """Yield events that could not be used, the oldest first, without the events themselves."""
        request = dead_letter_service_pb2.ListDeadLettersRequest(namespace=self.namespace, filter=filter)
        left = limit
        async for page in self._pages(self.dead_letters.ListDeadLetters, request):
            for each in page.dead_letters[:left]:
                yield result_of(DeadLetter, each)
            left = None if left is None else left - len(page.dead_letters)
            if left is not None and left <= 0:
                return

    async def get_dead_letter(self, number: int) -> DeadLetter:
        """Return a dead letter with its event."""
        request = dead_letter_service_pb2.GetDeadLetterRequest(namespace=self.namespace, number=number)
        return await self._result(DeadLetter, self.dead_letters.GetDeadLetter, request)

    async def redrive_dead_letters(
        self,
        numbers: Sequence[int] = (),
        *,
        filter: str = "",
        request_id: str = "",
    ) -> tuple[Redriven, ...]:
        """Emit events again through their triggers as they are now; without numbers and filter, all of them.

        They go in pages of 1,000, and each page is a request. A call that was cut off half way goes on with what is
        left when it is made again.
        """
        done: list[Redriven] = []
        after, first = 0, request_id or new_request_id()
        while True:
            request = dead_letter_service_pb2.RedriveDeadLettersRequest(
                namespace=self.namespace,
                selection=_selection(numbers, filter),
                after=after,
                request_id=id_of_page(first, after),
            )
            answer = await self._ask(self.dead_letters.RedriveDeadLetters, request, timeout_s=BULK_TIMEOUT_S)
            done += (result_of(Redriven, each) for each in answer.results)
            after = answer.more_after
            if not after:
                return tuple(done)

    async def purge_dead_letters(
        self,
        numbers: Sequence[int] = (),
        *,
        filter: str = "",
        request_id: str = "",
    ) -> int:
        """Delete dead letters, without either all of them; return how many."""
        request = dead_letter_service_pb2.PurgeDeadLettersRequest(
            namespace=self.namespace,
            selection=_selection(numbers, filter),
            request_id=request_id or new_request_id(),
        )
        return (await self._ask(self.dead_letters.PurgeDeadLetters, request, timeout_s=BULK_TIMEOUT_S)).purged


def _selection(numbers: Sequence[int], filter_text: str) -> dead_letter_service_pb2.DeadLetterSelection:
    return dead_letter_service_pb2.DeadLetterSelection(numbers=numbers, filter=filter_text)
