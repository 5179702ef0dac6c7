"""A day's work, from the sign-in to an e-mail that is refused: no line of the log names anybody."""

import json

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from billing.models import Party
from documents.models import Delivery, Document
from documents.services.deliveries import request_deliveries
from documents.tasks import make_document, send_delivery
from tests.billing.factories import posted_invoice
from tests.documents.mail_server import mail_server, use
from tests.factories import PASSWORD, CompanyFactory, UserFactory, member
from tests.worker.test_logging import captured

pytestmark = pytest.mark.django_db

# Each is nowhere else: what of them stands in a line came from the rows or the requests.
WHO, OWNER = "Quillfeather", "bartholomew.quist@northgate.example"
MAIL, STREET, PHONE = "ledger@quillfeather.example", "17 Ropewalk Lane", "+44 117 496 0123"
INVITED, UNKNOWN = "zebedee@invited.example", "nobody.known@stranger.example"
SECRETS = (WHO, "Bartholomew", "Quist", "quist", "Ropewalk", "496 0123", "zebedee", "nobody.known")
SECRETS += ("quillfeather.example", "northgate.example", "stranger.example", PASSWORD, "8731.55")


@pytest.fixture
def owner():
    user = UserFactory.create(name="Bartholomew Quist", email=OWNER)
    company = CompanyFactory.create(legal_name=f"{WHO} Holdings Ltd")
    return member(Role.OWNER, user=user, company=company)


def knock(owner) -> Client:
    """Wrong, unknown, forgotten, and in."""
    client, sign_in = Client(), reverse("account_login")
    for address, password in ((OWNER, "wrong"), (UNKNOWN, "wrong"), (OWNER, PASSWORD)):
        client.post(sign_in, {"login": address, "password": password})
    for address in (OWNER, UNKNOWN):
        Client().post(reverse("account_reset_password"), {"email": address})
    return client


def keep_books(client: Client, owner) -> Party:
    """By forms, one of them filled in wrongly; then somebody looks around, and takes a list."""
    party = {"code": "P1", "name": f"{WHO} Ropeworks", "email": MAIL, "phone": PHONE}
    party |= {"address": STREET, "country": "GB", "payment_terms_days": "30"}
    client.post(reverse("billing:party_create"), {**party, "email": f"{MAIL} {WHO}"})
    answer = client.post(reverse("billing:party_create"), party)
    assert answer.status_code == 302, answer.content.decode()
    for name in ("party_list", "party_export", "invoice_list", "party_options"):
        client.get(reverse(f"billing:{name}"), {"q": WHO, "sort": MAIL})
    client.get(f"/nowhere/{WHO}/{MAIL}/")
    client.get(f"/accounts/invitation/{WHO}/")
    client.post(reverse("accounts:invite"), {"email": INVITED, "role": "10"})
    return Party.objects.get(code="P1")


def make_and_send(client: Client, party: Party, server) -> None:
    """A paper by a worker, and its e-mail: refused for the address, then for good."""
    invoice = posted_invoice(party, "8731.55", reference=WHO)
    client.post(reverse("billing:paper", args=["invoice", invoice.pk]))
    document = Document.objects.get()
    make_document(str(document.pk))
    document.refresh_from_db()
    assert document.state == "ready", document.failure
    request_deliveries(documents=[document], by=None)
    server.set("550 at rcpt")
    send_delivery(str(Delivery.objects.get().pk))
    client.get(reverse("documents:download", args=[document.pk]))


def test_a_days_work_names_nobody(
    owner, archive_dir, queues, settings, tmp_path, django_capture_on_commit_callbacks
):
    with mail_server(tmp_path) as server, captured() as lines:
        use(settings, server)
        with django_capture_on_commit_callbacks(execute=True):
            client = knock(owner)
            party = keep_books(client, owner)
        with django_capture_on_commit_callbacks(execute=True):
            make_and_send(client, party, server)
        call_command("export_party", "P1", company=owner.company.slug, to=tmp_path / "p.zip")
    events = {json.loads(line)["event"] for line in lines}
    assert {"request", "done", "A sign-in failed."} <= events
    assert len(lines) > 20
    found = [(secret, line) for line in lines for secret in SECRETS if secret in line]
    assert not found
