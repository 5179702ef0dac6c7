"""One piece of paper to make, runs of many, and what becomes of them."""

from documents.models.batches import Batch, BatchItem, BatchJob, BatchState
from documents.models.canaries import Canary
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
from documents.models.tallies import RENDER_EDGES, SIZE_EDGES, PaperMinute, PaperTally
from documents.models.webhooks import (
    TEST_EVENT,
    WEBHOOK_EVENTS,
    WebhookDelivery,
    WebhookEndpoint,
)

__all__ = [
    "FINAL_STATES",
    "RENDER_EDGES",
    "SIZE_EDGES",
    "TEST_EVENT",
    "UNSENT",
    "WEBHOOK_EVENTS",
    "ArchiveSweep",
    "Batch",
    "BatchItem",
    "BatchJob",
    "BatchState",
    "Canary",
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
    "PaperMinute",
    "PaperTally",
    "Schedule",
    "ScheduledRun",
    "WebhookDelivery",
    "WebhookEndpoint",
]
