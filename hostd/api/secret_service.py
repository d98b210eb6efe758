"""SecretService: from the wire to the port and back. No answer, error or token holds a value, or what could be one."""

from __future__ import annotations

from typing import Any

from hostd.api.caller import CALLER
from hostd.api.convert.catalogue import secret_message
from hostd.api.convert.checks import check_namespace, check_secret_name, check_secret_value
from hostd.api.convert.digests import repeat_of
from hostd.api.paging import Page
from hostd.api.ports import Secrets
from hostd.api.tokens import Tokens, scope_of
from hostd.v1 import secret_service_pb2 as wire
from hostd.v1.secret_service_pb2_grpc import SecretServiceServicer


class SecretService(SecretServiceServicer):
    """Names and times of secrets; setting and deleting them."""

    def __init__(self, secrets: Secrets, tokens: Tokens) -> None:
        self._secrets = secrets
        self._tokens = tokens

    async def SetSecret(self, request: wire.SetSecretRequest, context: Any) -> wire.SetSecretResponse:
        """Set a secret. What a repeated request is compared by is a MAC of the value, which tells nothing of it."""
        namespace, name = check_namespace(request.namespace), check_secret_name(request.name)
        value = check_secret_value(request.value)
        fields = {"name": name, "value": self._tokens.mac_of(request.value)}
        done = await self._secrets.set(
            namespace,
            name,
            value,
            principal=CALLER.get().principal,
            repeat=repeat_of(request.request_id, dict(fields)),
        )
        return wire.SetSecretResponse(secret=secret_message(done.secret), created=done.created, warnings=done.warnings)

    async def ListSecrets(self, request: wire.ListSecretsRequest, context: Any) -> wire.ListSecretsResponse:
        """Return a page of secrets by name."""
        namespace = check_namespace(request.namespace)
        page = Page(self._tokens, scope_of("ListSecrets", namespace), size=request.page_size, token=request.page_token)
        views = await self._secrets.list(namespace, after=page.after(""), limit=page.limit)
        kept, token = page.cut([secret_message(view) for view in views], [view.name for view in views])
        return wire.ListSecretsResponse(secrets=kept, next_page_token=token)

    async def DeleteSecret(self, request: wire.DeleteSecretRequest, context: Any) -> wire.DeleteSecretResponse:
        """Delete a secret."""
        namespace, name = check_namespace(request.namespace), check_secret_name(request.name)
        repeat = repeat_of(request.request_id, {"name": name})
        await self._secrets.delete(namespace, name, principal=CALLER.get().principal, repeat=repeat)
        return wire.DeleteSecretResponse()

    async def RotateSecretsKey(
        self, request: wire.RotateSecretsKeyRequest, context: Any
    ) -> wire.RotateSecretsKeyResponse:
        """Encrypt the store with a new key."""
        namespace = check_namespace(request.namespace)
        count = await self._secrets.rotate_key(namespace, principal=CALLER.get().principal)
        return wire.RotateSecretsKeyResponse(secrets=count)
