# Written by clients/python/blocking_twin.py from hostd/client/aio; never edited.
"""Plugins, secrets and dead letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hostd.client.blocking.connection import BlockingConnection
from hostd.client.conversion import result_of
from hostd.client.results import ComponentSchema, DeadLetter, Plugin, Redriven, Secret
from hostd.client.starts import new_request_id
from hostd.v1 import (
    dead_letter_service_pb2,
    plugin_service_pb2,
    secret_service_pb2,
)

BULK_TIMEOUT_S = 300.0  # a thousand events are emitted again, or a store is written


class OperationCalls(BlockingConnection):
    """What an operator does."""

    # -- plugins

    def list_plugins(self) -> Iterator[Plugin]:
        """Yield every plugin that was found, loaded or not, by id."""
        request = plugin_service_pb2.ListPluginsRequest(namespace=self.namespace)
        for page in self._pages(self.plugins.ListPlugins, request):
            for each in page.plugins:
                yield result_of(Plugin, each)

    def get_plugin(self, plugin: str) -> Plugin:
        """Return a plugin with what it registered. Raises PLUGIN_MISSING."""
        request = plugin_service_pb2.GetPluginRequest(namespace=self.namespace, id=plugin)
        return self._result(Plugin, self.plugins.GetPlugin, request)

    def reload_plugin(self, plugin: str) -> Plugin:
        """Start the process of a plugin anew, from what lies in its folder now."""
        request = plugin_service_pb2.ReloadPluginRequest(namespace=self.namespace, id=plugin)
        return self._result(Plugin, self.plugins.ReloadPlugin, request)

    def enable_plugin(self, plugin: str) -> Plugin:
        """Let a disabled plugin serve again."""
        request = plugin_service_pb2.EnablePluginRequest(namespace=self.namespace, id=plugin)
        return self._result(Plugin, self.plugins.EnablePlugin, request)

    def disable_plugin(self, plugin: str) -> Plugin:
        """End a plugin's process and keep it from serving, through restarts, until it is enabled."""
        request = plugin_service_pb2.DisablePluginRequest(namespace=self.namespace, id=plugin)
        return self._result(Plugin, self.plugins.DisablePlugin, request)

    def component_schema(self, component: str, *, kind: str = "") -> ComponentSchema:
        """Return what the options of an action or trigger, such as http.request, may be."""
        request = plugin_service_pb2.GetComponentSchemaRequest(namespace=self.namespace, id=component, kind=kind)
        return self._result(ComponentSchema, self.plugins.GetComponentSchema, request)

    # -- secrets

    def list_secrets(self) -> Iterator[Secret]:
        """Yield names of secrets and where each comes from; never values."""
        request = secret_service_pb2.ListSecretsRequest(namespace=self.namespace)
        for page in self._pages(self.secrets.ListSecrets, request):
            for each in page.secrets:
                yield result_of(Secret, each)

    def set_secret(self, name: str, value: str | bytes) -> Secret:
        """Set a secret in the encrypted store; steps that begin from now on get it."""
        given = value.encode() if isinstance(value, str) else value
        request = secret_service_pb2.SetSecretRequest(
            namespace=self.namespace, name=name, value=given, request_id=new_request_id()
        )
        return result_of(Secret, (self._ask(self.secrets.SetSecret, request)).secret)

    def delete_secret(self, name: str) -> None:
        """Delete a secret from the encrypted store."""
        request = secret_service_pb2.DeleteSecretRequest(
            namespace=self.namespace, name=name, request_id=new_request_id()
        )
        self._ask(self.secrets.DeleteSecret, request)

    # -- dead letters

    def list_dead_letters(
        self,
        filter: str = "",
        *,
        limit: int | None = None,
    ) -> Iterator[DeadLetter]:
        """Yield events that could not be used, the oldest first, without the events themselves."""
        request = dead_letter_service_pb2.ListDeadLettersRequest(namespace=self.namespace, filter=filter)
        left = limit
        for page in self._pages(self.dead_letters.ListDeadLetters, request):
            for each in page.dead_letters[:left]:
                yield result_of(DeadLetter, each)
            left = None if left is None else left - len(page.dead_letters)
            if left is not None and left <= 0:
                return

    def get_dead_letter(self, number: int) -> DeadLetter:
        """Return a dead letter with its event."""
        request = dead_letter_service_pb2.GetDeadLetterRequest(namespace=self.namespace, number=number)
        return self._result(DeadLetter, self.dead_letters.GetDeadLetter, request)

    def redrive_dead_letters(
        self,
        numbers: Sequence[int] = (),
        *,
        filter: str = "",
    ) -> tuple[Redriven, ...]:
        """Emit events again through their triggers as they are now, at most 1000; without either, any."""
        request = dead_letter_service_pb2.RedriveDeadLettersRequest(
            namespace=self.namespace, selection=_selection(numbers, filter), request_id=new_request_id()
        )
        answer = self._ask(self.dead_letters.RedriveDeadLetters, request, timeout_s=BULK_TIMEOUT_S)
        return tuple(result_of(Redriven, each) for each in answer.results)

    def purge_dead_letters(self, numbers: Sequence[int] = (), *, filter: str = "") -> int:
        """Delete dead letters, without either all of them; return how many."""
        request = dead_letter_service_pb2.PurgeDeadLettersRequest(
            namespace=self.namespace, selection=_selection(numbers, filter), request_id=new_request_id()
        )
        return (self._ask(self.dead_letters.PurgeDeadLetters, request, timeout_s=BULK_TIMEOUT_S)).purged


def _selection(numbers: Sequence[int], filter_text: str) -> dead_letter_service_pb2.DeadLetterSelection:
    return dead_letter_service_pb2.DeadLetterSelection(numbers=numbers, filter=filter_text)
