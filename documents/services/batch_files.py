"""A run's papers as one ZIP and one PDF, the covering list first, made by a worker."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any, BinaryIO, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now

from accounts.audit import note
from accounts.models import User
from documents.archive import Damaged, archive, in_chunks
from documents.bundles import NotReadable, Part, digest_of, merged, zipped
from documents.models import Batch, BatchJob, Document, DocumentState
from documents.papers import run_kind
from documents.selectors.bundles import FILE_STEPS, cover_of, has_cover, jobs_of, parts_of
from documents.services.batch_papers import lock_runs, turn_of_queue
from documents.services.requests import insert_documents, queue_again
from worker.clock import database_now
from worker.leasing import WorkState
from worker.nudging import nudge_on_commit
from worker.running import WorkFailed

_UNFINISHED = (WorkState.QUEUED, WorkState.RUNNING)
_LOOK_AGAIN = timedelta(seconds=1)
_TELL_EVERY = 0.5
_AS_NEW: dict[str, Any] = {
    "state": WorkState.QUEUED,
    "attempts": 0,
    "token": None,
    "lease_expires_at": None,
    "next_attempt_at": Now(),
    "published_at": None,
    "started_at": None,
    "finished_at": None,
    "failure": "",
    "failure_detail": "",
    "done": 0,
    "total": 0,
}


def request_file(*, batch: Batch, step: BatchJob.Step, by: User | None) -> BatchJob:
    """The job that makes the ZIP or the merged PDF of what is ready: begun, or found at it."""
    if step not in FILE_STEPS:
        raise ValueError(f"{step} makes no file.")
    with transaction.atomic():
        lock_runs(batch)
        if not batch.is_final:
            raise ValidationError("The run goes on: wait until its papers are made.")
        if not batch.items.filter(document__state=DocumentState.READY).exists():
            raise ValidationError("None of its papers is ready.")
        job, is_new = BatchJob.objects.get_or_create(
            batch=batch, step=step, defaults={"queue": "batch"}
        )
        ended = BatchJob.objects.filter(pk=job.pk).exclude(state__in=_UNFINISHED)
        if is_new or ended.update(**_AS_NEW) == 1:
            request_covers([batch])
            note([batch], {"run": ("", f"{job.get_step_display()} asked for")}, by)
            nudge_on_commit(job)
    return job


def cancel_file(*, batch: Batch, step: BatchJob.Step, by: User | None) -> None:
    """A worker that is at it notices when it next tells how far it is."""
    with transaction.atomic():
        moving = BatchJob.objects.filter(batch=batch, step=step, state__in=_UNFINISHED)
        cancelled = moving.update(
            state=WorkState.CANCELLED, finished_at=Now(), token=None, lease_expires_at=None
        )
        if cancelled != 1:
            raise ValidationError("It is not being made any more.")
        note([batch], {"run": ("", f"{BatchJob.Step(step).label} cancelled")}, by)


def request_covers(batches: Iterable[Batch]) -> None:
    """Have the covering lists of these runs made, or made again: two statements in all."""
    wanted = [batch for batch in batches if has_cover(batch.kind)]
    if not wanted:
        return
    step = BatchJob.Step.COVER
    BatchJob.objects.bulk_create(
        [BatchJob(batch=batch, step=step, queue="batch") for batch in wanted],
        ignore_conflicts=True,
    )
    jobs = BatchJob.objects.filter(batch__in=[batch.pk for batch in wanted], step=step)
    jobs.exclude(state=WorkState.QUEUED, attempts=0).update(**_AS_NEW)


def request_cover(batch: Batch, by: User | None) -> Document:
    """The covering list as the run stands now: found, or queued."""
    maker = run_kind(batch.kind).cover
    if maker is None:
        raise WorkFailed("Runs of this kind have no covering list.")
    paper = maker(batch)
    with transaction.atomic():
        [document] = insert_documents(
            company=batch.company,
            papers=[paper],
            by=by,
            queue="batch",
            first_turn=turn_of_queue(),
        )
        before = str(document.get_state_display())
        stopped = document.state in (DocumentState.FAILED, DocumentState.CANCELLED)
        if stopped and queue_again(document):
            note([document], {"state": (before, "queued again")}, by)
        if document.state == DocumentState.QUEUED:
            nudge_on_commit(document)
    return document


def make_cover(job: BatchJob) -> None:
    """The work of one lease."""
    document = request_cover(job.batch, job.batch.requested_by)
    job.finish(contents=document.fingerprint)


def make_zip(job: BatchJob) -> None:
    """The work of one lease."""

    def write(parts: Sequence[Part], told: "_Told") -> Iterator[bytes]:
        return zipped(parts, told.before(_content), job.batch.created_at)

    _make(job, ".zip", write)


def make_merged(job: BatchJob) -> None:
    """The work of one lease."""
    batch = job.batch

    def write(parts: Sequence[Part], told: "_Told") -> Iterator[bytes]:
        return merged(
            _opened(parts, told.before(open_part)),
            title=batch.title,
            author=batch.company.legal_name,
            moment=batch.created_at,
            identifier=digest_of(parts),
        )

    _make(job, ".pdf", write)


Read = TypeVar("Read")
Write = Callable[[Sequence[Part], "_Told"], Iterator[bytes]]


def _make(job: BatchJob, suffix: str, write: Write) -> None:
    """Raises WorkFailed with the paper named where one is damaged."""
    cover = cover_of(job.batch, jobs_of(job.batch))
    if cover.is_coming:
        job.put_off(database_now() + _LOOK_AGAIN)
        return
    parts = parts_of(job.batch, cover)
    if not parts:
        raise WorkFailed("None of its papers is ready.")
    try:
        stored = archive().store_chunks(
            write(parts, _Told(job, len(parts))),
            folder=f"runs/{job.batch.company_id}",
            suffix=suffix,
        )
    except NotReadable as error:
        title, detail = error.args
        raise WorkFailed(f"The stored paper of {title} can't be read.", detail) from error
    job.finish(
        storage_key=stored.key,
        sha256=stored.sha256,
        size=stored.size,
        contents=digest_of(parts),
        done=len(parts),
        total=len(parts),
    )


class _Told:
    """Tells now and then how many papers were read."""

    def __init__(self, job: BatchJob, total: int) -> None:
        self._job, self._total = job, total
        self._done = 0
        self._next = time.monotonic()

    def before(self, read: Callable[[Part], Read]) -> Callable[[Part], Read]:
        def told(part: Part) -> Read:
            if time.monotonic() >= self._next:
                self._tell()
            self._done += 1
            return read(part)

        return told

    def _tell(self) -> None:
        if not self._job.renew(done=self._done, total=self._total):
            raise WorkFailed("It was cancelled, or given to another worker.")
        self._next = time.monotonic() + _TELL_EVERY


def open_part(part: Part) -> BinaryIO:
    """The file, its hash checked. Raises WorkFailed."""
    try:
        return archive().open_checked(part.storage_key, part.sha256)
    except Damaged as error:
        reason = f"The stored paper of {part.title} is damaged or missing."
        raise WorkFailed(reason, str(error)) from error


def _content(part: Part) -> Iterator[bytes]:
    return in_chunks(open_part(part))


def _opened(
    parts: Iterable[Part], opened: Callable[[Part], BinaryIO]
) -> Iterator[tuple[str, BinaryIO]]:
    for part in parts:
        with closing(opened(part)) as file:
            yield part.title, file
