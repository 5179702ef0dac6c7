"""What a statement froze: the facts of its day, as text, whatever changes later."""

import json
import re
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile

from billing.dates import Period
from billing.models import Party
from billing.selectors.statements import read_accounts, read_movements
from billing.services.statements import statement_paper
from billing.snapshots import company_facts
from documents.fingerprints import canonical, fingerprint
from documents.models import Document
from documents.services.requests import request_document
from tests.billing.factories import (
    BalanceFactory,
    new_party,
    posted_invoice,
    posted_payment,
    posted_return,
)
from tests.documents.rendering.samples import png
from tests.factories import CompanyFactory

D = Decimal
MARCH = Period.month("2026-03")
pytestmark = pytest.mark.django_db


def paper_of(party):
    """The statement, read as a run reads it."""
    company = type(party.company).objects.get(pk=party.company_id)
    lines = dict(read_movements(company, MARCH))
    return statement_paper(
        company=company,
        issuer=company_facts(company),
        account=read_accounts(company, MARCH)[party.pk],
        movements=lines.get(party.pk, []),
        period=MARCH,
    )


@pytest.fixture
def busy(company, archive_dir) -> Party:
    """A party with every kind of line, one a day from the 1st on."""
    party = new_party(company, address="The Old Foundry\n\n 27 Quayside \nBristol")
    BalanceFactory.create(party=party, opening=D("10.50"), opening_date=date(2026, 3, 3))
    posted_invoice(party, "5", day=date(2026, 2, 1))
    posted_invoice(party, "100", day=date(2026, 3, 2), due_date=date(2026, 4, 1))
    posted_return(party, "7.25", date(2026, 3, 4))
    posted_payment(party, "40", date(2026, 3, 5))
    return party


def everything(value):
    """Every value within a snapshot."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from everything(part)
    else:
        yield value


class TestTheFacts:
    def test_it_shows_every_line_with_its_running_balance(self, busy):
        lines = paper_of(busy).snapshot["lines"]
        assert [(line[0][-2:], line[1], *line[4:]) for line in lines] == [
            ("02", "invoice", "100.00", "", "105.00"),
            ("03", "adjustment", "10.50", "", "115.50"),
            ("04", "return", "", "7.25", "108.25"),
            ("05", "payment", "", "40.00", "68.25"),
        ]
        assert lines[0][2] == "INV-2026-00002"
        assert lines[1][2:4] == ["", "Balance taken over"]

    def test_its_parts_add_up(self, busy):
        snapshot = paper_of(busy).snapshot
        assert (snapshot["opening"], snapshot["closing"]) == ("5.00", "68.25")
        assert snapshot["totals"] == {"debit": "110.50", "credit": "47.25"}
        assert snapshot["ageing"] == {
            "not_due": "100.00",
            "days_1_30": "5.00",
            "days_31_60": "0.00",
            "days_61_90": "0.00",
            "over_90": "0.00",
            "unapplied": "-36.75",
            "total": "68.25",
        }

    def test_a_credit_that_was_taken_over_stands_in_the_credit_column(self, party):
        BalanceFactory.create(party=party, opening=D(-9), opening_date=MARCH.start)
        snapshot = paper_of(party).snapshot
        assert snapshot["lines"][0][4:] == ["", "9.00", "-9.00"]
        assert snapshot["closing"] == "-9.00"

    def test_addresses_have_no_empty_lines(self, busy):
        assert paper_of(busy).snapshot["party"]["address_lines"] == [
            "The Old Foundry",
            "27 Quayside",
            "Bristol",
        ]

    def test_amounts_have_the_currencys_minor_digits(self):
        party = new_party(CompanyFactory.create(currency="JPY"))
        posted_invoice(party, "1234")
        assert paper_of(party).snapshot["closing"] == "1234"

    def test_a_party_may_have_its_own_language(self, busy):
        assert paper_of(busy).locale == "en_GB"
        Party.objects.update(locale="de_DE")
        paper = paper_of(busy)
        assert (paper.locale, paper.snapshot["locale"]) == ("de_DE", "de_DE")

    def test_the_logo_is_kept_as_it_is_today(self, busy):
        company = busy.company
        company.logo.save("logo.png", ContentFile(png()))
        first = paper_of(busy).snapshot["company"]["logo"]
        company.logo.save("logo.png", ContentFile(png(size=(30, 30))))
        second = paper_of(busy).snapshot["company"]["logo"]
        assert first["sha256"] != second["sha256"]
        assert first["media_type"] == "image/png"


class TestTheForm:
    def test_it_is_json_without_floats(self, busy):
        snapshot = paper_of(busy).snapshot
        assert json.loads(json.dumps(snapshot)) == snapshot
        assert canonical(snapshot)
        kinds = {type(value) for value in everything(snapshot)}
        assert kinds <= {str, int, type(None)}
        assert [value for value in everything(snapshot) if type(value) is int] == [
            snapshot["schema"]
        ]

    def test_every_amount_is_a_plain_number_with_two_digits(self, busy):
        snapshot = paper_of(busy).snapshot
        amounts = [snapshot["opening"], snapshot["closing"], *snapshot["totals"].values()]
        amounts += snapshot["ageing"].values()
        amounts += [amount for line in snapshot["lines"] for amount in line[4:] if amount]
        assert all(re.fullmatch(r"-?\d+\.\d\d", amount) for amount in amounts)

    def test_the_same_facts_read_twice_are_the_same_paper(self, busy, monkeypatch):
        first = paper_of(busy)
        Party.objects.get(pk=busy.pk).save()
        assert paper_of(busy).snapshot == first.snapshot
        assert fingerprint(paper_of(busy)) == fingerprint(first)

    @pytest.mark.parametrize(
        "changes", [{"name": "Other"}, {"address": "Elsewhere"}, {"locale": "fr_FR"}]
    )
    def test_other_facts_are_another_paper(self, busy, changes):
        before = fingerprint(paper_of(busy))
        Party.objects.filter(pk=busy.pk).update(**changes)
        assert fingerprint(paper_of(busy)) != before


class TestWhatWasStored:
    def test_does_not_follow_the_partys_new_address(self, busy):
        document = request_document(company=busy.company, paper=paper_of(busy), by=None)
        Party.objects.update(name="New name", address="New address")
        type(busy.company).objects.update(legal_name="New company", address="New address")
        stored = Document._base_manager.get(pk=document.pk).snapshot
        assert stored["party"]["address_lines"][0] == "The Old Foundry"
        assert stored["company"]["legal_name"] == "Northgate Giftware Ltd"
        assert "New" not in json.dumps(stored)

    def test_does_not_follow_later_postings(self, busy):
        document = request_document(company=busy.company, paper=paper_of(busy), by=None)
        posted_payment(busy, "1", date(2026, 3, 9))
        assert Document._base_manager.get(pk=document.pk).snapshot["closing"] == "68.25"
        assert paper_of(busy).snapshot["closing"] == "67.25"
