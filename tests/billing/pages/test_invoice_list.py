"""The list of invoices: found, narrowed, sorted, paged, summed up, exported and acted on."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role
from billing.dates import today
from billing.models import Invoice, InvoiceState
from billing.services import void_invoice
from billing.views import InvoiceListView
from billing.views.bulk import MOST
from billing.views.exports import cell
from documents.models import Document
from tests.billing.factories import draft_invoice, new_party, posted_invoice, posted_payment
from tests.factories import CompanyFactory

LIST = "/billing/invoices/"


def listed(client, **query) -> list[str]:
    """The numbers that the list shows, in its order."""
    response = client.get(LIST, query)
    assert response.status_code == 200
    return [str(row.record) for row in response.context["table"].rows]


@pytest.fixture
def invoices(company, party):
    """Three of two parties: the first is paid, the second late, the third not due yet."""
    other = new_party(company, code="ZED", name="Larkfield Garden Centres")
    first = posted_invoice(party, "10", day=date(2026, 1, 5), reference="PO-77")
    posted_payment(party, "10", day=date(2026, 1, 6), invoice=first)
    second = posted_invoice(other, "200", day=date(2026, 2, 5))
    in_time = today(company) + timedelta(30)
    third = posted_invoice(party, "3000", day=date(2026, 3, 5), due_date=in_time)
    return [first, second, third]


def test_newest_first(viewer, invoices):
    assert listed(viewer) == [
        "INV-2026-00003",
        "INV-2026-00002",
        "INV-2026-00001",
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "INV-2026-00002"}, [2]),
        ({"q": "inv-2026-00002"}, [2]),
        ({"q": "INV"}, [3, 2, 1]),
        ({"q": "2"}, [2]),
        ({"q": "00003"}, [3]),
        ({"q": "²"}, []),
        ({"q": "9" * 13}, []),
        ({"q": "PO-77"}, [1]),
        ({"q": "garden"}, [2]),
        ({"q": "zed"}, [2]),
        ({"q": " Quayside   Prov"}, [3, 1]),
        ({"q": "nothing like it"}, []),
        ({"state": "paid"}, [1]),
        ({"since": "2026-02-01"}, [3, 2]),
        ({"until": "2026-02-05"}, [2, 1]),
        ({"since": "2026-02-05", "until": "2026-02-05"}, [2]),
        ({"least": "200"}, [3, 2]),
        ({"most": "200"}, [2, 1]),
        ({"overdue": "on"}, [2]),
        ({"sort": "total"}, [1, 2, 3]),
        ({"sort": "-total"}, [3, 2, 1]),
        ({"sort": "number"}, [1, 2, 3]),
        ({"sort": "due"}, [1, 2, 3]),
        ({"sort": "party__company__legal_name"}, [3, 2, 1]),
        ({"q": "INV", "state": "issued", "least": "1000"}, [3]),
    ],
)
def test_what_is_asked_for_is_found(viewer, invoices, query, found):
    assert listed(viewer, **query) == [f"INV-2026-{number:05}" for number in found]


def test_a_party_narrows_the_list_and_stays_chosen(viewer, invoices, party):
    assert listed(viewer, party=str(party.pk)) == ["INV-2026-00003", "INV-2026-00001"]
    body = viewer.get(LIST, {"party": str(party.pk)}).content.decode()
    assert f'<option value="{party.pk}" selected>P1 · Quayside Provisions</option>' in body


def test_a_filter_that_cannot_be_read_says_so(viewer, invoices):
    body = viewer.get(LIST, {"least": "1,00", "since": "yesterday"}).content.decode()
    assert "Write the number with a point and no commas" in body
    assert "Write the date as 2026-10-31." in body


def test_nothing_found_offers_to_show_everything(viewer, invoices):
    assert "Nothing matches." in viewer.get(LIST, {"q": "zzz"}).content.decode()


def test_an_empty_list_says_what_to_do_next(clerk, viewer):
    assert f'href="{LIST}create/"' in clerk.get(LIST).content.decode()
    assert "Clerks of your company enter them" in viewer.get(LIST).content.decode()


@pytest.mark.parametrize("sort", ["", "date", "-due", "total", "-number"])
def test_every_row_is_on_one_page_forwards_and_backwards(viewer, party, monkeypatch, sort):
    monkeypatch.setattr(InvoiceListView, "page_size", 3)
    for number in range(8):
        posted_invoice(party, str(10 + number % 2), day=date(2026, 1, 1 + number % 3))
    asked, seen, pages = {"sort": sort}, [], 0
    while True:
        context = viewer.get(LIST, asked).context
        seen += [row.pk for row in context["page"].rows]
        pages += 1
        if context["page"].next is None:
            break
        asked = {"sort": sort, "after": context["page"].next}
    assert (len(seen), len(set(seen)), pages) == (8, 8, 3)
    back = [context["page"].rows]
    while context["page"].previous:
        context = viewer.get(LIST, {"sort": sort, "before": context["page"].previous}).context
        back.insert(0, context["page"].rows)
    assert [row.pk for rows in back for row in rows] == seen


def test_the_sums_are_those_of_all_that_was_filtered(viewer, company, party, invoices):
    draft_invoice(party, "999")
    body = viewer.get(f"{LIST}totals/", {"since": "2026-02-01"}).content.decode()
    assert "<dd>3</dd>" in body  # with the draft
    assert "£3,200.00" in body  # without it


def test_void_invoices_are_in_no_sum(viewer, party):
    void_invoice(invoice=posted_invoice(party, "10"), reason="Twice", by=None)
    assert "<dd>£0.00</dd>" in viewer.get(f"{LIST}totals/").content.decode()


def test_deleted_and_foreign_rows_are_in_no_list(viewer, company, invoices):
    posted_invoice(new_party(CompanyFactory.create()), "5", reference="PO-77")
    Invoice.objects.filter(pk=invoices[0].pk).update(is_active=False)
    assert listed(viewer) == ["INV-2026-00003", "INV-2026-00002"]
    assert listed(viewer, q="PO-77") == []
    assert "£3,200.00" in viewer.get(f"{LIST}totals/").content.decode()
    assert exported(viewer)[1:] == exported(viewer, least="200")[1:]


def exported(client, **query) -> list[list[str]]:
    response = client.get(f"{LIST}export/", query)
    assert response.streaming
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment;")
    text = b"".join(response).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_the_export_holds_all_that_was_filtered_in_its_order(viewer, invoices, monkeypatch):
    monkeypatch.setattr(InvoiceListView, "page_size", 1)
    head, *rows = exported(viewer, least="200", sort="total")
    assert head[:3] == ["Number", "State", "Date"]
    assert [row[0] for row in rows] == ["INV-2026-00002", "INV-2026-00003"]
    assert rows[0][2:4] == ["2026-02-05", (date(2026, 2, 5) + timedelta(30)).isoformat()]
    assert rows[0][8:] == ["200", "0", "0", "200"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "  =1", "＝1"])
def test_no_text_of_an_export_is_a_formula(viewer, company, text):
    posted_invoice(new_party(company, name=text), "10", reference=text)
    row = exported(viewer)[1]
    assert row[5:7] == [f"'{text}", f"'{text}"]


def test_numbers_of_an_export_stay_numbers():
    assert cell(Decimal("-5.500")) == "-5.5"
    assert cell(Decimal("1000")) == "1000"
    assert cell(date(2026, 3, 1)) == "2026-03-01"
    assert cell(None) == ""


def bulk(client, action, *records, **fields):
    data = {"action": action, "ids": [str(record.pk) for record in records], **fields}
    return client.post(f"{LIST}bulk/", data, follow=True)


def said(response) -> str:
    return " | ".join(str(message) for message in response.context["messages"])


def test_ticked_drafts_are_issued_and_the_others_say_why_not(clerk, party):
    drafts = [draft_invoice(party, "10"), draft_invoice(party), draft_invoice(party, "20")]
    response = bulk(clerk, "issue", *drafts)
    assert "Issue: 2 done." in said(response)
    assert "needs at least one item" in said(response)
    assert Invoice.objects.filter(state=InvoiceState.ISSUED).count() == 2


def test_pdfs_of_the_ticked_are_asked_for(clerk, party, queues):
    made = [posted_invoice(party, "10"), posted_invoice(party, "20")]
    bulk(clerk, "paper", *made)
    asked = Document.objects.filter(kind="invoice").values_list("subject_id", flat=True)
    assert set(asked) == {invoice.pk for invoice in made}


def test_only_the_accountant_voids_the_ticked_and_says_why(clerk, accountant, party):
    made = posted_invoice(party, "10")
    assert bulk(clerk, "void", made, reason="Twice").status_code == 403
    assert "A reason is needed." in said(bulk(accountant, "void", made, reason=" "))
    made.refresh_from_db()
    assert made.state == InvoiceState.ISSUED
    bulk(accountant, "void", made, reason="Twice")
    made.refresh_from_db()
    assert (made.state, made.void_reason) == (InvoiceState.VOID, "Twice")


def test_one_foreign_id_and_nothing_is_done(clerk, stranger, party):
    own = draft_invoice(party, "10")
    foreign = draft_invoice(new_party(CompanyFactory.create()), "10")
    assert bulk(clerk, "issue", own, foreign).status_code == 404
    assert bulk(stranger, "issue", own).status_code == 404
    assert not Invoice.objects.exclude(state=InvoiceState.DRAFT).exists()


@pytest.mark.parametrize("ids", [["x"], ["\0"], ["1"], [""]])
def test_ids_that_are_none_are_not_found(clerk, ids):
    assert clerk.post(f"{LIST}bulk/", {"action": "issue", "ids": ids}).status_code == 404


def test_with_nothing_ticked_it_says_what_to_do(clerk, party):
    draft = draft_invoice(party, "10")
    assert "Tick the rows first." in said(bulk(clerk, "issue"))
    draft.refresh_from_db()
    assert draft.state == InvoiceState.DRAFT


def test_of_many_refusals_five_are_said_and_the_rest_counted(clerk, party):
    response = bulk(clerk, "issue", *(draft_invoice(party) for _ in range(7)))
    assert said(response).count("needs at least one item") == 5
    assert "… and 2 more were refused." in said(response)


def test_more_than_a_list_can_show_is_refused(clerk, party):
    ids = [str(uuid4()) for _ in range(MOST + 1)]
    with CaptureQueriesContext(connection) as queries:
        response = clerk.post(f"{LIST}bulk/", {"action": "issue", "ids": ids})
    assert response.status_code == 404
    assert not any(ids[0].replace("-", "") in query["sql"].replace("-", "") for query in queries)


def test_a_viewer_ticks_nothing(viewer, party):
    draft = draft_invoice(party, "10")
    assert "data-tick" not in viewer.get(LIST).content.decode()
    assert bulk(viewer, "issue", draft).status_code == 403


def test_afterwards_the_list_is_as_it_was(clerk, party):
    draft = draft_invoice(party, "10")
    data = {"action": "issue", "ids": [str(draft.pk)]}
    back = f"{LIST}?state=draft&sort=total"
    assert clerk.post(f"{LIST}bulk/", data | {"back": back})["Location"] == back
    for elsewhere in ("https://evil.example/", "//evil.example/", "/admin/", "javascript:x"):
        assert clerk.post(f"{LIST}bulk/", data | {"back": elsewhere})["Location"] == LIST


def test_the_picker_finds_parties_by_code_and_name(clerk, company, party):
    new_party(company, code="X1", name="Old Mill Tea Rooms")
    new_party(company, code="MILL", name="Zebra")
    new_party(company, code="Y1", name="Miller", is_active=False)
    new_party(CompanyFactory.create(), code="MILL", name="Mill")
    found = clerk.get(reverse("billing:party_options"), {"q": "mill"}).json()["options"]
    assert [option["text"] for option in found] == ["MILL · Zebra", "X1 · Old Mill Tea Rooms"]
    assert found[0]["terms"] == 30


def test_the_picker_offers_twenty_at_most(clerk, company):
    for number in range(25):
        new_party(company, code=f"C{number}")
    assert len(clerk.get("/billing/parties/options/").json()["options"]) == 20


def test_the_picker_is_for_those_who_are_signed_in(anonymous):
    url = "/billing/parties/options/"
    assert anonymous.get(url, headers={"HX-Request": "true"}).status_code == 401
    assert anonymous.get(url).status_code == 302


def test_roles_see_their_buttons(as_role, party):
    posted_invoice(party, "10")
    shown = {role: as_role(role).get(LIST).content.decode() for role in Role}
    assert "data-new" not in shown[Role.VIEWER]
    assert 'value="issue"' in shown[Role.CLERK]
    assert 'name="action" value="void"' not in shown[Role.CLERK]
    assert 'name="action" value="void"' in shown[Role.ACCOUNTANT]
