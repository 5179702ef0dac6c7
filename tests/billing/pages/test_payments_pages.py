"""The list of payments and the page of one: applying, voiding, and who may."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from billing.models import Invoice, Payment
from billing.services import void_payment
from documents.models import Document
from tests.billing.factories import DAY, new_party, posted_invoice, posted_payment
from tests.billing.pages.conftest import business_queries
from tests.factories import CompanyFactory

LIST = reverse("billing:payment_list")


def at(name, payment):
    return reverse(f"billing:payment_{name}", args=[payment.pk])


def numbers(client, **query):
    response = client.get(LIST, query)
    assert response.status_code == 200
    return [row.payment_number[-1] for row in response.context["page"].rows]


def said(response):
    return " | ".join(str(message) for message in response.context["messages"])


def test_the_list_is_searched_and_narrowed(viewer, company, party):
    other = new_party(company, code="Q7", name="Harbour Stores")
    posted_payment(party, "10", day=DAY)
    posted_payment(other, "200", day=DAY + timedelta(days=1))
    void_payment(payment=posted_payment(party, "30", day=DAY), reason="Bounced", by=None)
    Payment.objects.filter(amount=200).update(method="cash", reference="SLIP-9")
    assert set(numbers(viewer)) == {"1", "2", "3"}
    assert numbers(viewer, q="harb") == ["2"]
    assert numbers(viewer, q="slip-9") == ["2"]
    assert numbers(viewer, q="00003") == ["3"]
    assert numbers(viewer, party=str(other.pk)) == ["2"]
    assert numbers(viewer, method="cash") == ["2"]
    assert numbers(viewer, state="void") == ["3"]
    assert set(numbers(viewer, state="valid")) == {"1", "2"}
    assert numbers(viewer, since=str(DAY + timedelta(days=1))) == ["2"]
    assert numbers(viewer, least="20", most="50") == ["3"]
    assert numbers(viewer, sort="number") == ["1", "2", "3"]


def test_totals_are_of_what_the_filter_leaves_without_voids(viewer, party):
    posted_payment(party, "10")
    posted_payment(party, "15.50")
    void_payment(payment=posted_payment(party, "30"), reason="Bounced", by=None)
    body = viewer.get(reverse("billing:payment_totals")).content.decode()
    assert "£25.50" in body
    assert (
        "£10.00" in viewer.get(reverse("billing:payment_totals"), {"most": "12"}).content.decode()
    )


def test_the_export_has_the_filtered_rows_and_no_formulas(viewer, party):
    posted_payment(party, "10")
    Payment.objects.update(reference="=1+1")
    response = viewer.get(reverse("billing:payment_export"))
    body = b"".join(response).decode()
    assert response["Content-Type"].startswith("text/csv")
    assert "'=1+1" in body
    assert "General Payment" in body
    assert b"=1+1" not in b"".join(viewer.get(reverse("billing:payment_export"), {"q": "none"}))


def test_the_list_is_one_query_whatever_its_length(viewer, company):
    for number in range(6):
        party = new_party(company, code=f"N{number}")
        posted_payment(party, "5", invoice=posted_invoice(party, "9"))
    assert len(business_queries(viewer, LIST)) <= 2
    assert len(business_queries(viewer, f"{LIST}?q=n3")) <= 2


def test_the_page_shows_what_it_pays(viewer, party):
    invoice = posted_invoice(party, "100")
    payment = posted_payment(party, "40", invoice=invoice)
    body = viewer.get(at("detail", payment)).content.decode()
    for text in (str(invoice), "£40.00", "bank transfer", "Quayside Provisions"):
        assert text in body
    assert "Apply the rest" not in body
    assert len(business_queries(viewer, at("detail", payment))) <= 2


def test_the_page_to_apply_stays_below_the_budget(clerk, party):
    payment = posted_payment(party, "40")
    posted_invoice(party, "100")
    assert len(business_queries(clerk, at("apply", payment))) <= 2


def test_the_rest_is_applied_to_open_invoices(clerk, party):
    payment, invoice = posted_payment(party, "40"), posted_invoice(party, "100")
    body = clerk.get(at("apply", payment), {"invoice": str(invoice.pk)}).content.decode()
    assert f'name="share-{invoice.pk}" value="40.00"' in body
    response = clerk.post(at("apply", payment), {f"share-{invoice.pk}": "15.5", "save": "1"})
    assert response["Location"] == payment.get_absolute_url()
    assert Invoice.objects.get().due == Decimal("84.50")


def test_a_form_that_is_sent_twice_applies_once(clerk, party):
    invoice, payment = posted_invoice(party, "100"), posted_payment(party, "100")
    body = clerk.get(at("apply", payment)).content.decode()
    data = {"left": "100.00", f"share-{invoice.pk}": "30", "save": "1"}
    assert 'name="left" value="100.00"' in body
    assert clerk.post(at("apply", payment), data).status_code == 302
    refused = clerk.post(at("apply", payment), data)
    assert "or it was sent twice: 70.00 is left" in refused.content.decode()
    assert 'name="left" value="70.00"' in refused.content.decode()
    invoice.refresh_from_db()
    assert invoice.paid == 30
    # Control: what is not compared is applied again.
    assert clerk.post(at("apply", payment), data | {"left": ""}).status_code == 302


def test_applying_is_spread_by_the_server(clerk, party):
    payment, invoice = posted_payment(party, "40"), posted_invoice(party, "100")
    body = clerk.post(at("apply", payment), {"spread": "1"}).content.decode()
    assert f'name="share-{invoice.pk}" value="40.00"' in body
    assert Invoice.objects.get().due == 100


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("40.01", "more than what is left: 40.00"),
        ("", "Type how much"),
        ("0", "Type how much"),
        ("200", "more than the balance due"),
        ("1e308", "Write a plain number"),
    ],
)
def test_applying_too_much_is_refused_beside_its_field(clerk, party, text, wrong):
    payment, invoice = posted_payment(party, "40"), posted_invoice(party, "100")
    response = clerk.post(at("apply", payment), {f"share-{invoice.pk}": text, "save": "1"})
    assert wrong in " ".join(response.context["form"].errors["allocations"])
    assert Invoice.objects.get().due == 100


def test_what_is_typed_is_looked_at_without_saving(clerk, party):
    payment, invoice = posted_payment(party, "40"), posted_invoice(party, "100")
    data = {f"share-{invoice.pk}": "15.5", "look": "1"}
    body = clerk.post(at("apply", payment), data).content.decode()
    assert f'name="share-{invoice.pk}" value="15.5"' in body
    assert Invoice.objects.get().due == 100


def bulk(client, action, *payments, **fields):
    data = {"action": action, "ids": [str(each.pk) for each in payments], **fields}
    return client.post(reverse("billing:payment_bulk"), data, follow=True)


def test_receipts_of_the_ticked_are_asked_for(viewer, party, queues):
    payments = [posted_payment(party, "10"), posted_payment(party, "20")]
    assert "Make receipts: 2 done." in said(bulk(viewer, "paper", *payments))
    assert Document.objects.filter(kind="payment-receipt").count() == 2
    assert not Payment.objects.exclude(voided_at=None).exists()


def test_an_accountant_voids_the_ticked(accountant, party):
    one, other = posted_payment(party, "10"), posted_payment(party, "20")
    assert "Void: 1 done." in said(bulk(accountant, "void", one, reason="Bounced"))
    assert Payment.objects.get(pk=one.pk).void_reason == "Bounced"
    assert Payment.objects.get(pk=other.pk).voided_at is None
    assert not Document.objects.exists()


def test_an_invoice_of_somebody_else_is_no_target(clerk, company, party):
    payment = posted_payment(party, "40")
    for owner in (new_party(company, code="P2"), new_party(CompanyFactory.create(), code="X")):
        invoice = posted_invoice(owner, "100")
        response = clerk.post(at("apply", payment), {f"share-{invoice.pk}": "5", "save": "1"})
        assert "no such open invoice" in response.context["form"].errors["allocations"][0]


def test_an_accountant_voids_with_a_reason(accountant, party):
    invoice = posted_invoice(party, "100")
    payment = posted_payment(party, "40", invoice=invoice)
    response = accountant.post(at("void", payment), {"reason": " "}, follow=True)
    assert "reason" in said(response)
    assert "is void" in said(
        accountant.post(at("void", payment), {"reason": "Bounced"}, follow=True)
    )
    assert Invoice.objects.get().due == 100
    assert "Bounced" in accountant.get(at("detail", payment)).content.decode()
    assert "void already" in said(
        accountant.post(at("void", payment), {"reason": "x"}, follow=True)
    )


def test_the_history_names_who_and_what(accountant, party):
    payment = posted_payment(party, "40")
    accountant.post(at("void", payment), {"reason": "Bounced"})
    body = accountant.get(at("history", payment)).content.decode()
    assert "Bounced" in body


def test_a_stranger_finds_nothing(stranger, party):
    payment = posted_payment(party, "40")
    for name in ("detail", "apply", "history"):
        assert stranger.get(at(name, payment)).status_code == 404
    for name in ("apply", "void"):
        assert stranger.post(at(name, payment), {"reason": "x"}).status_code == 404
    assert str(payment.pk) not in stranger.get(LIST).content.decode()
    bulk = {"action": "void", "reason": "x", "ids": [str(payment.pk)]}
    assert stranger.post(reverse("billing:payment_bulk"), bulk).status_code == 404
    payment.refresh_from_db()
    assert payment.voided_at is None


def test_roles(viewer, clerk, party):
    payment = posted_payment(party, "40")
    assert viewer.get(at("detail", payment)).status_code == 200
    assert viewer.get(at("apply", payment)).status_code == 403
    assert viewer.post(at("apply", payment), {}).status_code == 403
    assert clerk.post(at("void", payment), {"reason": "x"}).status_code == 403
    bulk = {"action": "void", "reason": "x", "ids": [str(payment.pk)]}
    assert clerk.post(reverse("billing:payment_bulk"), bulk).status_code == 403


def test_the_anonymous_sign_in(anonymous, party):
    payment = posted_payment(party, "40")
    for url in (LIST, at("detail", payment), at("apply", payment)):
        assert anonymous.get(url)["Location"].startswith(reverse("account_login"))
    assert anonymous.post(at("void", payment)).status_code == 302
