"""Sending one e-mail: its turn, the checks, the message, and what became of it."""

import io

import pikepdf
from django.core.mail import EmailMessage
from django.db import models
from django.db.models.functions import Now

from documents.archive import Damaged, archive
from documents.fingerprints import fingerprint_of
from documents.models import Delivery, DeliveryState, Document, DocumentState
from documents.pdf_fingerprint import KEY
from documents.selectors import standing_instead
from documents.services.mail_messages import message_for
from documents.services.mailing import AnswerLost, NotOurs, Refused, Unreachable, post
from documents.services.recipients import (
    DRAFT,
    IS_A_DRAFT,
    address_problem,
    present_addresses,
)
from documents.services.slots import take_slot
from worker.running import WorkFailed

_OTHER_PARTY = "The paper is not this party's: nothing was sent."


def send_delivery(delivery: Delivery) -> None:
    """The work of one lease. Raises WorkFailed where nothing may be sent."""
    if not take_slot(delivery):
        return
    if delivery.batch_id is not None and _is_superseded(delivery):
        _leave_out(delivery)
    else:
        _send(delivery, message_for(delivery, checked_paper(delivery)))


def _send(delivery: Delivery, message: EmailMessage) -> None:
    try:
        answer = post(message, hand_over=delivery.hand_over)
    except NotOurs:
        return  # somebody else has it, or a person stopped it
    except Unreachable as error:
        reason = "The mail server could not be reached, or did not let us in."
        delivery.fail(reason=reason, detail=str(error), retry=True)
    except Refused as error:
        delivery.take_back()
        delivery.fail(reason=f"Refused: {error.answer}", detail="", retry=error.may_pass)
    except AnswerLost as error:
        delivery.fail(reason="No answer.", detail=str(error), retry=False)
    else:
        _record(delivery, answer)


def _record(delivery: Delivery, answer: str) -> None:
    """Sent. Where the lease was lost meanwhile the row is in doubt, and this answer settles it."""
    if not delivery.finish(answer=answer):
        Delivery._base_manager.filter(
            pk=delivery.pk, state=DeliveryState.UNKNOWN, attempts=delivery.attempts
        ).update(state=DeliveryState.SENT, failure="", answer=answer, finished_at=Now())


def checked_paper(delivery: Delivery) -> bytes:
    """The file, after everything that makes it this party's was looked at. Raises WorkFailed."""
    document = Document._base_manager.get(pk=delivery.document_id)
    if document.state != DocumentState.READY:
        raise WorkFailed("Its paper is not ready.")
    _check_party(delivery, document)
    _check_facts(document)
    _check_address(delivery)
    try:
        content = archive().read(document.storage_key, document.sha256)
    except Damaged as error:
        raise WorkFailed(
            "Its paper is missing from the archive, or changed.", str(error)
        ) from error
    if _named_by(content) not in ("", document.fingerprint):
        raise WorkFailed(_OTHER_PARTY, "The file is that of another paper.")
    return content


def _named_by(content: bytes) -> str:
    """The fingerprint that a file of ours names, with which it can't be taken for another's."""
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            return str(pdf.docinfo.get(KEY, ""))
    except pikepdf.PdfError:
        return ""


def _check_party(delivery: Delivery, document: Document) -> None:
    """Recipient of the row, of the document, and who is printed on it are one party."""
    if (delivery.company_id, delivery.recipient_id) != (document.company_id, document.recipient_id):
        raise WorkFailed(_OTHER_PARTY, "The delivery and its document differ in the recipient.")
    printed = document.snapshot.get("party", {})
    # An issued invoice shows the party as it was then: since, its name or its code may be another.
    same = (
        printed.get("code") == document.recipient_code,
        printed.get("name") == document.recipient_name,
    )
    if not any(same):
        raise WorkFailed(_OTHER_PARTY, f"Printed is {printed.get('code')!r}.")


def _check_facts(document: Document) -> None:
    if document.snapshot.get("state") == DRAFT:
        raise WorkFailed(IS_A_DRAFT)
    facts = (document.kind, document.template_version, document.locale, document.snapshot)
    if fingerprint_of(*facts) != document.fingerprint:
        raise WorkFailed(_OTHER_PARTY, "The snapshot is not the one that was asked for.")


def _check_address(delivery: Delivery) -> None:
    problem = address_problem(delivery.address)
    if problem:
        raise WorkFailed(problem)
    present = present_addresses(delivery.company, [delivery]).get(delivery.recipient_id, "")
    if present != delivery.address:
        reason = "The party's e-mail address is another one by now. Send it again to use that."
        raise WorkFailed(reason, f"It was {delivery.address!r}, and is {present!r}.")


def _is_superseded(delivery: Delivery) -> bool:
    """A run sends what is right now. An old version is sent where a person asks for just that."""
    coming = (DocumentState.READY, DocumentState.QUEUED, DocumentState.RUNNING)
    instead = models.Exists(standing_instead().filter(state__in=coming))
    return Document._base_manager.filter(instead, pk=delivery.document_id).exists()


def _leave_out(delivery: Delivery) -> None:
    mine = Delivery._base_manager.filter(
        pk=delivery.pk, token=delivery.token, state=DeliveryState.RUNNING
    )
    mine.update(
        state=DeliveryState.CANCELLED,
        finished_at=Now(),
        failure="There is a newer version of its paper.",
        token=None,
        lease_expires_at=None,
    )
