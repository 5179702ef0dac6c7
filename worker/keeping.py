"""Keeps a lease while its work goes on, from a thread with a database connection of its own."""

import logging
import threading
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import connection

from worker.leasing import LeasedWork

logger = logging.getLogger("pressroom.worker")

# Seconds that a renewal, of which the database has not answered yet, may hold up the work's end.
_LAST_RENEWAL = 5.0


class LeaseKeeper:
    """`with LeaseKeeper(work):` renews the lease every third of its length.

    Work shorter than that never touches the database from here. A process that is killed or
    stopped renews no more, which is how the dispatcher learns of it.
    """

    def __init__(self, work: LeasedWork) -> None:
        self._work = work
        self._every = settings.WORK_LEASE.total_seconds() / 3
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="lease-keeper")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join(timeout=_LAST_RENEWAL)

    def _run(self) -> None:
        while not self._done.wait(self._every):
            try:
                if not self._work.renew():
                    logger.warning("The lease of %s was lost.", self._work.pk)
                    return
            except Exception:  # whatever it was: a thread that ends here renews no more
                logger.warning(
                    "The lease of %s could not be renewed.", self._work.pk, exc_info=True
                )
            finally:
                self._close()

    def _close(self) -> None:
        try:
            connection.close()
        except Exception:  # the next renewal finds out
            logger.warning("The keeper's connection could not be closed.", exc_info=True)
