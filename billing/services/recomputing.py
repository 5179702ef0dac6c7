"""Recomputing balances: a run cut into chunks, each done by whoever claims it, closed at the end.

A company has one run at a time. A chunk that was recorded stays recorded; one that was lost is
done again by the next worker, and leaves nothing twice.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Mod, Now, RowNumber

from accounts.models import Company, User
from billing.dates import today
from billing.models import (
    BalanceDrift,
    Party,
    Recomputation,
    RecomputationChunk,
    RecomputationMode,
    RecomputationState,
)
from billing.services.correcting import correct_chunk, report_chunk
from documents.services.notifications import notify_of_finding
from worker.dispatching import sweep_leases
from worker.leasing import WorkState
from worker.nudging import nudge_on_commit
from worker.running import work_on

# A chunk of so many parties takes well under a second; a larger one is no cheaper by the party.
CHUNK = 20_000
_UNFINISHED = (WorkState.QUEUED, WorkState.RUNNING)
_LAST = 2**128 - 1
_LOOK_AGAIN = 0.2  # seconds


@dataclass(frozen=True)
class Started:
    """The company's open run: a new one, or the one that was found."""

    run: Recomputation
    is_new: bool


def start_recomputation(
    *,
    company: Company,
    mode: RecomputationMode,
    by: User | None,
    corrects: Recomputation | None = None,
    night_of: date | None = None,
) -> Started:
    """A committed run with its chunks, or the one that is open already.

    `corrects`: a report; only the parties that drift in it are compared again, and corrected.
    Raises ValidationError if that one is no finished report with a drift.
    """
    if corrects is not None:
        _require_correctable(corrects)
    try:
        with transaction.atomic():
            run = Recomputation.objects.create(
                company=company,
                number=_next(company),
                mode=mode,
                requested_by=by,
                corrects=corrects,
                night_of=night_of,
            )
            for chunk in RecomputationChunk.objects.bulk_create(_cut(run)):
                nudge_on_commit(chunk)
    except IntegrityError:
        found = _already(company, night_of)
        if found is None:
            raise
        return Started(found, is_new=False)
    return Started(run, is_new=True)


def _require_correctable(report: Recomputation) -> None:
    if report.applies or report.state != RecomputationState.DONE:
        raise ValidationError("Only a finished report can be applied.")
    if not report.drifting:
        raise ValidationError("Every balance is right: there is nothing to correct.")


def _next(company: Company) -> int:
    last = Recomputation.objects.for_company(company).aggregate(last=models.Max("number"))["last"]
    return (last or 0) + 1


def _already(company: Company, night_of: date | None) -> Recomputation | None:
    mine = Recomputation.objects.for_company(company)
    of_this_night = mine.filter(night_of=night_of) if night_of else mine.none()
    return mine.filter(state=RecomputationState.RUNNING).first() or of_this_night.first()


