"""The tasks of this app: ids in, one service called."""

from celery import shared_task

from documents.models import (
    ArchiveSweep,
    BatchJob,
    Canary,
    Delivery,
    Document,
    NotificationMail,
    WebhookDelivery,
)
from documents.services import (
    batches,
    canary,
    digests,
    making,
    schedules,
    sending,
    sweeping,
    webhook_sending,
)
from worker.running import work_on


@shared_task(name=Document.task_name)
def make_document(document_id: str) -> str:
    return work_on(Document, document_id, making.make_document)


@shared_task(name=BatchJob.task_name, time_limit=BatchJob.time_limit())
def run_batch_job(job_id: str) -> str:
    return work_on(BatchJob, job_id, batches.run_batch_job)


@shared_task(name=Delivery.task_name)
def send_delivery(delivery_id: str) -> str:
    return work_on(Delivery, delivery_id, sending.send_delivery)


@shared_task(name=WebhookDelivery.task_name)
def send_webhook(delivery_id: str) -> str:
    return work_on(WebhookDelivery, delivery_id, webhook_sending.send_webhook)


@shared_task(name=NotificationMail.task_name)
def send_notification_mail(mail_id: str) -> str:
    return work_on(NotificationMail, mail_id, digests.send_notification_mail)


@shared_task(name="documents.send_due_digests")
def send_due_digests() -> int:
    return digests.send_due_digests()


@shared_task(name=ArchiveSweep.task_name)
def sweep_archive(sweep_id: str) -> str:
    return work_on(ArchiveSweep, sweep_id, sweeping.sweep_piece)


@shared_task(name="documents.start_archive_sweep")
def start_archive_sweep() -> bool:
    return sweeping.start_due_sweep()


@shared_task(name="documents.start_due_schedules")
def start_due_schedules() -> int:
    return schedules.start_due_schedules()


@shared_task(name=Canary.task_name)
def make_canary(canary_id: str) -> str:
    return work_on(Canary, canary_id, canary.make_canary)


@shared_task(name="documents.start_canaries")
def start_canaries() -> int:
    return canary.start_canaries()
