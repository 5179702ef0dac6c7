"""The canary: a paper made end to end at intervals. Its age is what tells that papers are made.

A worker that answers, a queue that is short and a broker that is up have all been seen while
nothing was made. One paper that went all the way has not.
"""

import time
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Now

from documents.archive import Damaged, archive
from documents.models import Canary
from documents.rendering import RenderError, render_paper
from documents.selectors.canaries import CANARY_QUEUES
from worker.clock import database_now
from worker.leasing import WorkState
from worker.nudging import nudge_on_commit
from worker.running import TryAgain, WorkFailed

_KEPT = timedelta(minutes=10)
# Below the papers of documents: what a worker that died left there, the sweep takes.
_FOLDER = "documents/canaries"
_FINAL = (WorkState.DONE, WorkState.FAILED, WorkState.CANCELLED)


def start_canaries() -> int:
    """One a queue, where the one before has ended; then remove the old. Returns how many."""
    started = 0
    for queue in CANARY_QUEUES if settings.CANARY_SECONDS else ():
        canary = Canary(queue=queue)
        with transaction.atomic():
            Canary.objects.bulk_create([canary], ignore_conflicts=True)
            if Canary.objects.filter(pk=canary.pk).exists():
                nudge_on_commit(canary)
                started += 1
    remove_old_canaries()
    return started


def make_canary(canary: Canary) -> None:
    """The work of one lease: as of a paper that somebody asked for, and read back at the end."""
    snapshot = {
        "locale": "en_GB",
        "page_size": "A4",
        "company": {"legal_name": "Pressroom", "logo": None},
        "party": {},
        "mark": f"{canary.pk} {canary.queue}",
    }
    try:
        rendered = render_paper(template="pdf/canary.html", snapshot=snapshot, assets={})
        stored = archive().store(rendered.content, folder=_FOLDER, suffix=".pdf")
        archive().open_checked(stored.key, stored.sha256).close()
    except RenderError as error:
        raise WorkFailed(error.reason, detail=repr(error)) from error
    except (OSError, Damaged) as error:
        raise TryAgain("The archive did not keep it.", detail=str(error)) from error
    took = database_now() - canary.created_at
    canary.finish(
        storage_key=stored.key,
        sha256=stored.sha256,
        milliseconds=max(0, took // timedelta(milliseconds=1)),
    )


def remove_old_canaries() -> int:
    """Rows and files; the last one that came back stays, since its age is what counts."""
    newest = (
        Canary.objects.filter(state=WorkState.DONE, queue=models.OuterRef("queue"))
        .order_by("-finished_at")
        .values("pk")[:1]
    )
    old = list(
        Canary.objects.filter(state__in=_FINAL, finished_at__lt=Now() - _KEPT).exclude(
            pk=models.Subquery(newest)
        )
    )
    for canary in old:
        if canary.storage_key:
            archive().remove(canary.storage_key, untouched_since=time.time() + 60)
    return Canary.objects.filter(pk__in=[canary.pk for canary in old]).delete()[0]
