"""Leased work: a row that one worker at a time may claim, for a while, under a token.

The row is the truth and a Celery message only a nudge. A claim is one conditional UPDATE that
changed exactly one row; it counts the attempt, so that work which kills its worker stops after
`max_attempts`. Finish and fail filter on the token: a worker whose lease was swept can't overwrite
its successor. Every `now()` is the database's.
"""

import os
import socket
import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from worker.updating import update_one


class WorkState(models.TextChoices):
    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


def default_max_attempts() -> int:
    return int(settings.WORK_MAX_ATTEMPTS)


class LeasedWork(models.Model):
    """Abstract. A subclass names its `task_name`, and may rename its `done_state`."""

    task_name: ClassVar[str]
    done_state: ClassVar[str] = WorkState.DONE

    state = models.CharField(max_length=10, choices=WorkState.choices, default=WorkState.QUEUED)
    queue = models.CharField(max_length=20, default="interactive")
    # Fair order within a queue: a run takes turns from where the queue stands when it is planned,
    # so that two runs share the workers.
    turn = models.BigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=default_max_attempts)
    held = models.BooleanField(default=False, help_text="Paused: waits until it is released.")
    token = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    next_attempt_at = models.DateTimeField(db_default=Now(), editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    # host:pid of who claimed it last. A release before it may still insert rows meanwhile.
    claimed_by = models.CharField(max_length=100, blank=True, db_default="", editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    failure = models.TextField(blank=True, help_text="Why it failed, in a clerk's words.")
    failure_detail = models.TextField(blank=True, help_text="Why it failed, for operators.")

    class Meta:
        abstract = True

    @classmethod
    def due(cls) -> "models.QuerySet[Self]":
        """Queued work whose time has come, in fair order."""
        return cls._base_manager.filter(
            state=WorkState.QUEUED, held=False, next_attempt_at__lte=Now()
        ).order_by("turn", "created_at")

    @classmethod
    def time_limit(cls) -> int:
        """Seconds after which the process that works on it is killed."""
        return int(settings.CELERY_TASK_TIME_LIMIT)

    @classmethod
    def claim(cls, pk: Any) -> Self | None:
        """Take the row for one lease and count the attempt; None if it isn't there to be taken."""
        claimable = cls.due().order_by().filter(pk=pk, attempts__lt=models.F("max_attempts"))
        return update_one(
            claimable,
            state=WorkState.RUNNING,
            token=uuid.uuid4(),
            attempts=models.F("attempts") + 1,
            claimed_by=f"{socket.gethostname()}:{os.getpid()}"[:100],
            started_at=Now(),
            lease_expires_at=Now() + settings.WORK_LEASE,
        )

    def renew(self, **fields: Any) -> bool:
        """Push the lease's end away, and record how far the work is. False: the lease was lost,
        somebody else may be at it.
        """
        return self._change(lease_expires_at=Now() + settings.WORK_LEASE, **fields)

    def finish(self, **fields: Any) -> bool:
        """Record the work as done with its results. False: nothing was recorded, the lease is lost.

        Call it in the transaction that records everything else about the result.
        """
        return self._change(
            state=self.done_state,
            finished_at=Now(),
            failure="",
            failure_detail="",
            **_NO_LEASE,
            **fields,
        )

    def fail(self, *, reason: str, detail: str = "", retry: bool) -> bool:
        """Record a failure: queued again after a while if `retry` and attempts are left."""
        if retry and self.attempts < self.max_attempts:
            return self._change(
                state=WorkState.QUEUED,
                next_attempt_at=Now() + self.wait_before_next(),
                published_at=None,
                failure=reason,
                failure_detail=detail,
                **_NO_LEASE,
            )
        return self._change(
            state=WorkState.FAILED,
            finished_at=Now(),
            failure=reason,
            failure_detail=detail,
            **_NO_LEASE,
        )

    def release(self) -> bool:
        """Give the work back undone and uncounted, as where what it had read was overtaken."""
        return self._change(
            state=WorkState.QUEUED,
            attempts=models.F("attempts") - 1,
            published_at=None,
            **_NO_LEASE,
        )

    def proceed(self, **fields: Any) -> bool:
        """A piece of long work is done and recorded: queue the rest, with all its attempts."""
        return self._change(
            state=WorkState.QUEUED,
            attempts=0,
            published_at=None,
            next_attempt_at=Now(),
            **_NO_LEASE,
            **fields,
        )

    def put_off(self, until: datetime, **fields: Any) -> bool:
        """Not before `until`: give it back uncounted, as when a rate limit is used up."""
        return self._change(
            state=WorkState.QUEUED,
            attempts=models.F("attempts") - 1,
            published_at=None,
            next_attempt_at=until,
            **_NO_LEASE,
            **fields,
        )

    def wait_before_next(self) -> timedelta:
        """How long a failed attempt waits for the next one."""
        return back_off(self.attempts)

    @classmethod
    def settle_lost(cls) -> int:
        """Called before expired leases are queued again: a kind of work that must not be done
        twice moves its own to where a person decides. Returns how many.
        """
        return 0

    @classmethod
    def open_failures(cls) -> "models.QuerySet[Self]":
        """What failed for good and nobody has put away."""
        return cls._base_manager.filter(state=WorkState.FAILED)

    def _change(self, **values: Any) -> bool:
        mine = type(self)._base_manager.filter(
            pk=self.pk, state=WorkState.RUNNING, token=self.token
        )
        return mine.update(**values) == 1


_NO_LEASE: dict[str, Any] = {"token": None, "lease_expires_at": None}


def back_off(attempts: int) -> timedelta:
    """The wait before the next attempt: 2, 8, 32 ... seconds, ten minutes at most."""
    return timedelta(seconds=min(600, 2 * 4 ** (attempts - 1)))


def leased_models() -> list[type[LeasedWork]]:
    """Every concrete kind of leased work of the installed apps."""
    return [model for model in apps.get_models() if issubclass(model, LeasedWork)]
