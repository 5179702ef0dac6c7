"""One piece of paper to make, runs of many, and what becomes of them."""

from documents.models.batches import Batch, BatchItem, BatchJob, BatchState
from documents.models.deliveries import (
    UNSENT,
    Channel,
    Delivery,
    DeliveryState,
    MailSettings,
    MailTemplate,
)
from documents.models.documents import FINAL_STATES, Damage, Document, DocumentState
from documents.models.notifications import (
    Event,
    MailChoice,
    Notification,
    NotificationChoice,
    NotificationMail,
)
from documents.models.requests import DocumentRequest
from documents.models.schedules import Schedule, ScheduledRun
from documents.models.sweeps import ArchiveSweep
from documents.models.webhooks import (
    TEST_EVENT,
    WEBHOOK_EVENTS,
    WebhookDelivery,
    WebhookEndpoint,
)

__all__ = [
    "FINAL_STATES",
    "TEST_EVENT",
    "UNSENT",
    "WEBHOOK_EVENTS",
    "ArchiveSweep",
    "Batch",
    "BatchItem",
    "BatchJob",
    "BatchState",
    "Channel",
    "Damage",
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
    "NotificationMail",
    "Schedule",
    "ScheduledRun",
    "WebhookDelivery",
    "WebhookEndpoint",
]
