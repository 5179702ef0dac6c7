"""The walk through the archive: what is missing, what changed, what belongs to nobody."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from django.db import models, transaction
from django.db.models.functions import Coalesce, Now
from django.urls import reverse

from accounts.models import Company
from documents.integrity import damage_of
from documents.models import ArchiveSweep, Damage, Document, DocumentState
from documents.services import notifications
from documents.services.orphans import walk_folders
from worker.leasing import WorkState
from worker.nudging import nudge_on_commit

log = logging.getLogger("pressroom.archive")

# Beside the runs: between two pieces a worker takes what else waits in this queue.
QUEUE = "batch"
_FILES_A_PIECE = 2000
_SECONDS_A_PIECE = 10.0
_MOST_LOGGED = 20
_EVERY = timedelta(days=1)
_AFTER_A_FAILURE = timedelta(hours=1)
_OPEN = (WorkState.QUEUED, WorkState.RUNNING)

Checked = dict[str, list[Document]]


def start_sweep() -> ArchiveSweep:
    """The sweep that is under way, or a new one: two that are started at once are one."""
    sweep = ArchiveSweep(queue=QUEUE)
    with transaction.atomic():
        ArchiveSweep.objects.bulk_create([sweep], ignore_conflicts=True)
        ours = models.Q(pk=sweep.pk) | models.Q(queue=QUEUE, state__in=_OPEN)
        found = ArchiveSweep.objects.filter(ours).first()
        if found is not None and found.pk == sweep.pk:
            nudge_on_commit(found)
    return found or start_sweep()  # the other one ended between the two statements


def start_due_sweep() -> bool:
    """Once a day, however often it is asked; after one that failed, an hour later."""
    failed = models.Q(state=WorkState.FAILED)
    recent = ArchiveSweep.objects.filter(
        models.Q(state__in=_OPEN)
        | ~failed & models.Q(created_at__gt=Now() - _EVERY)
        | failed & models.Q(finished_at__gt=Now() - _AFTER_A_FAILURE)
    )
    if recent.exists():
        return False
    start_sweep()
    return True


def sweep_piece(sweep: ArchiveSweep) -> None:
    """The work of one lease: look at the next files, then proceed or finish."""
    deadline = time.monotonic() + _SECONDS_A_PIECE
    if sweep.stage == ArchiveSweep.Stage.DOCUMENTS:
        _check_documents(sweep, deadline)
    else:
        walk_folders(sweep, deadline)


def recheck_damaged(*, company: Company, seconds: float = 5.0) -> int:
    """Look at a company's damaged files again, for so long; returns how many are whole again."""
    damaged = Document.objects.for_company(company).exclude(damage="").order_by("checked_at")
    checked = _check(damaged[:_FILES_A_PIECE], time.monotonic() + seconds)
    with transaction.atomic():
        _mark(checked)
    return len(checked[""])


def _check_documents(sweep: ArchiveSweep, deadline: float) -> None:
    documents = Document.objects.across_companies().filter(state=DocumentState.READY)
    if sweep.cursor is not None:
        documents = documents.filter(pk__gt=sweep.cursor)
    checked = _check(documents.order_by("pk")[:_FILES_A_PIECE], deadline)
    seen = [document.pk for found in checked.values() for document in found]
    if not seen:
        _tell_and_go_on(sweep)
        return
    with transaction.atomic():
        _mark(checked)
        sweep.proceed(
            cursor=max(seen),
            checked=models.F("checked") + len(seen),
            missing=models.F("missing") + len(checked[Damage.MISSING]),
            changed=models.F("changed") + len(checked[Damage.CHANGED]),
        )


def _check(documents: "models.QuerySet[Document]", deadline: float) -> Checked:
    """Documents by what is wrong with their files: at least one, and more until the deadline."""
    checked: Checked = defaultdict(list)
    for document in documents.only("company_id", "storage_key", "sha256", "damage"):
        checked[damage_of(document)].append(document)
        if time.monotonic() > deadline:
            break
    return checked


def _mark(checked: Checked) -> None:
    for damage, documents in checked.items():
        Document._base_manager.filter(pk__in=[document.pk for document in documents]).update(
            checked_at=Now(),
            damage=damage,
            damaged_at=Coalesce("damaged_at", Now()) if damage else None,
        )
        if damage:
            _log(damage, [document for document in documents if document.damage != damage])


def _log(damage: str, documents: list[Document]) -> None:
    for document in documents[:_MOST_LOGGED]:
        key, company = document.storage_key, document.company_id
        log.error(
            "The file of document %s is %s: %s (company %s)", document.pk, damage, key, company
        )
    if len(documents) > _MOST_LOGGED:
        log.error("%d more files are %s.", len(documents) - _MOST_LOGGED, damage)


def _tell_and_go_on(sweep: ArchiveSweep) -> None:
    """Every document was looked at. Each company is told once of what was found since last time."""
    told = ArchiveSweep.objects.aggregate(last=models.Max("told_at"))["last"]
    with transaction.atomic():
        if sweep.proceed(stage=ArchiveSweep.Stage.COUNTING, told_at=Now()):
            for company, count in _newly_damaged(told):
                notifications.notify_of_damage(company, count, reverse("documents:archive"))


def _newly_damaged(since: object) -> Iterable[tuple[Company, int]]:
    damaged = Document.objects.across_companies().exclude(damage="")
    if since is not None:
        damaged = damaged.filter(damaged_at__gte=since)
    counts = dict(damaged.order_by().values_list("company").annotate(models.Count("pk")))
    companies = Company.objects.in_bulk(list(counts))
    return [(companies[pk], count) for pk, count in counts.items()]
