"""Results of tasks, kept for people who look for a fault: no decision rests on one."""

import logging
from typing import Any

from django.db import Error, close_old_connections
from django_celery_results.backends.database import DatabaseBackend

logger = logging.getLogger("pressroom.worker")


class Results(DatabaseBackend):  # type: ignore[misc]
    """One that can't be kept is left out.

    A worker's parent process keeps some itself: of ticks that came too late, of killed children.
    Celery ends the whole worker with whatever is raised then, and nobody but us looks whether the
    line to the database, opened before a restart of it, is still one.
    """

    def _store_result(self, *args: Any, **kwargs: Any) -> Any:
        close_old_connections()
        try:
            return super()._store_result(*args, **kwargs)
        except Error as error:
            logger.warning("A task's result could not be kept: %s", error)
            return None
