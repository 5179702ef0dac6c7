"""A company with one of everything, and somebody of every kind. Names hold `MARK`: where it stands
in an answer to somebody else, something has leaked.
"""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils.timezone import now

from accounts.models import Company, Invitation, Membership, Role
from accounts.services import invitations
from billing.models import Challan, ChallanItem, Invoice, Party, Payment, Recomputation, Return
from billing.services import save_challan
from documents.models import (
    Batch,
    Delivery,
    Document,
    Notification,
    Schedule,
    WebhookDelivery,
    WebhookEndpoint,
)
from documents.verification import code_of
from tests.billing.drifting import recompute, shift
from tests.billing.factories import (
    DAY,
    new_party,
    posted_invoice,
    posted_payment,
    posted_return,
)
from tests.factories import BatchItemFactory, CompanyFactory, DocumentFactory, UserFactory, member
from tests.factories_of_telling import (
    NotificationFactory,
    WebhookDeliveryFactory,
    WebhookEndpointFactory,
)

MARK = "Quillfeather"
TOKEN = "an-invitation-that-tests-know"


@dataclass
class World:
    company: Company
    party: Party
    invoice: Invoice
    payment: Payment
    return_: Return
    challan: Challan
    recomputation: Recomputation
    document: Document
    batch: Batch
    delivery: Delivery
    notification: Notification
    endpoint: WebhookEndpoint
    webhook_delivery: WebhookDelivery
    schedule: Schedule
    invitation: Invitation
    membership: Membership
    clients: dict[str, Client]

    @property
    def code(self) -> str:
        return code_of(self.document.fingerprint)


def new_world() -> World:
    company = CompanyFactory.create(legal_name=f"{MARK} Giftware Ltd", tax_rates=["20"])
    party = new_party(company, code="P1", name=f"{MARK} Provisions")
    clients, owner = _people(company)
    document = DocumentFactory.create(
        company=company, ready=True, title=f"Statement {MARK}", subject_id=party.pk
    )
    batch = BatchItemFactory.create(batch__company=company, document=document).batch
    endpoint = WebhookEndpointFactory.create(company=company, url=f"https://{MARK}.example/hook")
    rows = {
        "party": party,
        "invoice": posted_invoice(party, "100", reference=MARK),
        "payment": posted_payment(party, "40"),
        "return_": posted_return(party, "5"),
        "challan": _challan(party),
        "document": document,
        "batch": batch,
        "delivery": _delivery(document),
        "notification": NotificationFactory.create(
            company=company, user=owner.user, title=MARK, url="/documents/"
        ),
        "endpoint": endpoint,
        "webhook_delivery": WebhookDeliveryFactory.create(endpoint=endpoint),
        "schedule": Schedule.objects.create(company=company, kind="statement", starts_on=DAY),
        "invitation": _invitation(company),
        "membership": member(Role.CLERK, company=company),
    }
    shift(party, invoiced="7")
    return World(company=company, recomputation=recompute(company), clients=clients, **rows)


def rows_of(company: Company) -> str:
    """A digest of every row of the company, to see that nothing of it changed."""
    found = hashlib.sha256()
    for model in (Party, Invoice, Payment, Return, Challan, Document, Batch, Delivery, Notification,
                  WebhookEndpoint, WebhookDelivery, Schedule, Recomputation):  # fmt: skip
        rows = model._base_manager.filter(company=company).order_by("pk").values_list()
        found.update(repr((model, list(rows))).encode())
    for rows in (
        Company.objects.filter(pk=company.pk),
        Membership.objects.filter(company=company).order_by("pk"),
        Invitation.objects.filter(company=company).order_by("pk"),
    ):
        found.update(repr(list(rows.values_list())).encode())
    return found.hexdigest()


def signed_in(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def _people(company: Company) -> tuple[dict[str, Client], Membership]:
    members = {
        role.label: member(role, company=company, user=UserFactory.create(name=f"{MARK} {role}"))
        for role in Role
    }
    clients = {name: signed_in(found.user) for name, found in members.items()}
    clients["anonymous"] = Client(raise_request_exception=False)
    clients["stranger"] = signed_in(member(Role.OWNER).user)
    clients["outsider"] = signed_in(UserFactory.create())
    clients["staff"] = signed_in(UserFactory.create(is_staff=True))
    clients["root"] = signed_in(UserFactory.create(is_staff=True, is_superuser=True))
    return clients, members["owner"]


def _challan(party: Party) -> Challan:
    challan = Challan(company=party.company, party=party, challan_date=DAY)
    return save_challan(challan=challan, items=[ChallanItem(description=MARK, quantity=3)], by=None)


def _delivery(document: Document) -> Delivery:
    return Delivery.objects.create(
        company=document.company,
        document=document,
        address="ap@customer.example",
        message_id=f"{MARK.lower()}@test",
        recipient_id=uuid4(),
        subject=MARK,
        body=MARK,
        queue="mail",
    )


def _invitation(company: Company) -> Invitation:
    return Invitation.objects.create(
        company=company,
        email="new@invited.example",
        token_hash=invitations._hash(TOKEN),
        expires_at=now() + invitations.LASTS,
    )
