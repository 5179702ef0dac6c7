"""The scene: every part of the product as a process, with its servers, in a folder of its own."""

import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos import clock
from chaos.disk import Disk
from chaos.servers import Broker, Database
from chaos.services import Keeper, Kept, Service

QUEUES = "interactive,batch,mail,recompute"
# How long things are waited for. `product`: as it comes, but for papers that never end.
PACES = {
    "quick": {
        "PRESSROOM_LEASE_SECONDS": "3",
        "PRESSROOM_TASK_TIME_LIMIT": "6",
        "PRESSROOM_RUN_TIME_LIMIT": "6",
        "PRESSROOM_DISPATCH_MILLISECONDS": "200",
        "PRESSROOM_REPUBLISH_SECONDS": "2",
    },
    "product": {"PRESSROOM_TASK_TIME_LIMIT": "40", "PRESSROOM_RUN_TIME_LIMIT": "40"},
}
_OURS = (
    "PRESSROOM_",
    "DATABASE_URL",
    "CELERY_",
    "EMAIL_",
    "STORAGE_",
    "CHAOS_",
    "DJANGO_",
    "PYTEST",
)


@dataclass(frozen=True)
class Options:
    seed: int
    docs: int
    faults: int
    pace: str = "quick"
    real: float = 0.1  # the share of papers that are rendered
    render_seconds: float = 0.1  # of the others
    disk_seconds: float = 0.03  # of a file
    dropped: float = 0.2
    doubled: float = 0.2
    off: str = ""  # the protection that is taken away, for a control
    only: tuple[str, ...] = ()  # of the faults
    each: int = 4  # faults in a round
    window: int = 200  # messages in a queue

    @property
    def lease(self) -> int:
        return int(PACES[self.pace].get("PRESSROOM_LEASE_SECONDS", "30"))


class Scene:
    def __init__(self, folder: Path, options: Options) -> None:
        self.folder, self.options = folder, options
        for name in ("postgresql", "logs", "mail", "broker", "var"):
            (folder / name).mkdir()
        self.disk = Disk(folder, 100 + options.docs // 10)
        self.database = Database(folder / "postgresql")
        self.broker = Broker(folder / "broker")
        self.web_port = _free_port()
        (folder / "mail" / "mode").write_text("slow at rcpt")
        (folder / "mail" / "port").write_text(str(_free_port()))
        self.env = self._environment()
        self.mail = self._service("mail", "-m", "tests.documents.smtp_server", folder / "mail")
        self.workers = [self._worker("worker-a"), self._worker("worker-b")]
        self.dispatcher = self._service("dispatcher", "manage.py", "dispatcher")
        self.dispatcher_2 = self._service("dispatcher-2", "manage.py", "dispatcher", wanted=False)
        self.beat = self._beat("beat")
        self.beat_2 = self._beat("beat-2", wanted=False)
        self.web = self._web()
        self.wrong = self._wrong_clocks() if clock.libfaketime() else []

    # --- What a process lives in -----------------------------------------------------------------
    def _environment(self) -> dict[str, str]:
        """Nothing of whoever calls: the scene is the same in a test and in a terminal."""
        kept = {name: it for name, it in os.environ.items() if not name.startswith(_OURS)}
        port = (self.folder / "mail" / "port").read_text()
        options = self.options
        return {
            **kept,
            **PACES[options.pace],
            "DJANGO_SETTINGS_MODULE": "chaos.settings",
            "DATABASE_URL": self.database.url,
            "CELERY_BROKER_URL": self.broker.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "PRESSROOM_VAR_DIR": str(self.folder / "var"),
            "PRESSROOM_ARCHIVE_DIR": str(self.disk.archive),
            "PRESSROOM_LOG_FILE": "none",
            "PRESSROOM_RENDER_MEMORY_MB": "150",
            "PRESSROOM_MAIL_ANSWER_SECONDS": "4",
            "PRESSROOM_COSTLY_PER_MINUTE": "0",
            "PRESSROOM_DISPATCH_WINDOW": str(options.window),
            "CHAOS_FOLDER": str(self.folder),
            "CHAOS_DROP": str(options.dropped),
            "CHAOS_DOUBLE": str(options.doubled),
            "CHAOS_REAL": str(options.real),
            "CHAOS_RENDER_SECONDS": str(options.render_seconds),
            "CHAOS_DISK_SECONDS": str(options.disk_seconds),
            "CHAOS_OFF": options.off,
            "PYTHONUNBUFFERED": "1",
        }

    def _service(self, name: str, *words: object, wanted: bool = True, **env: str) -> Service:
        arguments = [str(word) for word in words]
        service = Service(name, arguments, self.folder / "logs", {**self.env, **env})
        service.wanted = wanted
        return service

    def _worker(self, name: str) -> Service:
        words = ["-m", "celery", "-A", "worker", "worker", "--loglevel", "INFO", "-Q", QUEUES]
        return self._service(name, *words, "-c", "2", "-n", f"{name}@%h")

    def _beat(self, name: str, wanted: bool = True, **env: str) -> Service:
        words = ["-m", "celery", "-A", "worker", "beat", "--loglevel", "INFO", "--pidfile", ""]
        notes = self.folder / f"{name}.schedule"
        return self._service(name, *words, "--schedule", notes, wanted=wanted, **env)

    def _web(self) -> Service:
        words = ["-m", "gunicorn", "--config", "python:config.serving", "config.wsgi:application"]
        words += ["--bind", f"127.0.0.1:{self.web_port}", "--workers", "2", "--threads", "4"]
        return self._service("web", *words, "--no-control-socket")

    def _wrong_clocks(self) -> list[Service]:
        """A dispatcher and a beat an hour ahead, and a dispatcher an hour behind."""
        ahead, behind = clock.shifted(1), clock.shifted(-1)
        return [
            self._service("dispatcher-ahead", "manage.py", "dispatcher", wanted=False, **ahead),
            self._service("dispatcher-behind", "manage.py", "dispatcher", wanted=False, **behind),
            self._beat("beat-ahead", wanted=False, **ahead),
        ]

    @property
    def processes(self) -> list[Service]:
        ours = [self.mail, *self.workers, self.dispatcher, self.dispatcher_2, self.beat]
        return [*ours, self.beat_2, self.web, *self.wrong]

    @property
    def services(self) -> list[Kept]:
        return [self.database, self.broker, *self.processes]

    def start_servers(self) -> None:
        """The database and the broker only: for what must be there before the first process."""
        self.database.ensure()
        self.broker.ensure()

    def start(self) -> None:
        self.keeper = Keeper(self.services)
        self.keeper.start()

    def stop_processes(self) -> None:
        """The servers stay: what was written is read."""
        for service in self.processes:
            service.wanted = False
        while any(service.pid for service in self.processes):
            time.sleep(0.1)

    def heal(self) -> None:
        """Whatever a fault left behind."""
        self.disk.empty()
        self.database.wanted = self.broker.wanted = True

    def count(self, what: str) -> int:
        path = self.folder / f"messages.{what}"
        return path.stat().st_size if path.exists() else 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def scene(options: Options) -> Iterator[Scene]:
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.chmod(0o711)  # root runs PostgreSQL as somebody else
    made: Scene | None = None
    try:
        made = Scene(folder, options)
        made.start_servers()
        yield made
    finally:
        if made is not None:
            if hasattr(made, "keeper"):
                made.keeper.stop()
            made.database.close()
            made.broker.close()
            made.disk.close()
        if "CHAOS_KEEP" in os.environ:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
