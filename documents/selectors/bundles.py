"""What pages and services read about the files of a run: its papers, and what was made of them."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from documents.bundles import Part, digest_of
from documents.models import FINAL_STATES, Batch, BatchJob, Document, DocumentState
from documents.papers import run_kinds
from worker.leasing import WorkState

FILE_STEPS = (BatchJob.Step.ZIP, BatchJob.Step.MERGE)
# Each is read through once before the first byte is sent.
_MOST_BYTES_NOW = 64 * 1024 * 1024
_UNFINISHED = (WorkState.QUEUED, WorkState.RUNNING)


@dataclass(frozen=True)
class Cover:
    """The covering list of a run: a job that asks for it, and a paper once it has."""

    job: BatchJob | None
    document: Document | None

    @property
    def is_coming(self) -> bool:
        if self.job is not None and self.job.state in _UNFINISHED:
            return True
        return self.document is not None and self.document.state not in FINAL_STATES


def has_cover(kind: str) -> bool:
    """Whether runs of this kind have a covering list."""
    return any(known.name == kind and known.cover for known in run_kinds())


def jobs_of(batch: Batch) -> dict[str, BatchJob]:
    """The steps of a run by their names."""
    return {job.step: job for job in BatchJob.objects.filter(batch=batch)}


def cover_of(batch: Batch, jobs: dict[str, BatchJob]) -> Cover:
    job = jobs.get(BatchJob.Step.COVER)
    if job is None or not job.contents:
        return Cover(job, None)
    asked_for = Document.objects.for_company(batch.company_id).filter(fingerprint=job.contents)
    return Cover(job, asked_for.first())


def parts_of(batch: Batch, cover: Cover) -> list[Part]:
    """The papers of a run that are ready, in its order, the covering list first."""
    ready = batch.items.filter(document__state=DocumentState.READY).order_by("position", "pk")
    rows = ready.values_list(
        "document_id",
        "code",
        "name",
        "document__storage_key",
        "document__sha256",
        "document__size",
    )
    papers = [
        Part(pk, f"{code} {name}".strip(), key, digest, size)
        for pk, code, name, key, digest, size in rows
    ]
    return [*_first(cover.document), *papers]


def is_current(job: BatchJob, parts: list[Part]) -> bool:
    """Whether its file still has the right papers."""
    return job.contents == digest_of(parts)


def _first(document: Document | None) -> list[Part]:
    if document is None or not document.is_ready:
        return []
    return [
        Part(document.pk, "00 Covering list", document.storage_key, document.sha256, document.size)
    ]


@dataclass(frozen=True)
class Bundle:
    """A run's jobs, covering list and, where it is over, the papers that a file of it has."""

    batch: Batch
    jobs: dict[str, BatchJob]
    cover: Cover
    parts: list[Part]

    @property
    def cover_id(self) -> UUID | None:
        return self.cover.document.pk if self.cover.document else None

    def may_stream(self, step: str) -> bool:
        """Whether the file of a small run can be made while it is sent."""
        return (
            step == BatchJob.Step.ZIP
            and self.batch.is_final
            and 0 < len(self.parts) <= settings.FILE_NOW_LIMIT
            and sum(part.size for part in self.parts) <= _MOST_BYTES_NOW
            and self._cover_is_settled
        )

    @property
    def _cover_is_settled(self) -> bool:
        if not has_cover(self.batch.kind):
            return True
        return self.cover.document is not None and not self.cover.is_coming


def bundle_of(batch: Batch) -> Bundle:
    """Two queries, and two more where there are papers in it."""
    jobs = jobs_of(batch)
    cover = cover_of(batch, jobs)
    return Bundle(batch, jobs, cover, parts_of(batch, cover) if batch.is_final else [])


@dataclass(frozen=True)
class FileFacts:
    """What the page of a run says of its ZIP or merged PDF."""

    step: str
    label: str
    job: BatchJob | None
    streams: bool
    is_old: bool

    @property
    def is_moving(self) -> bool:
        return self.job is not None and self.job.state in _UNFINISHED

    @property
    def is_there(self) -> bool:
        return self.streams or (self.job is not None and bool(self.job.storage_key))

    @property
    def percent(self) -> int:
        return 100 * self.job.done // self.job.total if self.job and self.job.total else 0


def describe_files(bundle: Bundle) -> list[FileFacts]:
    """Of a run that is over and has papers; nothing of others."""
    papers = [part for part in bundle.parts if part.document_id != bundle.cover_id]
    return [_facts(bundle, step) for step in FILE_STEPS] if papers else []


def _facts(bundle: Bundle, step: BatchJob.Step) -> FileFacts:
    job = bundle.jobs.get(step)
    streams = bundle.may_stream(step)
    made = job is not None and bool(job.storage_key)
    old = made and not streams and job is not None and not is_current(job, bundle.parts)
    return FileFacts(step, step.label, job, streams, old)
