"""The tasks of this app: ids in, one service called."""

from celery import shared_task

from documents.models import BatchJob, Document
from documents.services import batches, making
from worker.running import work_on


@shared_task(name=Document.task_name)
def make_document(document_id: str) -> str:
    return work_on(Document, document_id, making.make_document)


@shared_task(name=BatchJob.task_name)
def run_batch_job(job_id: str) -> str:
    return work_on(BatchJob, job_id, batches.plan_batch)
