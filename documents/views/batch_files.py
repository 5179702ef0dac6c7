"""A run's papers in one file: what a worker made, or, of a small run, a ZIP made as it is sent."""

import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import View

from accounts.access import CompanyRequest, MemberMixin
from accounts.exports import note_export
from documents.archive import Damaged, archive, in_chunks
from documents.bundles import Part, digest_of, zipped, zipped_size
from documents.filenames import content_disposition
from documents.models import Batch, BatchJob
from documents.selectors import all_batches
from documents.selectors.bundles import Bundle, bundle_of
from documents.views.ranges import Download, Span, hand_out, part_of, stored_file

log = logging.getLogger(__name__)

_TYPES = {BatchJob.Step.ZIP: "application/zip", BatchJob.Step.MERGE: "application/pdf"}
_SUFFIXES = {BatchJob.Step.ZIP: ".zip", BatchJob.Step.MERGE: ".pdf"}


class BatchFileView(MemberMixin, View):
    """`step` is the ZIP or the merged PDF."""

    http_method_names = ["get", "head", "options"]
    step = BatchJob.Step.ZIP

    def get(self, request: CompanyRequest, pk: UUID, **kwargs: Any) -> HttpResponseBase:
        batch = all_batches(request.company).filter(pk=pk).first()
        if batch is None:
            raise Http404("No such run.")
        bundle = bundle_of(batch)
        download = self._download(batch, bundle)
        if download is None:
            return self._explain(batch, "missing", status=409)
        try:
            response = hand_out(request, download)
        except Damaged as error:
            log.error("The %s of run %s can't be downloaded: %s", self.step, batch.pk, error)
            return self._explain(batch, "damaged", status=500)
        note_export(request, f"{self.step.label} of the run {batch.pk}")
        return response

    def _download(self, batch: Batch, bundle: Bundle) -> Download | None:
        job = bundle.jobs.get(self.step)
        if job is not None and job.storage_key and not bundle.may_stream(self.step):
            return self._stored(batch, job)
        return self._streamed(batch, bundle.parts) if bundle.may_stream(self.step) else None

    def _stored(self, batch: Batch, job: BatchJob) -> Download:
        return stored_file(
            key=job.storage_key,
            sha256=job.sha256,
            size=job.size,
            content_type=_TYPES[self.step],
            disposition=self._disposition(batch),
        )

    def _streamed(self, batch: Batch, parts: list[Part]) -> Download:
        def read(span: Span) -> Iterator[bytes]:
            for part in parts:
                _checked(part).close()  # while it can still be said which one is damaged
            return part_of(zipped(parts, _content, batch.created_at), span)

        return Download(
            size=zipped_size(parts, batch.created_at),
            etag=digest_of(parts),
            content_type=_TYPES[self.step],
            disposition=self._disposition(batch),
            read=read,
        )

    def _disposition(self, batch: Batch) -> str:
        return content_disposition(batch.title, _SUFFIXES[self.step], inline=False)

    def _explain(self, batch: Batch, why: str, *, status: int) -> HttpResponse:
        context = {"batch": batch, "company": self.request.company, "section": "runs", "why": why}
        context |= {"file": self.step.label}
        return render(self.request, "documents/no_file.html", context, status=status)


class _DamagedPart(Damaged):
    """A paper of the run; its title is the argument."""


def _checked(part: Part) -> Any:
    try:
        return archive().open_checked(part.storage_key, part.sha256)
    except Damaged as error:
        raise _DamagedPart(part.title) from error


def _content(part: Part) -> Iterator[bytes]:
    return in_chunks(_checked(part))
