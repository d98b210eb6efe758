"""What the pages of the documentation talk to, in the test's own process: a shop, a mail server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.smtp import SMTP

PAGES: dict[str, Any] = {
    "": {"data": [{"id": 1, "cents": 100}, {"id": 2, "cents": 200}], "meta": {"next": "b"}},
    "b": {"data": [{"id": 3, "cents": 300}, {"id": 4, "cents": 400}], "meta": {"next": "c"}},
    "c": {"data": [{"id": 5, "cents": 500}], "meta": {"next": None}},
}


class Shop(BaseHTTPRequestHandler):
    """Gives tokens, pages of orders and shipments; the first request of each kind finds it busy."""

    protocol_version = "HTTP/1.1"
    busy: set[str]
    shipped: dict[str, int]

    def do_GET(self) -> None:
        """Give a page to who has a token."""
        where = urlsplit(self.path)
        if self._refused(where.path):
            return None
        if where.path == "/v2/picture":
            return self._send(200, bytes(100_000), "application/octet-stream")
        cursor = parse_qs(where.query).get("cursor", [""])[0]
        return self._answer(200, PAGES[cursor])

    def do_POST(self) -> None:
        """Give a token, or ship once an idempotency key."""
        self.rfile.read(int(self.headers.get("content-length", "0")))
        if self.path == "/oauth/token":
            return self._answer(200, {"access_token": "t-1", "token_type": "Bearer", "expires_in": 3600})
        if self._refused(self.path):
            return None
        key = self.headers["idempotency-key"]
        return self._answer(200, {"shipment": self.shipped.setdefault(key, len(self.shipped) + 1)})

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _refused(self, path: str) -> bool:
        if "/picture" not in path and self.headers.get("authorization") != "Bearer t-1":
            self._answer(401, {"error": "no token"})
            return True
        if path not in self.busy:
            self.busy.add(path)
            self._answer(503, {"error": "busy"})
            return True
        return False

    def _answer(self, status: int, value: Any) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def shop() -> Iterator[str]:
    """Serve; gives the address."""
    handler = type("ThisShop", (Shop,), {"busy": set(), "shipped": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Letters:
    """What the mail server has got."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep subject and text of a mail."""
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.kept.append(f"Subject: {mail['subject']}\n{mail.get_content()}")
        return "250 kept"


@contextmanager
def mail_server() -> Iterator[tuple[int, Letters]]:
    """Serve without protection, on loopback; gives the port and what comes."""
    letters, loop = Letters(), asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: SMTP(letters, loop=loop), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1], letters
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
