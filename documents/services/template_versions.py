"""Which template prints a row: the one of the version that its fingerprint was taken with.

While an installation is upgraded, processes of two versions are at work for a while, and rows that
were asked for before wait for those that came after. What is printed under a fingerprint is printed
by its own version: the paper is stored for ever, and asked for again it is found.
"""

import logging
from datetime import timedelta

from django.db import IntegrityError, transaction

from documents.fingerprints import fingerprint_of
from documents.models import BatchJob, Document
from documents.papers import PaperKind
from worker.clock import database_now
from worker.running import WorkFailed

logger = logging.getLogger("pressroom.worker")

# Long enough that a worker of the version before does little else than its own work meanwhile.
_UNTIL_A_NEWER_WORKER = timedelta(seconds=10)
_ANOTHER_TEMPLATE = (
    "It was asked for before the last upgrade, which changed how it is printed: ask for it anew, "
    "or, where a run asked for it, start the run anew."
)
_ASKED_FOR_SINCE = (
    "It was asked for before the last upgrade, and once more since: there is a newer version of it."
)


def is_printed_here(document: Document, kind: PaperKind) -> bool:
    """Whether this process's template prints this row. False: it was given back, uncounted.

    A row of an earlier version was never made, so nobody has it: it is made under the present
    version where that reads its snapshot. Raises WorkFailed where it does not.
    """
    if document.template_version > kind.version:
        _leave_to_a_newer_worker(document, kind)
        return False
    if document.template_version < kind.version:
        if document.template_version < kind.oldest_read:
            raise WorkFailed(_ANOTHER_TEMPLATE, _versions(document, kind))
        return _take_over(document, kind)
    return True


def _leave_to_a_newer_worker(document: Document, kind: PaperKind) -> None:
    document.put_off(database_now() + _UNTIL_A_NEWER_WORKER)
    logger.warning("%s: a worker of a newer version is needed.", _versions(document, kind))


def _take_over(document: Document, kind: PaperKind) -> bool:
    """Under the lease, and for good: version and fingerprint are those of what is printed now."""
    before, after = (
        document.fingerprint,
        fingerprint_of(document.kind, kind.version, document.locale, document.snapshot),
    )
    logger.info("%s: it is made with the present one.", _versions(document, kind))
    try:
        with transaction.atomic():
            if not document.renew(template_version=kind.version, fingerprint=after):
                return False
            # The covering list of a run is found by its fingerprint.
            covers = BatchJob.objects.filter(batch__company=document.company_id, contents=before)
            covers.filter(step=BatchJob.Step.COVER).update(contents=after)
    except IntegrityError as error:
        raise WorkFailed(_ASKED_FOR_SINCE, f"Its fingerprint would be {after}.") from error
    document.template_version, document.fingerprint = kind.version, after
    return True


def _versions(document: Document, kind: PaperKind) -> str:
    return (
        f"Document {document.pk} is of version {document.template_version} of {kind.name!r}, "
        f"and this process prints version {kind.version}"
    )
