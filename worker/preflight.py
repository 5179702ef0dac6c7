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
_checks_of_the_broker: list[Check] = []
_told: list[Problem] = []
_preloads: list[Action] = []
_warm_ups: list[Action] = []


def register_check(check: Check, *, of_the_broker: bool = False) -> None:
    """`of_the_broker`: it is asked again once the worker has reached its broker, which may have
    been away before.
    """
    _checks.append(check)
    if of_the_broker:
        _checks_of_the_broker.append(check)


def register_preload(action: Action) -> None:
    """`action` runs once in the worker's parent process, before it forks."""
    _preloads.append(action)


def register_warm_up(action: Action) -> None:
    """`action` runs in each child before it takes its first task."""
    _warm_ups.append(action)


def problems() -> list[Problem]:
    return _found_by(_checks)


def refuse_or_warn() -> None:
    """Log every problem; end the process with code 1 if one of them would lose data."""
    _told[:] = problems()
    _judge(_told)


def refuse_or_warn_of_the_broker() -> None:
    """As at the start, of the broker that is there now; what was said then is not said again."""
    _judge([problem for problem in _found_by(_checks_of_the_broker) if problem not in _told])


def _found_by(checks: list[Check]) -> list[Problem]:
    return [problem for check in checks for problem in check()]


def _judge(found: list[Problem]) -> None:
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
