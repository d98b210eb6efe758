"""What an author says about TLS: whom to trust, and who we are. Contexts are kept, so connections can be used again."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from hostd.plugin import ActionError

if TYPE_CHECKING:
    from hostd_builtin.http.options import Tls

CONTEXTS_MAX = 64


class TlsContexts:
    """Contexts by what they were made of; the one that was unused longest is forgotten."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, ssl.SSLContext] = OrderedDict()

    async def get(self, tls: Tls | None) -> ssl.SSLContext | bool:
        """Return a context; True is the client's own. Raises ActionError TLS for what is no certificate or key."""
        if tls is None:
            return True
        key = identity(tls)
        context = self._kept.pop(key, None)
        if context is None:
            context = await asyncio.to_thread(_make, tls)
        self._kept[key] = context
        if len(self._kept) > CONTEXTS_MAX:
            self._kept.popitem(last=False)
        return context


def identity(tls: Tls | None) -> bytes:
    """Return what tells settings apart, without holding them."""
    texts = () if tls is None else (tls.ca, tls.certificate, tls.key)
    digest = hashlib.sha256()
    for text in texts:
        data = (text or "").encode("utf-8", "replace")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


def _make(tls: Tls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=tls.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if tls.certificate is not None and tls.key is not None:
            _identify(context, tls.certificate, tls.key)
    except (ssl.SSLError, ValueError, UnicodeError):  # its text may quote what it read
        raise ActionError(
            "`tls` holds something that is no PEM certificate or key, or they do not fit", code="TLS"
        ) from None
    return context


def _identify(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Load who we are; the ssl module reads files only, so a private one is there for a moment."""
    with tempfile.TemporaryDirectory(prefix="hostd-tls-") as folder:
        file = Path(folder) / "pem"
        file.touch(mode=0o600)
        file.write_text(f"{certificate}\n{key}\n", encoding="utf-8")
        context.load_cert_chain(file, password=lambda: "")
