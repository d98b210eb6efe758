"""A small exchange for demos and tests: prices that are not there at first, and orders that are placed once per key.

Run it as `python exchange.py PORT`; it prints one line a request. GET /book tells how often each order was placed.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ORDER_TAKES_S = 2.5  # long enough to be killed in the middle of one


class Book:
    """What the exchange remembers."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.refused: set[str] = set()
        self.orders: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []

    def refuse_once(self, name: str) -> bool:
        """Say whether this is the first request of its kind, which is refused."""
        with self.lock:
            first = name not in self.refused
            self.refused.add(name)
            return first

    def place(self, key: str, order: dict[str, Any]) -> dict[str, Any]:
        """Return the order of an idempotency key; the first one makes it."""
        with self.lock:
            self.requests.append((key, order["run"]))
            return self.orders.setdefault(key, {"order": len(self.orders) + 1, **order})


class Exchange(ThreadingHTTPServer):
    """The server with its book."""

    daemon_threads = True

    def __init__(self, port: int, *, order_takes_s: float = ORDER_TAKES_S) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.book = Book()
        self.order_takes_s = order_takes_s


class Handler(BaseHTTPRequestHandler):
    """GET /prices/COIN, POST /orders, GET /book."""

    server: Exchange
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a price, refused once, or the book."""
        if self.path == "/book":
            book = self.server.book
            self.answer(200, {"orders": book.orders, "requests": book.requests})
        elif self.path.startswith("/prices/"):
            coin = self.path.removeprefix("/prices/")
            if self.server.book.refuse_once(coin):
                self.answer(503, {"error": "the market opens in a moment"})
            else:
                self.answer(200, {"coin": coin, "offers": [{"usd": 95.5}, {"usd": 98.25}, {"usd": 99.0}]})
        else:
            self.answer(404, {"error": "no such page"})

    def do_POST(self) -> None:
        """Place an order, slowly."""
        order = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))))
        placed = self.server.book.place(self.headers.get("idempotency-key", ""), order)
        time.sleep(self.server.order_takes_s)
        self.answer(201, placed)

    def answer(self, status: int, value: Any) -> None:
        """Send JSON; a client that has been killed does not mind."""
        body = json.dumps(value).encode()
        try:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
        """Stay quiet."""


if __name__ == "__main__":
    Exchange(int(sys.argv[1])).serve_forever()
