"""Which URLs may be called: public ones over TLS, and nothing that leads into our own network."""

import socket
import threading
import time
from ipaddress import ip_address

import pytest

from documents.services import public_addresses
from documents.services.public_addresses import (
    NotFound,
    Refused,
    addresses_of,
    is_public,
    parse,
)


@pytest.fixture
def names(monkeypatch):
    """A name server that knows what it is told, and what the system knows without asking one."""
    known: dict[str, list[str]] = {}

    def look_up(host):
        if host in known:
            return [ip_address(text) for text in known[host]]
        try:
            found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
        except OSError:
            return []
        return [ip_address(found[0][4][0])]

    monkeypatch.setattr(public_addresses, "look_up", look_up)
    return known


def allowed(url):
    return [str(address) for address in addresses_of(parse(url))]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "//example.com/",
        "example.com",
        "https://",
        "https:///path",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com:25/",
        "https://example.com:22/",
        "https://example.com:80/",
        "https://example.com:99999/",
        "https://example.com:abc/",
        "https://exa mple.com/",
        "https://example.com/\r\nX-Header: 1",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/ä",
        "https://" + "a" * 600 + ".com/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.0.0.1./",
        "https://0/",
        "https://0.0.0.0/",
        "https://10.0.0.5/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::]/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::1]/",
        "https://[2002:7f00:1::]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fc00::1]/",
        "https://[fd00:ec2::254]/",
        "https://[ff02::1]/",
        "https://224.0.0.1/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
        "https://192.0.2.1/",
        "https://198.18.0.1/",
        "https://192.88.99.1/",
        "https://localhost/",
        "https://localhost./",
        "https://LOCALHOST/",
        "https://inside.example/",
        "https://both.example/",
        "https://①②⑦.⓪.⓪.①/",
        "https://127。0。0。1/",
    ],
)
def test_a_hostile_url_is_refused(names, url):
    names |= {
        "localhost": ["127.0.0.1", "::1"],
        "inside.example": ["10.1.2.3"],
        "both.example": ["93.184.215.14", "127.0.0.1"],
    }
    with pytest.raises(Refused):
        allowed(url)


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        (
            "https://example.com/hook?a=b",
            ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
        ),
        ("https://EXAMPLE.com.:8443", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]),
        ("https://bücher.example/", ["93.184.215.15"]),
        ("https://1.1.1.1/", ["1.1.1.1"]),
        ("https://[2606:4700::1111]:4443/", ["2606:4700::1111"]),
    ],
)
def test_a_public_url_is_taken(names, url, addresses):
    names |= {
        "example.com": ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
        "xn--bcher-kva.example": ["93.184.215.15"],
    }
    assert allowed(url) == addresses


def test_a_host_without_an_address_is_not_found(names):
    with pytest.raises(NotFound):
        allowed("https://nowhere.example/")


def test_a_name_server_that_says_nothing_is_not_waited_for(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(public_addresses, "_RESOLVE_SECONDS", 0.2)
    monkeypatch.setattr(public_addresses, "look_up", lambda host: over.wait(20) and [])
    started = time.monotonic()
    with pytest.raises(NotFound):
        allowed("https://slow.example/")
    assert time.monotonic() - started < 5
    over.set()


def test_the_host_is_written_as_the_server_expects_it():
    assert parse("https://example.com/").authority == "example.com"
    assert parse("https://example.com:8443/").authority == "example.com:8443"
    assert parse("https://[2606:4700::1111]:4443/").authority == "[2606:4700::1111]:4443"


def test_development_may_allow_private_addresses_and_plain_http(names, settings):
    settings.WEBHOOK_ALLOW_PRIVATE = True
    assert allowed("http://127.0.0.1:80/") == ["127.0.0.1"]
    with pytest.raises(Refused):
        allowed("http://user@127.0.0.1/")


def test_whole_networks_are_not_public():
    for text in ("10.255.255.255", "172.31.255.255", "100.127.255.255", "fdff::1", "febf::1"):
        assert not is_public(ip_address(text)), text
    for text in ("9.255.255.255", "172.32.0.0", "100.128.0.0", "11.0.0.0", "2a00::1"):
        assert is_public(ip_address(text)), text
