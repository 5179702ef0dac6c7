"""Which addresses on the network a company may have us call: public ones, and no others.

A URL that somebody typed must not lead into our own network. The host is resolved here, every
address it has must be public, and the caller connects to the very address that was checked: a name
that answers differently the second time gains nothing.
"""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

Address = IPv4Address | IPv6Address

LONGEST_URL = 500
_RESOLVE_SECONDS = 5.0
_NO_TEXT = re.compile(r"[\x00-\x20\x7f\\]")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)
# Not public in spite of what ipaddress says: the old 6to4 relays, and local NAT64 (RFC 8215).
_ALSO_REFUSED = (IPv4Network("192.88.99.0/24"), IPv6Network("64:ff9b:1::/48"))
# IPv6 addresses that end in an IPv4 one to which a gateway on the way may pass them on.
_NAT64, _COMPATIBLE = IPv6Network("64:ff9b::/96"), IPv6Network("::/96")


class Refused(Exception):
    """The URL may not be called; `str` says why. It stays so until somebody changes it."""


class NotFound(Exception):
    """Its host has no address, or the name server did not answer. It may have one later."""


@dataclass(frozen=True)
class Target:
    """A URL taken to pieces. `host` is in ASCII and without brackets."""

    is_tls: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


def parse(url: str) -> Target:
    """Raises Refused, in words for who typed it."""
    if len(url) > LONGEST_URL or _NO_TEXT.search(url):
        raise Refused("This is no URL: it is too long, or has spaces or control characters in it.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused("This is no URL.") from error
    scheme = _scheme(parts)
    host = _host(parts)
    port = port if port is not None else (443 if scheme == "https" else 80)
    if port != 443 and port < 1024 and not settings.WEBHOOK_ALLOW_PRIVATE:
        raise Refused("The port must be 443, or 1024 and up.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise Refused("Write other letters than ASCII in the path as %XX.")
    return Target(scheme == "https", host, port, path)


def _scheme(parts: SplitResult) -> str:
    allowed = ("https", "http") if settings.WEBHOOK_ALLOW_PRIVATE else ("https",)
    if parts.scheme not in allowed:
        raise Refused("The URL must begin with https://.")
    if "@" in parts.netloc:
        raise Refused(
            "A user or password in the URL is not allowed: the signature tells who calls."
        )
    return parts.scheme


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        return str(_literal(host))
    try:
        name = host.encode("idna").decode("ascii").rstrip(".").lower()
    except UnicodeError as error:
        raise Refused("This is not the name of a host.") from error
    if not _HOST.fullmatch(name) or "[" in parts.netloc:
        raise Refused("This is not the name of a host.")
    # What ends in a number is an IPv4 address to a browser, in any of its notations. Only the
    # plain one is let through, and then checked as an address.
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return str(_literal(name))
    return name


def _literal(text: str) -> Address:
    try:
        address = ip_address(text)
    except ValueError as error:
        raise Refused("This is not the address of a host.") from error
    if "%" in text:
        raise Refused("An address of one network interface is not allowed.")
    return address


def is_public(address: Address) -> bool:
    """Whether it, and what a gateway would make of it, is on the open internet."""
    return all(_is_public(each) for each in (address, *_inside(address)))


def _is_public(address: Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
        and not any(address in network for network in _ALSO_REFUSED)
    )


def _inside(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 one carries."""
    if isinstance(address, IPv4Address):
        return
    carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or address in _COMPATIBLE:
        carried.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    yield from (each for each in carried if each is not None)


def addresses_of(target: Target) -> list[Address]:
    """Every address of its host, all of them fit to be called. Raises Refused or NotFound."""
    found = _resolve(target.host)
    if not settings.WEBHOOK_ALLOW_PRIVATE and not all(map(is_public, found)):
        raise Refused("The address is not on the public internet.")
    return found


def _resolve(host: str) -> list[Address]:
    """As the system does, which knows no time limit of its own: a thread waits in our place."""
    answers: list[list[Address]] = []
    asking = threading.Thread(target=lambda: answers.append(look_up(host)), daemon=True)
    asking.start()
    asking.join(_RESOLVE_SECONDS)
    if not answers or not answers[0]:
        raise NotFound(f"There is no host {host}, or its name server does not answer.")
    return answers[0]


def _look_up(host: str) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


# What asks the name server.
look_up: Callable[[str], list[Address]] = _look_up
