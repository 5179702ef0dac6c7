"""The Celery app: `celery -A worker worker -Q interactive`. Its settings are in config/settings."""

import os
from typing import Any

import django
from celery import Celery
from celery.signals import (
    beat_init,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_ready,
)
from django.db import close_old_connections
from django_structlog.celery.receivers import CeleryReceiver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("pressroom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A message's headers carry the ids of who published it (the request, the person, the work) to the
# lines that a worker writes about it. Celery refers to its receivers weakly: it is kept here.
_log_context = CeleryReceiver()
_log_context.connect_worker_signals()


@setup_logging.connect
def _leave_logs_alone(**_: Any) -> None:
    """That somebody listens is enough: Django's LOGGING holds for Celery's loggers as well."""


@worker_init.connect
def _check_before_taking_work(sender: Any, **_: Any) -> None:
    """Refuse to start where work would be lost, then load what every child needs once."""
    django.setup()
    from worker import pools, preflight  # noqa: PLC0415  models must be loaded first

    preflight.register_check(lambda: pools.children_are_processes(sender.pool_cls))
    preflight.refuse_or_warn()
    preflight.preload()


@worker_process_init.connect
def _warm_child(**_: Any) -> None:
    from worker import preflight  # noqa: PLC0415  models must be loaded first

    preflight.warm_up()


@task_prerun.connect
@task_postrun.connect
def _keep_good_connections(**_: Any) -> None:
    """As around a request: a line to the database that is old or broken is closed, another is kept
    for the next task, and looked at before it is used. Celery by itself would have a new one each.
    """
    close_old_connections()


@worker_ready.connect
def _listen(sender: Any, **_: Any) -> None:
    """The broker is there, perhaps after a long wait, and no message was taken yet: look at it, and
    end if it would lose work. Then say who listens.
    """
    from worker import models, preflight, presence  # noqa: PLC0415  models must be loaded first

    preflight.refuse_or_warn_of_the_broker()
    queues = list(sender.app.amqp.queues.consume_from)
    presence.Herald(models.Role.WORKER, queues).start()


@beat_init.connect
def _say_who_beats(**_: Any) -> None:
    django.setup()
    from worker import models, presence  # noqa: PLC0415  models must be loaded first

    presence.Herald(models.Role.BEAT).start()
