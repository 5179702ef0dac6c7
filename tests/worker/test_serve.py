"""`manage.py serve`, the real command: everything is there a moment later, and gone at its end."""

import os
import signal
import socket
import threading
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.core.management import CommandError, call_command

from config.queues import embedded_socket
from tests.processes import Running, environment, eventually
from worker.embedded import answers
from worker.management.commands import serve
from worker.supervisor import Process, python

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = {"web", "dispatcher", "beat", "worker-interactive", "worker-batch"}


@pytest.fixture
def place():
    """A short path: pytest's own are too long for a Unix socket."""
    with TemporaryDirectory(prefix="serve-") as name:
        yield Path(name)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serving(place: Path, *arguments: str, **env: str) -> Running:
    command = ["manage.py", "serve", "--workers", "1", *arguments]
    return Running(command, place / "serve.log", environment(PRESSROOM_VAR_DIR=str(place), **env))


def is_live(port: int) -> bool:
    with suppress(OSError):
        return bool(
            urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=5).status == 200
        )
    return False


def broker_pid(place: Path) -> int:
    return int((place / "broker" / "broker.pid").read_text() or 0)


def ended(running: Running, number: int) -> int:
    os.kill(running.process.pid, number)
    return running.process.wait(60)


@pytest.mark.parametrize(
    ("option", "value"), [("port", "99999"), ("port", "0"), ("workers", "0"), ("workers", "two")]
)
def test_a_port_or_number_that_can_not_be_is_refused(option, value):
    with pytest.raises(CommandError, match=f"--{option}: '{value}': expected a number from 1 to"):
        call_command("serve", f"--{option}", value)


@pytest.mark.servers
def test_it_runs_all_with_a_broker_of_its_own_revives_it_and_stops_when_told(place):
    port = free_port()
    running = serving(place, "--port", str(port), CELERY_BROKER_URL="")
    try:
        eventually(lambda: is_live(port), 60)
        assert {path.stem for path in (place / "logs").glob("*.log")} >= PARTS
        broker = broker_pid(place)
        os.kill(broker, signal.SIGKILL)
        eventually(lambda: broker_pid(place) != broker, 20)
        eventually(lambda: answers(embedded_socket(place)))
        assert ended(running, signal.SIGINT) == 0
    finally:
        running.kill()
    assert f"http://127.0.0.1:{port}/" in running.output()
    assert running.output().endswith("Stopped.\n")
    assert not is_live(port)
    assert not answers(embedded_socket(place))


@pytest.mark.servers
def test_in_production_it_collects_the_static_files_and_a_broker_given_is_used(
    place, settings, monkeypatch, capfd
):
    settings.WHITENOISE_USE_FINDERS = False
    settings.STATIC_ROOT = place / "static"
    settings.EMBEDDED_BROKER_SOCKET = None
    said = Process("web", python("-c", "print('served', flush=True); import time; time.sleep(60)"))
    for name in ("web_process", "dispatcher_process", "beat_process"):
        monkeypatch.setattr(serve, name, lambda said=said, **_: said)
    monkeypatch.setattr(serve, "worker_processes", lambda **_: [])
    printed = []

    def stop_once_it_serves() -> None:
        eventually(lambda: printed.append(capfd.readouterr().out) or "served" in printed[-1], 60)
        os.kill(os.getpid(), signal.SIGTERM)

    watcher = threading.Thread(target=stop_once_it_serves)
    watcher.start()
    call_command("serve", port=free_port(), logs="terminal")
    watcher.join()
    assert any(settings.STATIC_ROOT.rglob("*.css"))
    assert not (place / "broker").exists()


def test_a_port_that_is_taken_is_named_and_another_proposed():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"Port {port} .* Try --port {port + 1}\."):
            call_command("serve", port=port)
