"""Everything that docker-compose.yml starts but the proxy, as processes of this machine.

PostgreSQL syncs its log as a real one does. Web, workers, dispatcher and beat are started by
`bin/entrypoint` in production mode; the web sends files itself, for there is no nginx.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests import servers
from worker.embedded import EmbeddedBroker, die_with_parent

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "billing.test"
# As docker-compose.yml has them.
ROLES = {
    "web": ("web",),
    "dispatcher": ("dispatcher",),
    "beat": ("beat",),
    "worker interactive": ("worker", "interactive", "1"),
    "worker batch": ("worker", "batch,mail,recompute", "2"),
}
DURABLE = {**servers.SETTINGS, "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
WEB_PROCESSES, WEB_THREADS = 2, 4


class Stack:
    def __init__(
        self,
        folder: Path,
        database_url: str,
        broker: EmbeddedBroker,
        roles: Mapping[str, tuple[str, ...]] = ROLES,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.folder = folder
        self.database_url = database_url
        self.port = _free_port()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.broker = broker
        self.roles = roles
        for name in ("var", "tmp", "logs"):
            (folder / name).mkdir()
        self._environment = {**self._settings(broker.url), **more}

    def _settings(self, broker_url: str) -> dict[str, str]:
        ours = ("PRESSROOM_", "DJANGO_", "CELERY_", "DATABASE_URL", "SECRET_KEY", "EMAIL_URL")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return {
            **kept,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self.folder / "tmp"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PRESSROOM_MODE": "production",
            "PRESSROOM_VAR_DIR": str(self.folder / "var"),
            "PRESSROOM_ARCHIVE_DIR": str(self.folder / "archive"),
            "ALLOWED_HOSTS": HOST,
            "PRESSROOM_SITE_URL": f"https://{HOST}",
            "CSRF_TRUSTED_ORIGINS": f"https://{HOST}",
            "PRESSROOM_BEHIND_PROXY": "true",
            "PRESSROOM_PROXIES": "1",
            "SECRET_KEY": secrets.token_urlsafe(64),
            "DATABASE_URL": self.database_url,
            "CELERY_BROKER_URL": broker_url,
            "WEB_BIND": f"127.0.0.1:{self.port}",
            "WEB_WORKERS": str(WEB_PROCESSES),
            "WEB_THREADS": str(WEB_THREADS),
        }

    def manage(self, *words: str) -> str:
        """`docker compose run web manage ...`"""
        done = subprocess.run(
            [str(ROOT / "bin" / "entrypoint"), "manage", *words],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{words[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def call(self, function: str, *arguments: str) -> str:
        """A function of bench.load.books, in a process that has the product's settings."""
        code = f"from bench.load import books; books.{function}(*{arguments!r})"
        return self.manage("shell", "--no-imports", "-c", code)

    def up(self) -> None:
        for name, words in self.roles.items():
            command = [str(ROOT / "bin" / "entrypoint"), *words]
            env = {**self._environment, "HOSTNAME": name.replace(" ", "-")}
            self.running[name] = _started(command, env, self.log(name))
        self._wait_until_ready()
        self.call("wait_for_workers", "interactive,batch,mail,recompute", "120")

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name.replace(' ', '-')}.log"

    def pids(self) -> dict[str, int]:
        """The first process of each part; its children belong to it."""
        found = {name: process.pid for name, process in self.running.items()}
        return {**found, "broker": self.broker.pid or 0}

    def _wait_until_ready(self, seconds: float = 120) -> None:
        url = f"http://127.0.0.1:{self.port}/ready"
        request = Request(url, headers={"Host": HOST, "X-Forwarded-Proto": "https"})
        deadline = time.monotonic() + seconds
        while True:
            with suppress(URLError, OSError):
                urlopen(request, timeout=5).close()
                return
            self._look(deadline)

    def _look(self, deadline: float) -> None:
        ended = [name for name, process in self.running.items() if process.poll() is not None]
        if ended or time.monotonic() > deadline:
            tails = "\n".join(self.log(name).read_text()[-2000:] for name in self.running)
            raise RuntimeError(f"not ready, ended: {ended}\n{tails}")
        time.sleep(0.2)

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        deadline = time.monotonic() + 45
        for process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _started(command: list[str], env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def stack(**more: str) -> Iterator[Stack]:
    """Database and broker are up and migrated, static files are there; `up()` starts the rest,
    with `more` in its environment.

    Also who is told to stop (SIGTERM) leaves nothing behind.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with ExitStack() as closing:
        directory = closing.enter_context(
            tempfile.TemporaryDirectory(prefix="pressroom-load-", ignore_cleanup_errors=True)
        )
        folder = Path(directory)
        folder.chmod(0o711)  # root runs PostgreSQL as somebody else
        (folder / "postgresql").mkdir()
        url = closing.enter_context(servers.postgresql(folder / "postgresql", DURABLE))
        broker = closing.enter_context(EmbeddedBroker(folder / "broker"))
        made = Stack(folder, url, broker, more=more)
        made.manage("migrate", "--noinput", "--verbosity", "0")
        made.manage("collectstatic", "--noinput", "--verbosity", "0")
        closing.callback(made.stop)
        yield made
