"""Secrets through the socket: values go in; names, times and warnings come out."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from daemon_kit import Kit, refused

from hostd.plugin.webhook import WebhookRequest
from hostd.v1 import admin_service_pb2
from hostd.v1 import secret_service_pb2 as pb

VALUE = b"a-value-nobody-sees"
USES = """
workflow: uses
steps:
  a: {uses: mock.echo, with: {value: "${{ secrets.token }}"}}
output: ${{ steps.a.output }}
"""


DOOR = """
workflow: door
triggers:
  asked:
    uses: http.webhook
    with: {path: doors, auth: {type: api_key, key: "${{ secrets.door_key }}"}}
steps: {a: {uses: mock.noop}}
"""


async def test_a_secret_is_set_used_listed_and_deleted(kit: Kit) -> None:
    """A workflow that names it is warned of until it is there; then its steps have it, and the audit has who set it."""
    before = await kit.register(USES)
    assert before.warnings == ["nobody has the secret token yet; `hostd secret set token` sets it"]
    done = await kit.secrets.SetSecret(pb.SetSecretRequest(name="token", value=VALUE))
    assert done.created and done.secret.provider == "secrets.store" and not done.warnings
    assert not (await kit.register(USES)).warnings
    assert (await kit.execute("uses")).output.data == b'"***"'

    listed = await kit.secrets.ListSecrets(pb.ListSecretsRequest())
    assert [(item.name, item.writable) for item in listed.secrets] == [("token", True)]
    assert listed.secrets[0].update_time.seconds
    assert not (await kit.secrets.ListSecrets(pb.ListSecretsRequest(namespace="team-a"))).secrets
    await kit.secrets.RotateSecretsKey(pb.RotateSecretsKeyRequest())
    await kit.secrets.DeleteSecret(pb.DeleteSecretRequest(name="token"))
    assert (await refused(kit.secrets.DeleteSecret(pb.DeleteSecretRequest(name="token")))).reason == "SECRET_MISSING"

    audit = await kit.admin.ListAuditEvents(admin_service_pb2.ListAuditEventsRequest(page_size=100))
    rows = [(event.verb, event.resource) for event in audit.audit_events if event.verb.startswith("secret.")]
    assert rows == [("secret.set", "token"), ("secret.rotate", "key"), ("secret.delete", "token")]
    assert VALUE not in audit.SerializeToString()


async def test_a_request_id_is_answered_once_and_keeps_no_value(kit: Kit) -> None:
    """The same again is the first answer; another value is refused; the journal has neither value nor plain digest."""
    ask = pb.SetSecretRequest(name="token", value=VALUE, request_id="r-1")
    first, again = await kit.secrets.SetSecret(ask), await kit.secrets.SetSecret(ask)
    assert first == again
    other = pb.SetSecretRequest(name="token", value=b"another value", request_id="r-1")
    assert (await refused(kit.secrets.SetSecret(other))).reason == "REQUEST_ID_CONFLICT"

    path = kit.core.info.path if kit.core.info is not None else ""
    files = [Path(path), Path(path + "-wal")]
    data = b"".join([await asyncio.to_thread(file.read_bytes) for file in files])
    for shape in (VALUE, *(hashlib.new(name, VALUE).digest() for name in ("sha256", "blake2b"))):
        assert shape not in data


async def test_a_trigger_goes_by_the_secret_that_was_set_last(kit: Kit) -> None:
    """One that missed it begins when it is set, a new key replaces the old one at once, a deleted one opens nothing."""

    async def answers(key: str) -> bool:
        headers = {"x-api-key": key, "content-type": "application/json"}
        route = kit.core.routes.find("/hooks/default/doors", "POST")
        if route is None:
            return False
        asked = WebhookRequest("POST", "/hooks/default/doors", headers, body=b"{}")
        return (await route.handler(asked)).status == 202

    before = await kit.register(DOOR)
    assert "SECRET_MISSING" in before.warnings[-1] and not await answers("key-number-one")
    for key in (b"key-number-one", b"key-number-two"):
        done = await kit.secrets.SetSecret(pb.SetSecretRequest(name="door_key", value=key))
        assert not done.warnings and await answers(key.decode())
    assert not await answers("key-number-one")
    other = await kit.secrets.SetSecret(pb.SetSecretRequest(name="door_key", value=b"x" * 9, namespace="team-a"))
    assert not other.warnings and await answers("key-number-two")
    await kit.secrets.DeleteSecret(pb.DeleteSecretRequest(name="door_key"))
    assert not await answers("key-number-two")
    [live] = kit.core.triggers.list("default")
    assert live.state == "FAILED" and "SECRET_MISSING" in live.message


async def test_wrong_requests_are_refused_without_repeating_them(kit: Kit) -> None:
    """A value in the name's place, too large, empty or no text: the answer names the field and nothing of it."""
    for request in (
        pb.SetSecretRequest(name=VALUE.decode(), value=b"token"),
        pb.SetSecretRequest(name="token", value=b""),
        pb.SetSecretRequest(name="token", value=VALUE * 5_000),
        pb.SetSecretRequest(name="token", value=VALUE + b"\xff"),
        pb.SetSecretRequest(name="token", value=VALUE, namespace=VALUE.decode().upper()),
    ):
        error = await refused(kit.secrets.SetSecret(request))
        assert error.reason == "ARGUMENT_INVALID" and len(error.fields) == 1
        assert VALUE.decode().lower() not in str(error).lower()
    short = await kit.secrets.SetSecret(pb.SetSecretRequest(name="pin", value=b"1234 "))
    assert [warning.partition(" ")[0] for warning in short.warnings] == ["pin", "pin"]
    assert b"1234" not in short.SerializeToString()


async def test_a_list_comes_page_by_page(kit: Kit) -> None:
    """Each name once, in order."""
    for number in range(5):
        await kit.secrets.SetSecret(pb.SetSecretRequest(name=f"s{number}", value=b"a long value"))
    names: list[str] = []
    token = ""
    while True:
        page = await kit.secrets.ListSecrets(pb.ListSecretsRequest(page_size=2, page_token=token))
        names += [item.name for item in page.secrets]
        token = page.next_page_token
        if not token:
            break
    assert names == [f"s{number}" for number in range(5)]
