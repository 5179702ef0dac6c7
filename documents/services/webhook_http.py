"""One POST to somebody else's server, who may be slow, endless or hostile.

No redirect is followed, no proxy is used, and the connection goes to an address that was checked.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime

from django.utils import timezone

from documents.services import public_addresses
from documents.services.public_addresses import Address, Target

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
MOST_READ = 4096  # bytes of the answer
_TOO_SLOW = "There was no whole answer in time."


class Unanswered(Exception):
    """There was no answer: `str` says why in a few words."""


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    milliseconds: int
    retry_after: timedelta

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Raises Refused or NotFound before anything is sent, and Unanswered."""
    target = public_addresses.parse(url)
    addresses = public_addresses.addresses_of(target)
    started = time.monotonic()
    line = _connect(addresses, target.port, started)
    with _cut_off_after(line, started + TOTAL_SECONDS) as ran_out:
        try:
            answer = _exchange(line, target, body, headers, started)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unanswered(_TOO_SLOW if ran_out.is_set() else _in_words(error)) from error
        finally:
            line.close()
    if ran_out.is_set():  # to http.client the cut may look like the end of the headers
        raise Unanswered(_TOO_SLOW)
    return answer


def _connect(addresses: list[Address], port: int, started: float) -> socket.socket:
    failed: OSError | None = None
    for address in addresses:
        left = started + CONNECT_SECONDS - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((str(address), port), timeout=left)
        except OSError as error:
            failed = error
    raise Unanswered(_in_words(failed or TimeoutError())) from failed


@contextmanager
def _cut_off_after(line: socket.socket, deadline: float) -> Iterator[threading.Event]:
    """A timeout of a socket is about one read: who sends a byte a second never runs into it.

    A second handle to the same connection is shut down, which ends any read or handshake on it.
    """
    ran_out = threading.Event()
    handle = line.dup()

    def cut_off() -> None:
        ran_out.set()
        with suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), cut_off)
    timer.daemon = True
    timer.start()
    try:
        yield ran_out
    finally:
        timer.cancel()
        timer.join()
        handle.close()


def _exchange(
    line: socket.socket, target: Target, body: bytes, headers: Mapping[str, str], started: float
) -> Answer:
    line.settimeout(TOTAL_SECONDS)
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.auto_open = 0  # it must never connect by itself, to where nobody looked
    if target.is_tls:
        line = _context().wrap_socket(line, server_hostname=target.host)
    connection.sock = line
    try:
        connection.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": target.authority, **headers}.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Connection", "close")
        connection.endheaders(body)
        return _answer(connection.getresponse(), started)
    finally:
        connection.close()


def _context() -> ssl.SSLContext:
    """Checks the certificate, and that it is for the name that was typed."""
    return ssl.create_default_context()


def _answer(response: http.client.HTTPResponse, started: float) -> Answer:
    beginning = response.read(MOST_READ)
    return Answer(
        status=response.status,
        text=_printable(beginning),
        milliseconds=int((time.monotonic() - started) * 1000),
        retry_after=_retry_after(response.getheader("Retry-After", "")),
    )


def _printable(content: bytes) -> str:
    text = content.decode("utf-8", errors="replace")
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()


def _retry_after(value: str) -> timedelta:
    """Seconds or a date; nothing where it is neither."""
    if value.isascii() and value.isdigit() and len(value) < 10:
        return timedelta(seconds=int(value))
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return timedelta(0)
    return until - timezone.now() if until.tzinfo else timedelta(0)


def _in_words(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"Its certificate is not good: {error.verify_message}."
        case ssl.SSLError():
            return "It does not speak TLS as it should."
        case TimeoutError():
            return "It did not answer in time."
        case ConnectionRefusedError():
            return "Nobody listens at this port."
        case http.client.HTTPException() | ValueError() if not isinstance(error, OSError):
            return "What it answered is not HTTP."
        case _:
            return "The connection could not be made, or broke."
