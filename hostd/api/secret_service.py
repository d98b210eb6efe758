"""SecretService: from the wire to the port and back. No answer, error or token holds a value, or what could be one."""

from __future__ import annotations

import re
from typing import Any

from hostd.api.caller import CALLER
from hostd.api.convert.catalogue import secret_message
from hostd.api.convert.checks import check_namespace, fault
from hostd.api.convert.digests import repeat_of
from hostd.api.paging import Page
from hostd.api.ports import Secrets
from hostd.api.tokens import Tokens, scope_of
from hostd.plugin.secrets import SECRET_BYTES_MAX
from hostd.v1 import secret_service_pb2 as wire
from hostd.v1.secret_service_pb2_grpc import SecretServiceServicer

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class SecretService(SecretServiceServicer):
    """Names and times of secrets; setting and deleting them."""

    def __init__(self, secrets: Secrets, tokens: Tokens) -> None:
        self._secrets = secrets
        self._tokens = tokens

    async def SetSecret(self, request: wire.SetSecretRequest, context: Any) -> wire.SetSecretResponse:
        """Set a secret. What a repeated request is compared by is a MAC of the value, which tells nothing of it."""
        namespace, name = check_namespace(request.namespace), _name(request.name)
        value = _value(request.value)
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
        namespace, name = check_namespace(request.namespace), _name(request.name)
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


def _name(text: str) -> str:
    """Return a secret's name; what is none is not repeated, for it could be the value."""
    if not _NAME.fullmatch(text):
        raise fault("name", "a secret's name has a-z, 0-9 and _, a letter first, at most 63")
    return text


def _value(data: bytes) -> str:
    if not 0 < len(data) <= SECRET_BYTES_MAX:
        raise fault("value", f"a secret has 1 to {SECRET_BYTES_MAX:,} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise fault("value", "a secret is UTF-8 text; write bytes in base64") from None
