"""What production refuses to start with. Each says which variable, and what it expects."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_SHORTEST_SECRET = 50
_FEWEST_CHARACTERS = 5
# What stands in examples; a secret that was published once is nobody's secret.
_KNOWN = ("django-insecure-", "changeme", "change-me", "secret", "example", "your-")


def refuse_weak_secret(secret: str) -> None:
    is_known = secret.lower().startswith(_KNOWN)
    if is_known or len(secret) < _SHORTEST_SECRET or len(set(secret)) < _FEWEST_CHARACTERS:
        raise ImproperlyConfigured(
            f"SECRET_KEY is weak: at least {_SHORTEST_SECRET} random characters are"
            " expected, and none that were published: secrets.token_urlsafe(64) makes one"
        )


def refuse_any_host(hosts: list[str]) -> None:
    """A wildcard would let a made-up Host header decide where links in messages lead."""
    for host in hosts:
        if "*" in host or host.startswith("."):
            raise ImproperlyConfigured(f"ALLOWED_HOSTS={host!r}: name each host, without wildcards")


def require_https(name: str, url: str) -> str:
    """The URL's host."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ImproperlyConfigured(f"{name}={url!r}: production is reached by https://")
    return parts.hostname


def require_served(url: str, hosts: list[str]) -> None:
    """Links in messages lead to a host that answers."""
    host = require_https("PRESSROOM_SITE_URL", url)
    if host not in hosts:
        raise ImproperlyConfigured(f"PRESSROOM_SITE_URL: {host} is not among ALLOWED_HOSTS")


def require_tls_somewhere(*, redirects: bool, is_behind_proxy: bool) -> None:
    if not redirects and not is_behind_proxy:
        raise ImproperlyConfigured(
            "PRESSROOM_SSL_REDIRECT is off: only behind a proxy that ends TLS, which"
            " PRESSROOM_BEHIND_PROXY=true says"
        )


def require_authenticated_broker(url: str, *, is_open: bool) -> None:
    """Who may publish to the broker starts work. A Unix socket is guarded by its file's mode."""
    parts = urlsplit(url)
    if is_open or "socket" in parts.scheme or parts.password:
        return
    raise ImproperlyConfigured(
        "CELERY_BROKER_URL has no password: anybody who reaches the broker could start work."
        " Expected redis://:password@host:6379/0; PRESSROOM_BROKER_OPEN=true accepts it"
    )
