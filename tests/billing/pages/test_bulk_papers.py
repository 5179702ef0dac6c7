"""Papers of many records from a list: the ticked ones, or all that its filter leaves."""

from datetime import date
from uuid import uuid4

import pytest

from accounts.models import Role
from billing.models import Challan
from billing.views import paper_runs
from billing.views.bulk import FEW
from documents.models import Batch, Document
from tests.billing.factories import (
    draft_invoice,
    new_party,
    posted_invoice,
    posted_payment,
    posted_return,
)

LIST = "/billing/invoices/"
RUN = f"{LIST}run/"
SECTIONS = ["invoices", "payments", "returns", "challans"]


def ids(batch):
    return batch.parameters["records"]


def post(client, query="", **more):
    shown = client.get(f"{RUN}{query}")
    return client.post(f"{RUN}{query}", {"token": str(shown.context["token"]), **more})


@pytest.fixture
def invoices(company, party):
    other = new_party(company, code="ZED", name="Larkfield Garden Centres")
    return [
        posted_invoice(party, "10", day=date(2026, 1, 5)),
        posted_invoice(other, "200", day=date(2026, 2, 5)),
        posted_invoice(party, "3000", day=date(2026, 3, 5)),
    ]


class TestAllThatMatch:
    def test_the_list_leads_there_with_its_filter(self, clerk, invoices):
        body = clerk.get(f"{LIST}?q=zed&sort=total").content.decode()
        assert f'href="{RUN}?q=zed&amp;sort=total"' in body

    def test_it_says_how_many_before_it_makes_any(self, clerk, invoices):
        body = clerk.get(f"{RUN}?party={invoices[0].party_id}").content.decode()
        assert "The filter leaves <strong>2 invoices</strong>" in body
        assert not Batch.objects.exists()

    def test_the_run_has_those_in_the_order_of_the_list(self, clerk, invoices):
        response = post(clerk, "?sort=-total")
        batch = Batch.objects.get()
        assert response["Location"] == batch.get_absolute_url()
        assert ids(batch) == [str(row.pk) for row in reversed(invoices)]
        assert (batch.kind, batch.title) == ("invoice-papers", "3 invoices")

    def test_more_than_a_list_may_tick_is_no_limit(self, clerk, party):
        for _ in range(210):
            draft_invoice(party)
        post(clerk)
        assert len(ids(Batch.objects.get())) == 210

    def test_a_double_click_starts_one(self, clerk, invoices):
        token = str(clerk.get(RUN).context["token"])
        first, second = (clerk.post(RUN, {"token": token}) for _ in range(2))
        assert first["Location"] == second["Location"]
        assert Batch.objects.count() == 1

    def test_a_filter_that_cannot_be_read_makes_nothing(self, clerk, invoices):
        """It narrows nothing, and would make papers of everything."""
        response = clerk.post(f"{RUN}?least=1,00", {"token": str(uuid4())})
        assert "The filter can&#x27;t be read" in response.content.decode() or (
            "The filter can't be read" in response.content.decode()
        )
        assert not Batch.objects.exists()

    def test_nothing_that_matches_is_said(self, clerk, invoices):
        assert "Nothing matches." in clerk.get(f"{RUN}?q=zzz").content.decode()
        assert "nothing to make papers of" in post(clerk, "?q=zzz").content.decode()
        assert not Batch.objects.exists()

    def test_too_many_are_said_before_and_refused(self, clerk, invoices, monkeypatch):
        monkeypatch.setattr(paper_runs, "MOST_PAPERS", 2)
        monkeypatch.setattr("billing.services.paper_runs.MOST_PAPERS", 2)
        assert "narrow the filter" in clerk.get(RUN).content.decode()
        assert "Nothing was started." in post(clerk).content.decode()
        assert not Batch.objects.exists()

    def test_another_companys_records_do_not_match(self, stranger, invoices):
        assert "Nothing matches." in stranger.get(RUN).content.decode()

    @pytest.mark.parametrize("section", SECTIONS)
    def test_every_list_has_it_for_clerks(self, as_role, anonymous, party, section):
        invoice = posted_invoice(party, "10")
        posted_payment(party, "5", invoice=invoice)
        posted_return(party, "4")
        Challan.objects.create(
            company=party.company, party=party, challan_number="C1", challan_date=date(2026, 1, 1)
        )
        url = f"/billing/{section}/run/"
        clerk, viewer = as_role(Role.CLERK), as_role(Role.VIEWER)
        assert f'href="{url}"' in clerk.get(f"/billing/{section}/").content.decode()
        assert f'href="{url}"' not in viewer.get(f"/billing/{section}/").content.decode()
        assert clerk.get(url).status_code == 200
        assert viewer.get(url).status_code == viewer.post(url).status_code == 403
        assert anonymous.get(url).status_code == 302
        clerk.post(url, {"token": str(uuid4())})
        assert len(ids(Batch.objects.get())) == 1


class TestTheTicked:
    def tick(self, client, records, **more):
        posted = {"action": "paper", "ids": [str(row.pk) for row in records], "back": LIST}
        return client.post(f"{LIST}bulk/", posted | more)

    def test_a_few_are_asked_for_one_by_one(self, clerk, invoices):
        response = self.tick(clerk, invoices)
        assert response["Location"] == LIST
        assert not Batch.objects.exists()
        assert set(Document.objects.values_list("queue", flat=True)) == {"interactive"}

    def test_many_are_a_run_of_exactly_those(self, clerk, party):
        records = [draft_invoice(party, "1") for _ in range(FEW + 1)]
        draft_invoice(party, "2")
        response = self.tick(clerk, records, token=str(uuid4()))
        batch = Batch.objects.get()
        assert response["Location"] == batch.get_absolute_url()
        assert ids(batch) == [str(row.pk) for row in records]
        assert not Document.objects.exists()

    def test_sent_twice_they_are_one_run(self, clerk, party):
        records = [draft_invoice(party, "1") for _ in range(FEW + 1)]
        token = str(clerk.get(LIST).context["token"])
        for _ in range(2):
            self.tick(clerk, records, token=token)
        assert Batch.objects.count() == 1

    def test_one_that_is_a_strangers_starts_nothing(self, stranger, party):
        records = [draft_invoice(party, "1") for _ in range(FEW + 1)]
        assert self.tick(stranger, records).status_code == 404
        assert not Batch.objects.exists()
