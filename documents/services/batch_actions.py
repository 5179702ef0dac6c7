"""What people do with a run: pause, resume, cancel, make again what failed, send what is unsent.

Each is one transaction with the company's runs locked, so that two people at once, or a person and
the dispatcher, come one after the other. What the second one finds done is refused in words.
"""

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Now

from accounts.audit import note
from accounts.models import User
from documents.models import Batch, BatchJob, BatchState, Delivery, DocumentState
from documents.services.batch_papers import (
    LIVE,
    cancel_papers,
    hold_papers,
    lock_runs,
    queue_papers_again,
    release_papers,
    wanted_by_a_run,
)
from documents.services.deliveries import (
    cancel_deliveries,
    pause_deliveries,
    resume_deliveries,
)
from worker.leasing import WorkState
from worker.nudging import nudge_on_commit


def pause_batch(*, batch: Batch, by: User | None) -> int:
    """What is being made is finished, the rest waits. Returns how many papers wait."""
    with transaction.atomic():
        lock_runs(batch)
        live = Batch.objects.for_company(batch.company_id).filter(pk=batch.pk, state__in=LIVE)
        if live.filter(is_paused=False).update(is_paused=True) != 1:
            raise ValidationError(_why_not(batch, "It is paused already."))
        _plan_job(batch, WorkState.QUEUED).update(held=True)
        held = hold_papers(batch)
        pause_deliveries(batch)
        batch.is_paused = True
        note([batch], {"run": ("going on", f"paused, {held} papers wait")}, by)
    return held


def resume_batch(*, batch: Batch, by: User | None) -> int:
    """Returns how many papers go on."""
    with transaction.atomic():
        lock_runs(batch)
        live = Batch.objects.for_company(batch.company_id).filter(pk=batch.pk, state__in=LIVE)
        if live.filter(is_paused=True).update(is_paused=False) != 1:
            raise ValidationError(_why_not(batch, "It is not paused."))
        _plan_job(batch, WorkState.QUEUED).update(held=False, published_at=None)
        released = release_papers(batch)
        resume_deliveries(batch)
        batch.is_paused = False
        note([batch], {"run": ("paused", f"going on, {released} papers")}, by)
    return released


def cancel_batch(*, batch: Batch, by: User | None) -> int:
    """Give up what is not made yet. Returns how many papers; what is made stays."""
    with transaction.atomic():
        lock_runs(batch)
        before = batch.get_state_display()
        live = Batch.objects.for_company(batch.company_id).filter(pk=batch.pk, state__in=LIVE)
        ended = live.update(state=BatchState.CANCELLED, finished_at=Now(), is_paused=False)
        if ended != 1:
            raise ValidationError(_why_not(batch, ""))
        _plan_job(batch, WorkState.QUEUED).update(
            state=WorkState.CANCELLED, held=False, finished_at=Now()
        )
        cancelled = cancel_papers(batch)
        hold_papers(batch)  # what only paused runs want now
        cancel_deliveries(_unsent_of(batch), by=by, reason="Its run was cancelled.")
        batch.state, batch.is_paused = BatchState.CANCELLED, False
        note([batch], {"run": (str(before), f"cancelled with {cancelled} papers")}, by)
    return cancelled


def retry_failed(*, batch: Batch, by: User | None, with_cancelled: bool = False) -> int:
    """Queue what failed once more, and what was cancelled if that is wanted; the run goes on, and
    its end is told again. Returns how many papers; none where only the planning failed.
    """
    states = (DocumentState.FAILED, *((DocumentState.CANCELLED,) if with_cancelled else ()))
    with transaction.atomic():
        lock_runs(batch)
        if batch.state == BatchState.CANCELLED and batch.planned_at is None:
            _plan_again(batch)
            queued = 0
        else:
            queued = queue_papers_again(batch, states)
            if not queued:
                raise ValidationError("Nothing of it is there to be made again.")
            _reopen(batch, BatchState.RUNNING)
            if batch.is_paused:
                hold_papers(batch)
        said = f"{queued} papers queued again" if queued else "planned again"
        note([batch], {"run": ("", said)}, by)
    return queued


def _plan_again(batch: Batch) -> None:
    # Done: a worker that found the run cancelled had nothing to plan.
    stopped = _plan_job(batch, WorkState.FAILED, WorkState.CANCELLED, WorkState.DONE)
    queued = stopped.update(
        state=WorkState.QUEUED,
        attempts=0,
        held=False,
        created_at=Now(),  # from when it counts how long it finds no quiet moment
        next_attempt_at=Now(),
        published_at=None,
        finished_at=None,
        failure="",
        failure_detail="",
    )
    if queued != 1:
        raise ValidationError("It is being planned at this moment: try again in a minute.")
    _reopen(batch, BatchState.PLANNING)
    nudge_on_commit(_plan_job(batch, WorkState.QUEUED).get())


def _reopen(batch: Batch, state: BatchState) -> None:
    ended = Batch.objects.for_company(batch.company_id).filter(pk=batch.pk).exclude(state__in=LIVE)
    if ended.update(state=state, finished_at=None, announced_at=None, is_paused=False) == 1:
        batch.state, batch.finished_at, batch.is_paused = state, None, False


def _plan_job(batch: Batch, *states: WorkState) -> "models.QuerySet[BatchJob]":
    return BatchJob.objects.filter(batch=batch, step=BatchJob.Step.PLAN, state__in=states)


def _unsent_of(batch: Batch) -> "models.QuerySet[Delivery]":
    """But for those that another run, which sends its papers too, asks for."""
    sharing = wanted_by_a_run(batch, document="document", batch__send=True)
    return Delivery.objects.for_company(batch.company_id).filter(~sharing, batch=batch)


def _why_not(batch: Batch, otherwise: str) -> str:
    ended = {BatchState.DONE: "It is done already.", BatchState.CANCELLED: "It is cancelled."}
    return ended.get(BatchState(batch.state), otherwise)
