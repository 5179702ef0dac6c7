"""A receiver of webhooks on loopback, which checks signatures and misbehaves as it is told."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass
class Receiver:
    """`behave` is "200", any other status, or the name of a way to misbehave."""

    url: str = ""
    behave: str = "200"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"thank you"
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.requests]

    def verified(self, secret: str, number: int = -1) -> Any:
        """What the library makes of a request; raises where the signature is wrong."""
        headers, body = self.requests[number]
        return Webhook(secret).verify(body, headers)

    def refuses(self, secret: str, number: int = -1) -> bool:
        try:
            self.verified(secret, number)
        except WebhookVerificationError:
            return True
        return False


@contextmanager
def receiver(wrap: Any = None) -> Iterator[Receiver]:
    """It listens on a free port; `wrap` may put TLS round its socket."""
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.requests.append((headers, self.rfile.read(length)))
            with suppress(OSError):
                WAYS.get(state.behave, _answer)(self, state)

        def do_GET(self) -> None:
            state.requests.append(({"webhook-id": "GET"}, b""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if wrap:
        server.socket = wrap(server.socket)
    state.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.over.set()
        server.shutdown()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, state: Receiver) -> None:
    handler.send_response(int(state.behave))
    for name, value in state.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(state.body)))
    handler.end_headers()
    handler.wfile.write(state.body)


def _hang(handler: BaseHTTPRequestHandler, state: Receiver) -> None:
    state.over.wait(30)


def _drip_headers(handler: BaseHTTPRequestHandler, state: Receiver) -> None:
    _drip(handler, state, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 10_000)


def _drip_body(handler: BaseHTTPRequestHandler, state: Receiver) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    _drip(handler, state, b"a" * 10_000)


def _drip(handler: BaseHTTPRequestHandler, state: Receiver, content: bytes) -> None:
    for sign in content:
        if state.over.is_set():
            return
        handler.wfile.write(bytes([sign]))
        time.sleep(0.05)


def _flood(handler: BaseHTTPRequestHandler, state: Receiver) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(10_000):
        handler.wfile.write(b"x" * 100_000)


def _cut(handler: BaseHTTPRequestHandler, state: Receiver) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def _reset(handler: BaseHTTPRequestHandler, state: Receiver) -> None:
    """As a firewall does it: without a word, and what was sent is thrown away."""
    at_once = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    handler.connection.close()


def _nonsense(handler: BaseHTTPRequestHandler, state: Receiver) -> None:
    handler.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")
    handler.connection.shutdown(socket.SHUT_RDWR)


WAYS = {
    "hang": _hang,
    "drip headers": _drip_headers,
    "drip body": _drip_body,
    "flood": _flood,
    "cut": _cut,
    "reset": _reset,
    "nonsense": _nonsense,
}
