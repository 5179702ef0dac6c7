"""What runs, and is started again when it died, as a supervisor of services would."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

from tests.processes import Running

_RESTART_AFTER = 1.0  # seconds, as systemd's RestartSec


class Kept(Protocol):
    """`wanted` says whether it should run; faults change that, and the keeper follows."""

    name: str
    wanted: bool

    def ensure(self) -> None: ...
    def close(self) -> None: ...


class Service:
    """A program of ours with its children."""

    def __init__(
        self, name: str, arguments: Sequence[str], folder: Path, env: dict[str, str]
    ) -> None:
        self.name = name
        self.wanted = True
        self.starts = 0
        self._arguments, self._folder, self._env = list(arguments), folder, env
        self._running: Running | None = None
        self._all: list[Running] = []
        self._died_at = 0.0

    def ensure(self) -> None:
        if self._running is not None and not self._running.is_alive():
            self._running, self._died_at = None, time.monotonic()
        if self.wanted and self._running is None:
            if time.monotonic() - self._died_at >= _RESTART_AFTER:
                self._start()
        elif not self.wanted and self._running is not None:
            self.kill()

    def _start(self) -> None:
        self.starts += 1
        log = self._folder / f"{self.name}.{self.starts}.log"
        self._running = Running(self._arguments, log, self._env)
        self._all.append(self._running)

    @property
    def pid(self) -> int | None:
        running = self._running
        return running.process.pid if running is not None and running.is_alive() else None

    def children(self) -> list[int]:
        return children_of(self.pid) if self.pid else []

    def signal(self, number: signal.Signals) -> None:
        """To the process and all its children."""
        pid = self.pid
        with suppress(ProcessLookupError):
            if pid:
                os.killpg(pid, number)

    def kill(self) -> None:
        if self._running is not None:
            self._running.kill()

    def close(self) -> None:
        self.wanted = False
        for running in self._all:
            with suppress(ProcessLookupError):  # children may outlive the process they belong to
                os.killpg(running.process.pid, signal.SIGKILL)
            running.kill()

    def last_words(self) -> str:
        return "\n".join(running.output()[-1500:] for running in self._all[-2:])


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += map(int, (thread / "children").read_text().split())
    return found


class Keeper(Thread):
    """Starts what is wanted and not there. All starts are on this thread, which stays: the kernel
    ends a child of ours with the thread that started it.
    """

    def __init__(self, services: Sequence[Kept]) -> None:
        super().__init__(daemon=True, name="keeper")
        self.services = list(services)
        self.troubles: list[str] = []
        self._done = Event()

    def run(self) -> None:
        while not self._done.is_set():
            for service in self.services:
                try:
                    service.ensure()
                except Exception as error:  # noqa: BLE001  it is tried again at once
                    self.troubles.append(f"{service.name}: {error!r}")
            self._done.wait(0.1)
        for service in reversed(self.services):
            service.close()

    def stop(self) -> None:
        self._done.set()
        self.join(60)
