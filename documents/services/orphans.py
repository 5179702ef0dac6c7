"""Files in the archive that belong to nobody, removed after a while of grace.

A worker that died after it stored a file and before it recorded it leaves one, and so does one
that died while it wrote (a draft). They are counted before any is removed: an archive that was
joined to the wrong database, or to one restored from an old backup, must not be emptied.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.conf import settings
from django.db import models

from documents.archive import Archive, Found, archive
from documents.models import ArchiveSweep, BatchJob, Document

log = logging.getLogger("pressroom.archive")

# What lies elsewhere is never taken: the copies of logos (`assets`) are few and small, and each is
# named inside the snapshots of the papers that show it.
_COLLECTED = ("documents", "runs")
_AT_ONCE = 500
# More than this, or than a tenth of all documents, is no accident of single workers.
_ALWAYS_REMOVED = 100
_Stage = ArchiveSweep.Stage


@dataclass
class Tally:
    files: int = 0
    size: int = 0


def walk_folders(sweep: ArchiveSweep, deadline: float) -> None:
    """The work of one lease in the second and third stage: folder by folder until the deadline."""
    tally = Tally()
    for folder in archive().folders(after=sweep.folder):
        for strays in _chunks(_strays_in(folder)):
            _take(sweep, strays, tally)
        if time.monotonic() > deadline:
            _record(sweep, tally, folder=folder)
            return
    if sweep.stage == _Stage.REMOVING:
        sweep.finish(**_counted(sweep, tally))
    elif _is_plausible(sweep, sweep.strays + tally.files):
        _record(sweep, tally, stage=_Stage.REMOVING, folder="")
    else:
        sweep.finish(**_counted(sweep, tally))


def _strays_in(folder: str) -> Iterator[Found]:
    """Old files whose key no row names, and old drafts."""
    before = _grace_ended()
    old = (found for found in archive().files_in(folder) if found.modified < before)
    is_collected = folder.split("/")[0] in _COLLECTED
    for files in _chunks(old):
        used = keys_in_use([found.key for found in files if not found.is_draft])
        yield from (
            found for found in files if found.is_draft or (is_collected and found.key not in used)
        )


def keys_in_use(keys: list[str]) -> set[str]:
    """Which of these files a row names."""
    documents = Document.objects.across_companies().exclude(storage_key="")
    used = set(documents.filter(storage_key__in=keys).values_list("storage_key", flat=True))
    rest = [key for key in keys if key not in used]
    if rest:
        jobs = BatchJob.objects.filter(storage_key__in=rest)
        used |= set(jobs.values_list("storage_key", flat=True))
    return used


def _take(sweep: ArchiveSweep, strays: list[Found], tally: Tally) -> None:
    removing, store, before = sweep.stage == _Stage.REMOVING, archive(), _grace_ended()
    for found in strays:
        if _remove(store, found, before) if removing else not found.is_draft:
            tally.files += 1
            tally.size += found.size


def _remove(store: Archive, found: Found, before: float) -> bool:
    removed = store.remove(found.key, untouched_since=before)
    if removed:
        log.info("Removed a file of nobody: %s (%d bytes)", found.key, found.size)
    return removed


def _is_plausible(sweep: ArchiveSweep, strays: int) -> bool:
    if strays <= max(_ALWAYS_REMOVED, sweep.checked // 10):
        return True
    log.error(
        "%d files of the archive belong to nobody, beside %d documents: too many to be left by"
        " single workers, so none is removed. Is this the right database for the archive, and was"
        " it restored as far as the archive?",
        strays,
        sweep.checked,
    )
    return False


def _record(sweep: ArchiveSweep, tally: Tally, **changes: str) -> None:
    sweep.proceed(**changes, **_counted(sweep, tally))


def _counted(sweep: ArchiveSweep, tally: Tally) -> dict[str, models.expressions.Combinable]:
    if sweep.stage == _Stage.COUNTING:
        return {"strays": models.F("strays") + tally.files}
    return {
        "orphans": models.F("orphans") + tally.files,
        "orphan_bytes": models.F("orphan_bytes") + tally.size,
    }


def _grace_ended() -> float:
    """Files are dated by this machine's clock or the disk's, not by the database's."""
    return time.time() - settings.ORPHAN_GRACE.total_seconds()


def _chunks(files: Iterable[Found]) -> Iterator[list[Found]]:
    files = iter(files)
    while chunk := list(islice(files, _AT_ONCE)):
        yield chunk
