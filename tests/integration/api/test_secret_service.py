"""Secrets through the socket: values go in; names, times and warnings come out."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from daemon_kit import Kit, refused

from hostd.v1 import admin_service_pb2
from hostd.v1 import secret_service_pb2 as pb

VALUE = b"a-value-nobody-sees"
USES = """
workflow: uses
steps:
  a: {uses: mock.echo, with: {value: "${{ secrets.token }}"}}
output: ${{ steps.a.output }}
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
