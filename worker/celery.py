"""The Celery app: `celery -A worker worker -Q interactive`. Its settings are in config/settings."""

import os
from typing import Any

import django
from celery import Celery
from celery.signals import worker_init, worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("pressroom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def _check_before_taking_work(**_: Any) -> None:
    """Refuse to start where work would be lost, then load what every child needs once."""
    django.setup()
    from worker import preflight  # noqa: PLC0415  models must be loaded first

    preflight.refuse_or_warn()
    preflight.preload()


@worker_process_init.connect
def _warm_child(**_: Any) -> None:
    from worker import preflight  # noqa: PLC0415  models must be loaded first

    preflight.warm_up()
