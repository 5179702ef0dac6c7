"""Typed reading of the environment: a bad value stops the start and names the variable.

An empty variable is one that is not set: Compose and Kubernetes pass what nobody filled in so.
"""

import os
import secrets
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")
_ENGINES = ("django.db.backends.postgresql", "django.db.backends.sqlite3")


def text(name: str, default: str = "") -> str:
    """The variable, or the content of the file that `NAME_FILE` points to (for secrets)."""
    file = os.environ.get(f"{name}_FILE")
    if file:
        try:
            return Path(file).read_text(encoding="utf-8").strip() or default
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name}_FILE: cannot read {file}: {error}") from error
    return os.environ.get(name) or default


def required(name: str, why: str) -> str:
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {why}")
    return value


def flag(name: str, *, default: bool) -> bool:
    value = text(name, str(default)).strip().lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value!r}: expected true or false")


def number(name: str, default: int, *, minimum: int = 0) -> int:
    value = text(name, str(default))
    try:
        parsed = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r}: expected a whole number") from error
    if parsed < minimum:
        raise ImproperlyConfigured(f"{name}={parsed}: must be at least {minimum}")
    return parsed


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list, without empty parts."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r}: expected one of {', '.join(allowed)}")
    return value


def log_level(name: str, default: str) -> str:
    value = text(name, default).upper()
    if value not in _LEVELS:
        raise ImproperlyConfigured(f"{name}={value!r}: expected one of {', '.join(_LEVELS)}")
    return value


def database(name: str, default: str) -> dict[str, Any]:
    """For Django's DATABASES. No refusal shows the URL, which holds a password."""
    with warnings.catch_warnings():  # one that knows no engine warns, with the URL's parts
        warnings.simplefilter("ignore")
        try:
            config: dict[str, Any] = environ.Env.db_url_config(text(name, default))
        except ValueError:
            config = {}
    has_place = config.get("NAME") or "service" in config.get("OPTIONS", {})
    if config.get("ENGINE") not in _ENGINES or not has_place:
        raise ImproperlyConfigured(f"{name}: expected postgres://user:password@host:5432/name")
    return config


def broker(name: str) -> str:
    """A URL that Celery's transport for Redis takes; empty where there is none."""
    url = text(name)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # which raises where it is no number
    except ValueError:
        host = None
    is_known = host and url.startswith(("redis://", "rediss://"))
    if url and not is_known and not url.startswith("redis+socket:///"):
        raise ImproperlyConfigured(f"{name}: expected redis://:password@host:6379/0")
    return url


def kept_secret(path: Path) -> str:
    """A random secret made at the first start and kept, readable by its owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50), encoding="ascii")
        try:
            os.link(draft, path)  # the first of two processes wins, both read the same
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii")
