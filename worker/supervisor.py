"""Keeps a handful of programs running on one machine: start, restart, stop, nothing left over.

Each child leads a session of its own, so Ctrl-C reaches the supervisor alone and it decides the
order. A child that dies is swept with its whole process group and started again after a pause.
A supervisor that is killed takes its children along (see `die_with_parent`).
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from worker.embedded import die_with_parent

logger = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0  # a child that lived this long starts again with the first pause
LARGEST_LOG = 10_000_000  # bytes; a larger one is put aside as NAME.log.1 at the next start
GRACE = 30.0  # seconds to end what was begun, where whoever runs the processes names no other


@dataclass(frozen=True)
class Process:
    """A program to keep running. `env` is added to the supervisor's own environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None


class Child:
    """One `Process` and the operating system's process that runs it, if any."""

    def __init__(self, spec: Process, log_dir: Path | None) -> None:
        self.spec = spec
        self.log_dir = log_dir
        self.restarts = 0
        self._popen: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = FIRST_PAUSE
        self._start_again_at = 0.0

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    @property
    def alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def start(self, now: float) -> None:
        with self._log() as log:
            self._popen = subprocess.Popen(
                self.spec.argv,
                env={**os.environ, **(self.spec.env or {})},
                cwd=self.spec.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # Not SIGTERM: the broker dies with the same parent, and a worker that shuts down
                # without one may wait for ever. Its work has leases; its own children follow it.
                preexec_fn=die_with_parent(signal.SIGKILL),
            )
        self._started = now

    def _log(self) -> AbstractContextManager[IO[bytes] | None]:
        """The log file, or None for the terminal."""
        if self.log_dir is None:
            return nullcontext()
        self.log_dir.mkdir(parents=True, exist_ok=True)
        path = self.log_dir / f"{self.spec.name}.log"
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            path.rename(path.with_suffix(".log.1"))
        return path.open("ab")

    def keep_running(self, now: float) -> None:
        """Notice a death, and start it again when its pause is over."""
        if self.alive:
            return
        if self._popen is not None:
            self._note_death(self._popen.returncode, now)
        elif now >= self._start_again_at:
            self._start_again(now)

    def _note_death(self, returncode: int, now: float) -> None:
        if now - self._started >= STEADY_AFTER:
            self._pause = FIRST_PAUSE
        self.kill()  # what it left behind in its group
        self._popen = None
        self._try_later(f"ended ({_reason(returncode)})", now)

    def _start_again(self, now: float) -> None:
        self.restarts += 1
        try:
            self.start(now)
        except OSError as error:  # too many processes, a full disk: things that pass
            self._try_later(f"could not start ({error})", now)

    def _try_later(self, what: str, now: float) -> None:
        logger.warning("%s %s; starting it again in %g s", self.spec.name, what, self._pause)
        self._start_again_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def terminate(self) -> None:
        if self._popen is not None and self.alive:
            self._popen.terminate()

    def kill(self) -> None:
        """End the whole process group at once; its leader may be gone already."""
        if self._popen is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()


def _reason(returncode: int) -> str:
    if returncode < 0:
        return f"signal {signal.Signals(-returncode).name}"
    return f"exit code {returncode}"


class Supervisor:
    """Runs `processes` until it is told to stop.

    With `log_dir`, each child writes to `log_dir/NAME.log`; without, to the terminal. `watch` is
    called about once a second, for a neighbour that has to be looked after as well.
    """

    def __init__(
        self,
        processes: Sequence[Process],
        *,
        log_dir: Path | None = None,
        grace: float = GRACE,
        poll: float = 0.2,
        watch: Callable[[], None] | None = None,
    ) -> None:
        self.children = [Child(spec, log_dir) for spec in processes]
        self.grace = grace
        self.poll = poll
        self.watch = watch
        self._stopping = threading.Event()
        self._hurry = threading.Event()
        self._watched_at = 0.0

    def run(self) -> int:
        """Keep all running until `stop` is called, then stop all.

        Returns 0, or 1 when a child outstayed the grace and was killed.
        """
        try:
            for child in self.children:
                child.start(time.monotonic())
            while not self._stopping.wait(self.poll):
                self._look_after(time.monotonic())
        finally:
            clean = self._stop_all()
        return 0 if clean else 1

    def run_until_signalled(self) -> int:
        """`run`, where SIGINT and SIGTERM stop it. A second signal kills without grace."""
        before = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            return self.run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Ask `run` to stop; called again, to hurry. Safe from a signal handler or a thread."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop()

    def _look_after(self, now: float) -> None:
        for child in self.children:
            child.keep_running(now)
        if self.watch is not None and now - self._watched_at >= 1.0:
            self.watch()
            self._watched_at = time.monotonic()

    def _stop_all(self) -> bool:
        """SIGTERM in reverse order, wait, then SIGKILL. True when nobody outstayed the grace."""
        for child in reversed(self.children):
            child.terminate()
        deadline = time.monotonic() + self.grace
        while self._any_alive() and time.monotonic() < deadline and not self._hurry.is_set():
            time.sleep(0.05)
        outstayed = [child.spec.name for child in self.children if child.alive]
        for child in reversed(self.children):
            child.kill()
        if outstayed:
            logger.warning("killed, since it did not stop in time: %s", ", ".join(outstayed))
        return not outstayed

    def _any_alive(self) -> bool:
        return any(child.alive for child in self.children)


@contextmanager
def running(
    processes: Sequence[Process], *, log_dir: Path | None = None, grace: float = GRACE
) -> Iterator[Supervisor]:
    """Keep `processes` running beside the `with` block, and stop them at its end."""
    supervisor = Supervisor(processes, log_dir=log_dir, grace=grace)
    # The thread forks all children, also the restarted ones, and lives as long as they do.
    thread = threading.Thread(target=supervisor.run, name="supervisor")
    thread.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()
        try:
            thread.join()
        except KeyboardInterrupt:  # a second Ctrl-C: no grace
            supervisor.stop()
            thread.join()


def python(*arguments: str) -> tuple[str, ...]:
    """An argument list for the interpreter that runs this program."""
    return (sys.executable, *arguments)
