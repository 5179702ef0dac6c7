"""How log lines look: JSON for machines, text for people, and no personal data in either."""

import os
import re
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
# What PostgreSQL adds to an error: the row's own values, and those of the statement.
_DETAIL = re.compile(r"^(?:DETAIL|HINT|CONTEXT|LINE \d+):.*$", re.MULTILINE)
_LARGEST_FILE = 10_000_000
_LONGEST_MESSAGE = 2000


def without_addresses(text: str) -> str:
    return _ADDRESS.sub("[address]", _DETAIL.sub("", text))


def scrub(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The last look at a line: libraries may put into it what we would not."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = without_addresses(value)
    return event


def tell_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Where it happened, and what it said without a database's values."""
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    if isinstance(found, tuple) and found[0] is not None:
        event["exception"] = _told(*found)
    return event


def _told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> str:
    frames = "".join(traceback.format_tb(trace))
    return f"{frames}{kind.__name__}: {str(error)[:_LONGEST_MESSAGE]}"


_BEFORE: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_AT_THE_END: list[Processor] = [
    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
    tell_exception,
    scrub,
]


def drop_nothing_told(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: value for key, value in event.items() if value is not None}


def as_text(_: WrappedLogger, __: str, event: EventDict) -> str:
    """`2026-11-22T14:05:00Z INFO    pressroom.worker done work=document work_id=...`"""
    head = [str(event.pop("timestamp", "")), f"{str(event.pop('level', '')).upper():<7}"]
    head += [str(event.pop("logger", "")), str(event.pop("event", ""))]
    exception = event.pop("exception", None)
    line = " ".join([*head, *(f"{key}={value}" for key, value in event.items())])
    return f"{line}\n{exception}" if exception else line


def _can_be_written(file: Path) -> bool:
    """A log that has no place must not keep a program from starting."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(file if file.exists() else file.parent, os.W_OK)


def configure_structlog() -> None:
    structlog.configure(
        processors=[
            *_BEFORE,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logging_config(*, form: str, level: str, file: Path | None) -> dict[str, Any]:
    """For Django's LOGGING. `form`: json or text; `file`: written to as well, and turned over."""
    renderer: Processor = structlog.processors.JSONRenderer() if form == "json" else as_text
    handlers: dict[str, Any] = {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
    }
    if file is not None and _can_be_written(file):
        handlers["file"] = {
            "class": "logging.handlers.RotatingFileHandler",
            "formatter": "line",
            "filename": str(file),
            "maxBytes": _LARGEST_FILE,
            "backupCount": 3,
            "delay": True,
        }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _BEFORE,
                "processors": [*_AT_THE_END, drop_nothing_told, renderer],
            },
        },
        "handlers": handlers,
        "root": {"handlers": list(handlers), "level": level},
        "loggers": {
            "django": {"level": "INFO", "handlers": []},  # the root's do
            # These say what they refuse or leave out at INFO and WARNING; our reasons say more.
            "fontTools": {"level": "WARNING"},
            "weasyprint": {"level": "ERROR"},
            "pikepdf": {"level": "WARNING"},
            # It writes the path at each 404; every request has a line of its own.
            "django.request": {"level": "ERROR"},
            # Each message and each task has a line with its ids already.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }
