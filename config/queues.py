"""How Celery is set up, each choice with its reason. Django finds these in the settings."""

import hashlib
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

from config import env


def embedded_socket(var_dir: Path) -> Path:
    """Under var/, or, where that path is too long for a Unix socket, under the temp folder."""
    socket = var_dir / "broker" / "broker.sock"
    if len(str(socket)) <= 100:
        return socket
    key = hashlib.sha256(str(var_dir).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"pressroom-{key}" / "broker.sock"


def _lease_below(time_limit: int) -> timedelta:
    """With a longer one, what is lost at its first second would be said to have run too long."""
    seconds = env.number("PRESSROOM_LEASE_SECONDS", 30, minimum=3)
    if seconds >= time_limit:
        raise ImproperlyConfigured(
            f"PRESSROOM_LEASE_SECONDS={seconds}: must be less than"
            f" PRESSROOM_TASK_TIME_LIMIT={time_limit}"
        )
    return timedelta(seconds=seconds)


# Results are diagnostics for people; no decision rests on one.
CELERY_RESULT_BACKEND = "worker.results:Results"
CELERY_RESULT_EXTENDED = True
CELERY_RESULT_EXPIRES = timedelta(days=7)
# A result row a document would be one more write each; failures are kept, and opt-ins.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = True
# Ids travel, nothing else: JSON only, never pickle.
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# A message is acked when its work is recorded, so a killed worker's message is not lost ...
CELERY_TASK_ACKS_LATE = True
# ... also when only a child was killed. A poison task can't loop: the claim counts attempts.
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# A worker holds one message at a time: what it holds is what a kill delays.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Hard limit only. A soft limit raises inside WeasyPrint and yields wrong PDFs (13 of 50).
CELERY_TASK_TIME_LIMIT = env.number("PRESSROOM_TASK_TIME_LIMIT", 120, minimum=1)
# A live worker renews its lease every third of this; a dead one is replaced after it.
WORK_LEASE = _lease_below(CELERY_TASK_TIME_LIMIT)
# Planning a run and binding its papers to one file are one task each, however many the papers.
RUN_TIME_LIMIT = env.number("PRESSROOM_RUN_TIME_LIMIT", 1500, minimum=1)
CELERY_TASK_QUEUES = [Queue(name) for name in ("interactive", "batch", "mail", "recompute")]
CELERY_TASK_DEFAULT_QUEUE = "interactive"
# A typing error in a queue's name must fail here, not fill a queue that nobody reads.
CELERY_TASK_CREATE_MISSING_QUEUES = False
# Django's own rules say when a connection to the database is closed (worker/celery.py). A new one
# for each task took as much of the database as all the statements of a paper.
CELERY_DB_REUSE_MAX = 10**9
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker waits for its broker however long it is away.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Far above the time limits: of a task longer than this a second message would go out. A killed
    # worker's messages come back only after it, for which nobody waits: the lease runs out long
    # before, and the dispatcher publishes the work again.
    "visibility_timeout": max(3600, 3 * CELERY_TASK_TIME_LIMIT, 3 * RUN_TIME_LIMIT),
    # How often (seconds) a worker looks for messages that are older than that.
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    # A frozen broker must not hang a request: the default waits for ever.
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": bool(env.text("CELERY_BROKER_URL")),
}
CELERY_TASK_PUBLISH_RETRY = True
# A request waits at most this long for a broker that is down; the dispatcher publishes later.
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
# Pango and WeasyPrint grow (62 -> 147 MB over 301 renders): children are replaced.
CELERY_WORKER_MAX_TASKS_PER_CHILD = env.number("PRESSROOM_MAX_TASKS_PER_CHILD", 200, minimum=1)
CELERY_WORKER_MAX_MEMORY_PER_CHILD = env.number("PRESSROOM_MAX_MEMORY_KB", 400_000, minimum=1)
# What one child may allocate beyond what it holds when it is warm; 0: no bound.
RENDER_MEMORY_MB = env.number("PRESSROOM_RENDER_MEMORY_MB", 1500)
# A child imports WeasyPrint and warms its fonts before it takes work; the default is 4 s.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_ENABLE_UTC = True


def _tick(task: str, seconds: int) -> dict[str, Any]:
    """Each only asks whether something is due, which the database knows: a tick that is lost, late
    or doubled changes nothing. One that was not taken before the next is thrown away.
    """
    return {"task": task, "schedule": seconds, "options": {"expires": seconds * 0.9}}


# A paper made all the way at intervals, whose age says that papers are made; 0: none.
CANARY_SECONDS = env.number(
    "PRESSROOM_CANARY_SECONDS", 60 if env.text("PRESSROOM_MODE") == "production" else 0
)

CELERY_BEAT_SCHEDULE = {
    "start due schedules": _tick("documents.start_due_schedules", 60),
    "send due digests": _tick("documents.send_due_digests", 300),
    "sweep the archive": _tick("documents.start_archive_sweep", 900),
    "clear ended sessions": _tick("accounts.clear_ended_sessions", 900),
    "report drifting balances": _tick("billing.start_nightly_recomputation", 900),
}

if CANARY_SECONDS:
    CELERY_BEAT_SCHEDULE["make canaries"] = _tick("documents.start_canaries", CANARY_SECONDS)
