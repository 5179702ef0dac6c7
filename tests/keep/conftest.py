"""What is backed up: a company with a logo, books and papers."""

import pytest

from tests.billing.factories import new_party, posted_invoice, posted_payment, posted_return
from tests.factories import CompanyFactory, DocumentFactory


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backups"


@pytest.fixture
def company(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "media"},
        },
    }
    (tmp_path / "media" / "logos").mkdir(parents=True)
    (tmp_path / "media" / "logos" / "ours.png").write_bytes(b"\x89PNG ours")
    return CompanyFactory.create(slug="northgate", logo="logos/ours.png")


@pytest.fixture
def filled(company):
    party = new_party(company, email="ünïcode\\t@example.org", address="1 High Street\nBristol\t\\")
    invoice = posted_invoice(party, "100.10", "7")
    posted_payment(party, "7.10", invoice=invoice)
    posted_return(party, "2")
    DocumentFactory.create_batch(3, company=company, ready=True)
    return company
