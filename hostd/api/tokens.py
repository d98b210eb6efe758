"""Page and resume tokens: opaque to clients, MACed, bound to the journal's timeline and to the request they came from.

Form: base64url of a 16-byte keyed blake2b and the msgpack array [form, timeline, scope digest, position]. The key is a
row in the journal, so that tokens hold on every peer and after a restart.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TypeAlias

import msgspec

from hostd.errors.base import HostdError, Kind, invalid

MAC_BYTES = 16
TOKEN_CHARS_MAX = 2_048
Position: TypeAlias = "int | str | list[str]"


class _Body(msgspec.Struct, frozen=True, gc=False, array_like=True):
    form: str
    timeline: str
    scope: bytes
    position: int | str | list[str]


_decoder = msgspec.msgpack.Decoder(_Body)
_encoder = msgspec.msgpack.Encoder()


def scope_of(*parts: str) -> bytes:
    """Return the digest that binds a token to a request: its rpc, namespace, filter and order."""
    return hashlib.blake2b(_encoder.encode(parts), digest_size=8).digest()


class Tokens:
    """Makes and reads tokens of one journal.

    Args:
        key: the journal's MAC key.
        timeline: the journal's id; another one means that positions mean something else.
    """

    def __init__(self, *, key: bytes, timeline: str) -> None:
        self._key = hashlib.blake2b(key, digest_size=32, person=b"hostd tokens").digest()
        self._timeline = timeline

    def page(self, scope: bytes, position: Position) -> str:
        """Return the token of the page behind a position."""
        return self._seal(_Body("page", self._timeline, scope, position))

    def read_page(self, token: str, scope: bytes) -> Position:
        """Return the position of a page token. Raises HostdError PAGE_TOKEN_INVALID."""
        body = self._open(token)
        if body is None or body.form != "page" or body.scope != scope or body.timeline != self._timeline:
            message = "the page token is damaged or belongs to another request; start from the first page"
            raise invalid("PAGE_TOKEN_INVALID", message)
        return body.position

    def watch(self, scope: bytes, position: Position) -> str:
        """Return the token from which a watch can be resumed."""
        return self._seal(_Body("watch", self._timeline, scope, position))

    def read_watch(self, token: str, scope: bytes) -> Position:
        """Return the position of a resume token. Raises HostdError RESUME_TOKEN_INVALID, RESUME_TOKEN_EXPIRED."""
        body = self._open(token)
        if body is None or body.form != "watch" or body.scope != scope:
            message = "the resume token is damaged or belongs to another watch; start the watch without a token"
            raise invalid("RESUME_TOKEN_INVALID", message)
        if body.timeline != self._timeline:
            message = "the resume token is of another journal; start the watch without a token"
            raise HostdError(Kind.STATE, "RESUME_TOKEN_EXPIRED", message)
        return body.position

    def mac_of(self, data: bytes) -> str:
        """Return what stands for bytes that must not be kept: nobody without the key can try values against it."""
        return hashlib.blake2b(data, key=self._key, digest_size=MAC_BYTES, person=b"hostd values").hexdigest()

    def _seal(self, body: _Body) -> str:
        packed = _encoder.encode(body)
        return base64.urlsafe_b64encode(self._mac(packed) + packed).rstrip(b"=").decode()

    def _open(self, token: str) -> _Body | None:
        if len(token) > TOKEN_CHARS_MAX or not token.isascii():
            return None
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            if not hmac.compare_digest(raw[:MAC_BYTES], self._mac(raw[MAC_BYTES:])):
                return None
            return _decoder.decode(raw[MAC_BYTES:])
        except (binascii.Error, msgspec.MsgspecError):
            return None

    def _mac(self, packed: bytes) -> bytes:
        return hashlib.blake2b(packed, key=self._key, digest_size=MAC_BYTES).digest()
