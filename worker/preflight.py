"""What a worker looks at before it takes work, and what it loads. Apps register their own.

A check returns problems, each one line that says what is wrong and what to do. A problem that
would lose data stops the start; a warning is logged.
"""

import gc
import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

logger = logging.getLogger("pressroom.worker")


@dataclass(frozen=True)
class Problem:
    text: str
    fatal: bool = True


Check = Callable[[], Iterable[Problem]]
Action = Callable[[], None]

_checks: list[Check] = []
_preloads: list[Action] = []
_warm_ups: list[Action] = []


def register_check(check: Check) -> None:
    _checks.append(check)


def register_preload(action: Action) -> None:
    """`action` runs once in the worker's parent process, before it forks."""
    _preloads.append(action)


def register_warm_up(action: Action) -> None:
    """`action` runs in each child before it takes its first task."""
    _warm_ups.append(action)


def problems() -> list[Problem]:
    return [problem for check in _checks for problem in check()]


def refuse_or_warn() -> None:
    """Log every problem; end the process with code 1 if one of them would lose data."""
    found = problems()
    for problem in found:
        logger.log(logging.ERROR if problem.fatal else logging.WARNING, problem.text)
    fatal = [problem.text for problem in found if problem.fatal]
    if fatal:
        # SystemExit, since Celery swallows any other exception of a signal's receiver.
        sys.exit("This worker does not start: " + " ".join(fatal))


def preload() -> None:
    """Load what all children share."""
    for action in _preloads:
        action()
    _leave_alone()


def warm_up() -> None:
    """Load what a child has for itself, before its first task."""
    for action in _warm_ups:
        action()
    _leave_alone()


def _leave_alone() -> None:
    """What is there stays: Python's collector would write into each page of it, and so make it
    every child's own, and go through all of it every few papers.
    """
    gc.freeze()
