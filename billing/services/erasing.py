"""What the law on personal data wants gone, as far as the law on taxes does not want it kept."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models, transaction

from accounts.models import User
from billing.audit import note
from billing.models import Challan, Invoice, InvoiceState, Party
from billing.selectors.retention import Held, expired_papers, held_records
from documents.models import Delivery, DeliveryState, Document, DocumentState
from documents.services.deliveries import cancel_deliveries

ERASED = "erased"
_REASON = "The party's personal data was erased."
_BEING_SENT = "An e-mail is being sent to this party at this moment: try again in a minute."
_CONTACT = ("email", "phone")
_IDENTITY = ("name", "address", "tax_id", "country")


@dataclass
class Erased:
    """What went, and what stays until when."""

    is_anonymous: bool = False
    deliveries: int = 0
    drafts: int = 0
    papers: int = 0
    entries: int = 0
    held: list[Held] = field(default_factory=list)


def erase_party(*, party: Party, by: User | None, apply_retention: bool = False) -> Erased:
    """Contact data goes at once; name and address when no record that names them must be kept.

    Raises ValidationError, and changes nothing, while a mail server gets an e-mail to the party.
    `apply_retention`: papers that are older than the law asks for go, too.
    """
    with transaction.atomic():
        locked = (
            Party.all_objects.for_company(party.company_id).select_for_update().get(pk=party.pk)
        )
        erased = Erased(held=held_records(locked))
        erased.is_anonymous = not erased.held
        erased.deliveries = _forget_deliveries(locked, by)
        erased.drafts = _forget_drafts(locked)
        if apply_retention:
            erased.papers = _remove_papers(locked)
        fields = _CONTACT if erased.held else (*_CONTACT, *_IDENTITY)
        erased.entries = _forget_entries(locked, fields)
        values: dict[str, Any] = dict.fromkeys(fields, "")
        if erased.is_anonymous:
            values |= {"name": ERASED, "is_active": False}
        Party.all_objects.for_company(party.company_id).filter(pk=party.pk).update(**values)
        note([locked], {"personal data": ("", f"erased: {', '.join(fields)}")}, by)
        if erased.is_anonymous:
            _rename_entries(Party, Party.all_objects.filter(pk=party.pk))
    return erased


def _forget_deliveries(party: Party, by: User | None) -> int:
    """What was not sent is not sent; of what was, who it was stays unknown. Returns how many of
    the first.
    """
    mine = Delivery.objects.for_company(party.company_id).filter(recipient_id=party.pk)
    cancelled = cancel_deliveries(mine, by=by, reason=_REASON)
    if mine.filter(state__in=(DeliveryState.QUEUED, DeliveryState.RUNNING)).exists():
        raise ValidationError(_BEING_SENT)
    mine.exclude(address="").update(address=ERASED)
    # The server's answer and a failure may quote the address.
    mine.exclude(failure="").update(failure=_REASON)
    mine.update(body="", recipient_name="", subject="", answer="", failure_detail="")
    _rename_entries(Delivery, mine)
    return cancelled


def _rename_entries(model: type[models.Model], rows: "models.QuerySet[Any]") -> None:
    """The trail calls each row by its name of that day."""
    keys = [str(key) for key in rows.values_list("pk", flat=True)]
    of_model = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model))
    for place in range(0, len(keys), 500):
        of_model.filter(object_pk__in=keys[place : place + 500]).update(object_repr=ERASED)


def _forget_drafts(party: Party) -> int:
    drafts = Invoice.all_objects.for_company(party.company_id).filter(
        party=party, state=InvoiceState.DRAFT
    )
    Challan.all_objects.for_company(party.company_id).filter(party=party).update(notes="")
    return drafts.exclude(notes="").update(notes="")


def _remove_papers(party: Party) -> int:
    """The row stays, empty. The file is named by nobody then: the sweep takes it after a while."""
    count = 0
    for document in expired_papers(party).only("pk", "company_id"):
        # Another fingerprint: the same facts, asked for again, are a new paper.
        other = hashlib.sha256(f"erased {document.pk}".encode()).hexdigest()
        count += Document.objects.filter(pk=document.pk, state=DocumentState.READY).update(
            state=DocumentState.CANCELLED,
            snapshot={},
            fingerprint=other,
            storage_key="",
            sha256="",
            size=0,
            pages=0,
            recipient_name="",
            damage="",
            failure="Removed: the time that papers are kept was over.",
        )
    return count


def _forget_entries(party: Party, fields: tuple[str, ...]) -> int:
    """The trail says that a field was changed, when and by whom, but not from what to what."""
    changed = 0
    of_fields = models.Q()
    for name in fields:
        of_fields |= models.Q(changes__has_key=name)
    for entry in LogEntry.objects.get_for_object(party).filter(of_fields):
        for name in fields:
            if name in entry.changes:
                entry.changes[name] = [ERASED, ERASED]
        LogEntry.objects.filter(pk=entry.pk).update(changes=entry.changes)
        changed += 1
    return changed
