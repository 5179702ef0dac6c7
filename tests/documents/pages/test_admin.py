import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.factories import BatchItemFactory, BatchJobFactory


@pytest.fixture
def staff(db):
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.org", "a long password"))
    return client


@pytest.mark.parametrize("model", ["document", "batch", "batchjob"])
def test_operators_see_the_rows_of_every_company_and_change_none(staff, model):
    rows = {"document": [], "batch": [], "batchjob": []}
    for _ in range(2):
        item = BatchItemFactory.create()
        rows["document"].append(item.document)
        rows["batch"].append(item.batch)
        rows["batchjob"].append(BatchJobFactory.create(batch=item.batch))
    changelist = reverse(f"admin:documents_{model}_changelist")
    body = staff.get(changelist + "?q=").content.decode()
    for row in rows[model]:
        url = reverse(f"admin:documents_{model}_change", args=[row.pk])
        assert url in body
        assert staff.get(url).status_code == 200
        assert staff.post(url, {"title": "x"}).status_code == 403
    assert staff.get(reverse(f"admin:documents_{model}_add")).status_code == 403
