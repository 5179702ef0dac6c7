"""Where a bucket is: s3://KEY:SECRET@host[:port]/bucket[/prefix]?region=eu-central-1"""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_EXPECTED = "expected s3://KEY:SECRET@host[:port]/bucket[/prefix]?region=eu-central-1"
_LOCAL = ("localhost", "127.0.0.1", "::1")
_KNOWN = {"region", "tls", "addressing"}


@dataclass(frozen=True)
class Bucket:
    """`prefix` is empty or ends in a slash. Without a key the machine's own role is used."""

    name: str
    prefix: str
    endpoint: str
    region: str
    addressing: str
    key: str | None = field(repr=False)
    secret: str | None = field(repr=False)


def parse_bucket(url: str, *, name: str = "STORAGE_URL") -> Bucket:
    """Raises ImproperlyConfigured, with the variable's `name` and without the secret."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {_EXPECTED}") from error
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    bucket, _, prefix = unquote(parts.path).strip("/").partition("/")
    if parts.scheme != "s3" or not host or not bucket or set(options) - _KNOWN:
        raise ImproperlyConfigured(f"{name}: {_EXPECTED}")
    tls = _has_tls(options.get("tls", "on"), host, name)
    place = f"[{host}]" if ":" in host else host
    return Bucket(
        name=bucket,
        prefix=f"{prefix}/" if prefix else "",
        endpoint=f"{'https' if tls else 'http'}://{place}{f':{port}' if port else ''}",
        region=options.get("region", "us-east-1"),
        addressing=options.get("addressing") or _addressing(host),
        key=unquote(parts.username) if parts.username else None,
        secret=unquote(parts.password) if parts.password else None,
    )


def _has_tls(wanted: str, host: str, name: str) -> bool:
    if wanted not in ("on", "off"):
        raise ImproperlyConfigured(f"{name}: tls is on or off.")
    if wanted == "off" and host not in _LOCAL:
        raise ImproperlyConfigured(f"{name}: tls=off is for a server on this machine only.")
    return wanted == "on"


def _addressing(host: str) -> str:
    """Amazon's buckets are hosts of their own; other servers' are folders, as a rule."""
    return "virtual" if host.endswith("amazonaws.com") else "path"
