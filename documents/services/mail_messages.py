"""The message: who it is from, to one recipient, with one paper."""

from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMessage

from accounts.models import Company
from documents.filenames import unicode_name
from documents.models import Delivery, MailSettings
from documents.services.mail_templates import one_line


def message_for(delivery: Delivery, content: bytes) -> EmailMessage:
    """Plain text with the PDF attached. The same row gives the same Message-ID, each time."""
    message = message_of(
        delivery.company,
        to=address_of(delivery.recipient_name, delivery.address),
        subject=delivery.subject,
        body=delivery.body,
        message_id=delivery.message_id,
    )
    name = f"{unicode_name(delivery.document.title)}.pdf"
    message.attach(name, content, "application/pdf")
    return message


def message_of(
    company: Company, *, to: str, subject: str, body: str, message_id: str
) -> EmailMessage:
    """As the company sends it: from whom, and where answers go."""
    chosen = MailSettings.objects.filter(company=company).first() or MailSettings()
    reply_to = chosen.reply_to or company.email
    return EmailMessage(
        subject=one_line(subject),
        body=body,
        from_email=sender_of(company, chosen),
        to=[to],
        reply_to=[reply_to] if reply_to else [],
        headers={"Message-ID": f"<{message_id}>"},
    )


def sender_of(company: Company, chosen: MailSettings) -> str:
    address = chosen.from_address or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return address_of(chosen.from_name or company.legal_name, address)


def address_of(name: str, address: str) -> str:
    """`"Name" <address>`, ASCII whatever the name is written in."""
    return formataddr((one_line(name), address), "utf-8")
