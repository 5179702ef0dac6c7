"""One piece of paper to make, runs of many, and what becomes of them."""

from documents.models.batches import Batch, BatchItem, BatchJob, BatchState
from documents.models.deliveries import (
    Channel,
    Delivery,
    DeliveryState,
    MailSettings,
    MailTemplate,
)
from documents.models.documents import FINAL_STATES, Document, DocumentState
from documents.models.notifications import Event, MailChoice, Notification, NotificationChoice
from documents.models.requests import DocumentRequest
from documents.models.schedules import Schedule, ScheduledRun
from documents.models.sweeps import ArchiveSweep
from documents.models.webhooks import WebhookDelivery, WebhookEndpoint

__all__ = [
    "FINAL_STATES",
    "ArchiveSweep",
    "Batch",
    "BatchItem",
    "BatchJob",
    "BatchState",
    "Channel",
    "Delivery",
    "DeliveryState",
    "Document",
    "DocumentRequest",
    "DocumentState",
    "Event",
    "MailChoice",
    "MailSettings",
    "MailTemplate",
    "Notification",
    "NotificationChoice",
    "Schedule",
    "ScheduledRun",
    "WebhookDelivery",
    "WebhookEndpoint",
]
