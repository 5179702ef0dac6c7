"""`python -m bench [--size quick|usual|scale] [QUESTION ...]`, and `python -m bench table`.

Writes bench/results/QUESTION.json, then the table and the pictures of docs/performance.md. Runs on
a throw-away PostgreSQL and a broker of its own; only `scaling` takes another by DATABASE_URL.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from bench import beginning, report, table
from bench.sizes import SIZES, Size, size_named

# `scaling` takes minutes, and is left out unless it is asked for.
QUESTIONS = ("pipeline", "papers", "run", "interactive", "recompute", "pages", "growth")


def main(arguments: list[str]) -> int:
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    asked.add_argument("questions", nargs="*", help=", ".join((*QUESTIONS, "scaling", "table")))
    asked.add_argument("--size", choices=SIZES, default="usual")
    given = asked.parse_args(arguments)
    if given.questions != ["table"]:
        _measure(given.questions or list(QUESTIONS), size_named(given.size))
    if given.size != "tiny":
        table.write()
    return 0


def _measure(names: list[str], size: Size) -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pressroom-bench-"))
        beginning.begin(stack, Path(folder))
        import django

        django.setup()
        from bench import servers

        servers.migrate(names)
        for name in names:
            before, started = os.getloadavg()[0], perf_counter()
            with _logging_to(Path(folder) / "log"):
                found = _question(name)(size)
            took = perf_counter() - started
            report.write(name, found, size=size, load_before=before, took=took)


@contextmanager
def _logging_to(log: Path) -> Iterator[None]:
    """Lines are written as they are in production, but not among the figures."""
    terminal = os.dup(2)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _question(name: str) -> Callable[[Size], Any]:
    from importlib import import_module

    from bench.findings import Findings

    measure = import_module(f"bench.{name}").measure
    if name == "scaling":  # which knows of no sizes, and measures on the server's own database
        return lambda _size: Findings(figures=measure())
    return measure


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