def _cut(run: Recomputation) -> list[RecomputationChunk]:
    """Ranges that follow each other from the first id there may be to the last."""
    parties = Party.all_objects.for_company(run.company)
    if run.corrects:
        drifting = BalanceDrift.objects.filter(recomputation=run.corrects)
        parties = parties.filter(pk__in=drifting.values("party"))
    count = parties.count()
    ends = [UUID(int=_LAST)]
    if count > CHUNK:
        ends = [*_every(parties, CHUNK)[: (count - 1) // CHUNK], *ends]
    firsts = [UUID(int=0), *(UUID(int=end.int + 1) for end in ends[:-1])]
    return [
        RecomputationChunk(
            recomputation=run,
            queue="recompute",
            position=position,
            first=first,
            last=last,
            parties=min(CHUNK, count - position * CHUNK),
        )
        for position, (first, last) in enumerate(zip(firsts, ends, strict=True))
    ]


def _every(parties: "models.QuerySet[Party]", step: int) -> list[UUID]:
    """The id of every `step`th party, in their order."""
    numbered = parties.annotate(place=models.Window(RowNumber(), order_by="pk"))
    nth = numbered.annotate(rest=Mod("place", step)).filter(rest=0)
    return list(nth.order_by("pk").values_list("pk", flat=True))


def start_nightly_recomputation() -> int:
    """A report a company and day of its own, however often it is called. Returns how many began.

    Where another run is open it is left for the next call.
    """
    began = 0
    for company in Company.objects.filter(_HAS_PARTIES):
        night_of = today(company)
        if not Recomputation.objects.for_company(company).filter(night_of=night_of).exists():
            started = start_recomputation(
                company=company, mode=RecomputationMode.REPORT, by=None, night_of=night_of
            )
            began += started.is_new
    return began


_HAS_PARTIES = models.Exists(
    Party.all_objects.across_companies().filter(company=models.OuterRef("pk"))
)


def recompute_chunk(chunk: RecomputationChunk) -> None:
    """The work of one lease."""
    runs = Recomputation.objects.across_companies().select_related(
        "company", "requested_by", "corrects"
    )
    run = runs.get(pk=chunk.recomputation_id)
    if run.is_final:
        _give_up(chunk)
        return
    if run.applies:
        correct_chunk(run, chunk)
    else:
        report_chunk(run, chunk)
    _close(run)


def _give_up(chunk: RecomputationChunk) -> None:
    """Its worker was lost, and its run cancelled before another took it."""
    mine = RecomputationChunk.objects.filter(
        pk=chunk.pk, token=chunk.token, state=WorkState.RUNNING
    )
    mine.update(state=WorkState.CANCELLED, finished_at=Now(), token=None, lease_expires_at=None)


def close_finished_recomputations() -> int:
    """Runs all of whose chunks are final. A sweep of any number of dispatchers at once."""
    running = Recomputation.objects.across_companies().filter(state=RecomputationState.RUNNING)
    return sum(_close(run) for run in running)


def _close(run: Recomputation) -> bool:
    """End it if no chunk of it is left to be done."""
    chunks = RecomputationChunk.objects.filter(recomputation=run)
    if chunks.filter(state__in=_UNFINISHED).exists():
        return False
    failed = chunks.filter(state=WorkState.FAILED).exists()
    with transaction.atomic():
        ended = _end(run, RecomputationState.FAILED if failed else RecomputationState.DONE)
        if ended and run.night_of:
            _tell_of_the_night(run)
    return ended


def _tell_of_the_night(run: Recomputation) -> None:
    """Nobody waits for a nightly report: its owners are told where it found something."""
    run.refresh_from_db()
    if not run.drifting and run.state != RecomputationState.FAILED:
        return
    drifts = "1 balance is" if run.drifting == 1 else f"{run.drifting} balances are"
    notify_of_finding(
        run.company,
        subject_id=run.pk,
        title=f"{drifts} not what the documents come to" if run.drifting else f"{run} failed",
        detail="The nightly report says which document is missing or counted twice.",
        url=run.get_absolute_url(),
    )


def _end(run: Recomputation, state: RecomputationState) -> bool:
    done = RecomputationChunk.objects.filter(recomputation=run, state=WorkState.DONE)
    sums = done.aggregate(
        **{
            name: models.Sum(name, default=0)
            for name in ("parties", "drifting", "corrected", "unneeded")
        }
    )
    mine = Recomputation.objects.for_company(run.company_id).filter(pk=run.pk)
    running = mine.filter(state=RecomputationState.RUNNING)
    return running.update(state=state, finished_at=Now(), **sums) == 1


def cancel_recomputation(*, run: Recomputation) -> None:
    """What is being done is finished and stays; what waits is not done. Raises ValidationError."""
    with transaction.atomic():
        if not _end(run, RecomputationState.CANCELLED):
            raise ValidationError(f"{run} is over already.")
        waiting = RecomputationChunk.objects.filter(recomputation=run, state=WorkState.QUEUED)
        waiting.update(state=WorkState.CANCELLED, finished_at=Now())


def finish_here(run: Recomputation, watch: Callable[[], None] = lambda: None) -> None:
    """Do the chunks of `run` in this process, beside any worker, until it is over.

    Needs neither broker nor dispatcher: leases that ran out are freed here too.
    """
    while not run.is_final:
        due = RecomputationChunk.due().filter(recomputation=run).order_by("position").first()
        if due is not None:
            work_on(RecomputationChunk, due.pk, recompute_chunk)
        else:
            time.sleep(_LOOK_AGAIN)  # another has the rest, or a failed attempt waits
            sweep_leases(RecomputationChunk)
            _close(run)
        watch()
        run.refresh_from_db()
