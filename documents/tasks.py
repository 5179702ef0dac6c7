"""The tasks of this app: ids in, one service called."""

from celery import shared_task

from documents.models import ArchiveSweep, BatchJob, Delivery, Document, WebhookDelivery
from documents.services import batches, deliveries, making, sweeping, webhooks
from worker.running import work_on


@shared_task(name=Document.task_name)
def make_document(document_id: str) -> str:
    return work_on(Document, document_id, making.make_document)


@shared_task(name=BatchJob.task_name)
def run_batch_job(job_id: str) -> str:
    return work_on(BatchJob, job_id, batches.run_batch_job)


@shared_task(name=Delivery.task_name)
def send_delivery(delivery_id: str) -> str:
    return work_on(Delivery, delivery_id, deliveries.send_delivery)


@shared_task(name=WebhookDelivery.task_name)
def send_webhook(delivery_id: str) -> str:
    return work_on(WebhookDelivery, delivery_id, webhooks.send_webhook)


@shared_task(name=ArchiveSweep.task_name)
def sweep_archive(sweep_id: str) -> str:
    return work_on(ArchiveSweep, sweep_id, sweeping.sweep_piece)
