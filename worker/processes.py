"""What Pressroom runs on one machine: the command lines of web, dispatcher and workers."""

from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from worker.supervisor import Process, python

ROOT = Path(__file__).resolve().parent.parent
# Told to stop, a worker takes no more and ends what it has in hand: see bin/entrypoint.
GRACE = settings.CELERY_TASK_TIME_LIMIT + 30.0


def web_process(*, port: int, workers: int = 2, threads: int = 4) -> Process:
    """Gunicorn, on this machine only: a reverse proxy gives it a name and TLS."""
    return Process(
        "web",
        python(
            *("-m", "gunicorn", "config.wsgi:application"),
            *("--bind", f"127.0.0.1:{port}"),
            *("--workers", str(workers), "--threads", str(threads)),
            # No log of its own: it would write what people searched for, and their address.
            "--no-control-socket",
        ),
        cwd=ROOT,
    )


def dispatcher_process() -> Process:
    return Process("dispatcher", python(str(ROOT / "manage.py"), "dispatcher"), cwd=ROOT)


def beat_process() -> Process:
    """Ticks for what starts by itself. Its notes of the last ticks may be lost without harm."""
    notes = settings.VAR_DIR / "beat"
    notes.mkdir(parents=True, exist_ok=True)
    return Process(
        "beat",
        python(
            *("-m", "celery", "-A", "worker", "beat", "--loglevel", "INFO"),
            *("--schedule", str(notes / "schedule"), "--pidfile", ""),
        ),
        cwd=ROOT,
    )


def worker_processes(*, batch: int = 2) -> list[Process]:
    """One worker that only people wait for, and one for all the rest with `batch` children."""
    return [
        _worker("interactive", queues=["interactive"], children=1),
        _worker("batch", queues=["batch", "mail", "recompute"], children=batch),
    ]


def _worker(name: str, *, queues: Sequence[str], children: int) -> Process:
    return Process(
        f"worker-{name}",
        python(
            *("-m", "celery", "-A", "worker", "worker", "--loglevel", "INFO"),
            *("-Q", ",".join(queues), "-c", str(children), "-n", f"{name}@%h"),
        ),
        cwd=ROOT,
    )
