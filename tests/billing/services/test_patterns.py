"""Numbers as the company wants them, past what an import brought, and the audit of them."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from billing.models import Challan, Invoice, NumberSequence, Payment, Return, Series
from billing.numbering import format_number, pattern_of, take_number, validate_pattern
from billing.selectors.numbering import audit_numbers, counters_behind
from billing.services import delete_return, void_invoice
from tests.billing.factories import (
    DAY,
    InvoiceFactory,
    posted_invoice,
    posted_payment,
    posted_return,
)
from tests.billing.services.entering import delivered_challan
from tests.factories import CompanyFactory

GOOD = [
    ("INV-{year}-{number:05}", "INV-2026-00007"),
    ("{yy}/{number}", "26/7"),
    ("{number:03}.{year}", "007.2026"),
    ("Rechnung№{yy}{number:012}", "Rechnung№26000000000007"),
    ("{year}{yy}-{number}", "202626-7"),
]
BRACES = "Write {year}, {yy}, {number} or, with zeros, {number:05}."
ONCE = "A pattern holds {number} once."
YEAR = "A pattern holds {year} or {yy}: each year counts from one."
SIGNS = "A pattern holds no spaces and no invisible characters."
LONG = "Numbers of this pattern are longer than 60 characters."
TEXT = "A pattern is a text such as INV-{year}-{number:05}."
BAD = [
    ("", ONCE),
    ("INV-{number}", YEAR),
    ("INV-{year}", ONCE),
    ("{year}-{number}-{number}", ONCE),
    ("{year}-{number:5}", BRACES),
    ("{year}-{number:0}", BRACES),
    ("{year}-{number:05d}", BRACES),
    ("{year}-{number!r}", BRACES),
    ("{year}-{number.__class__}", BRACES),
    ("{year}-{number:0٥}", BRACES),
    ("{year}-{number}-{company}", BRACES),
    ("{year}-{number}-{0}", BRACES),
    ("{{year}}-{number}", BRACES),
    ("{year}-{number}}", BRACES),
    ("{year}-{{number}", BRACES),
    (" {year}-{number}", SIGNS),
    ("{year} {number}", SIGNS),
    ("{year}-{number}\n", SIGNS),
    ("{year}-{number}\0", SIGNS),
    ("{year}-{number}\u202e", SIGNS),
    ("x" * 45 + "{year}{number}", LONG),
    ("x" * 47 + "{yy}{number}", LONG),
    ("x" * 44 + "{year}{number:013}", LONG),
    ("{year}-{number:099}", LONG),
    (None, TEXT),
    (5, TEXT),
    (["{year}{number}"], TEXT),
]


class TestPatterns:
    @pytest.mark.parametrize(("pattern", "number"), GOOD)
    def test_a_good_one_is_printed(self, pattern, number):
        validate_pattern(pattern)
        assert format_number(Series.INVOICE, 2026, 7, pattern) == number

    @pytest.mark.parametrize(("pattern", "why"), BAD)
    def test_a_bad_one_is_refused_and_why(self, pattern, why):
        with pytest.raises(ValidationError) as caught:
            validate_pattern(pattern)
        assert caught.value.messages == [why]

    @pytest.mark.parametrize(
        "pattern",
        ["x" * 44 + "{year}{number}", "x" * 46 + "{yy}{number}", "x" * 43 + "{yy}x{number:014}"],
    )
    def test_the_longest_fits_the_column_with_the_highest_number(self, pattern):
        validate_pattern(pattern)
        assert len(format_number(Series.INVOICE, 2026, 10**12 - 1, pattern)) == 60

    def test_a_number_of_more_digits_than_its_zeros_is_whole(self):
        assert format_number(Series.INVOICE, 2026, 123456) == "INV-2026-123456"


@pytest.mark.django_db
class TestTaking:
    def test_each_series_has_the_companys_own(self, company, party):
        company.number_patterns = {"INV": "{yy}/{number:03}", "PAY": ""}
        company.save()
        assert posted_invoice(party, "1").invoice_number == "26/001"
        assert posted_payment(party, "1").payment_number == "PAY-2026-00001"
        assert pattern_of(company, Series.RETURN) == "RET-{year}-{number:05}"

    def test_a_changed_pattern_counts_on(self, company, party):
        posted_invoice(party, "1")
        company.number_patterns = {"INV": "{year}.{number}"}
        company.save()
        assert posted_invoice(party, "1").invoice_number == "2026.2"

    def test_a_pattern_broken_by_hand_is_a_clear_error(self, company, party):
        company.number_patterns = {"INV": "{number.__class__}"}
        company.save()
        with pytest.raises(ValidationError):
            posted_invoice(party, "1")

    def test_numbers_that_an_import_brought_are_passed_over(self, party):
        for number in [1, 2, 3, 5, *range(7, 40)]:
            InvoiceFactory.create(
                party=party, state="issued", invoice_number=f"INV-2026-{number:05}"
            )
        taken = [posted_invoice(party, "1").invoice_number for _ in range(3)]
        assert taken == ["INV-2026-00004", "INV-2026-00006", "INV-2026-00040"]

    def test_they_are_known_by_the_companys_pattern(self, company, party):
        company.number_patterns = {"INV": "R{yy}/{number}"}
        company.save()
        for number in ["R26/1", "R26/2", "INV-2026-00003"]:
            InvoiceFactory.create(party=party, state="issued", invoice_number=number)
        assert posted_invoice(party, "1").invoice_number == "R26/3"

    def test_one_that_is_free_costs_one_query_more(self, company, django_assert_num_queries):
        with transaction.atomic():
            take_number(company=company, series=Series.INVOICE, day=DAY)
            with django_assert_num_queries(4):
                take_number(company=company, series=Series.INVOICE, day=DAY)


@pytest.mark.django_db
class TestAudit:
    def fill(self, party):
        for _ in range(3):
            invoice = posted_invoice(party, "1")
            back = posted_return(party, "1")
            posted_payment(party, "1")
            delivered_challan(party)
        posted_invoice(party, "1", day=date(2025, 5, 5))
        void_invoice(invoice=invoice, reason="x", by=None)
        delete_return(return_document=back, by=None)

    def test_it_finds_nothing_in_what_the_services_made(self, company, party, capsys):
        self.fill(party)
        report = audit_numbers(company)
        assert report.is_sound
        assert [(each.series, each.year, each.taken) for each in report.series] == [
            ("CH", 2026, 3),
            ("INV", 2025, 1),
            ("INV", 2026, 3),
            ("PAY", 2026, 3),
            ("RET", 2026, 3),
        ]
        call_command("audit_numbers", company=company.slug)
        assert "No gap and no duplicate." in capsys.readouterr().out

    def test_it_knows_the_patterns_that_the_company_had(self, company, party):
        for pattern in ("{yy}-{number}", "{number}/{year}", "B{year}{number:02}"):
            company.number_patterns = {"INV": pattern}
            company.save()
            posted_invoice(party, "1")
        assert audit_numbers(company).is_sound

    def test_it_finds_a_gap(self, company, party, capsys):
        self.fill(party)
        Payment.objects.filter(payment_number="PAY-2026-00002").delete()
        [gap] = [each for each in audit_numbers(company).series if each.missing]
        assert (gap.series, gap.missing, gap.gaps) == ("PAY", 1, ["PAY-2026-00002"])
        with pytest.raises(CommandError, match="gaps"):
            call_command("audit_numbers", company=company.slug)
        assert "missing: PAY-2026-00002" in capsys.readouterr().out

    @pytest.mark.servers
    @pytest.mark.parametrize(
        ("model", "column", "number"),
        [
            (Invoice, "invoice_number", "INV-2026-00001"),
            (Payment, "payment_number", "PAY-2026-00001"),
            (Return, "return_number", "RET-2026-00001"),
            (Challan, "challan_number", "CH-2026-00001"),
        ],
    )
    def test_it_finds_a_duplicate(self, company, party, capsys, model, column, number):
        """The constraint forbids it, so it is taken away; the test's transaction brings it back."""
        [unique] = [it for it in model._meta.constraints if it.name == f"{column}_unique"]
        with connection.schema_editor() as editor:
            editor.remove_constraint(model, unique)
        self.fill(party)
        twice = model.all_objects.get(**{column: number})
        twice.pk, twice._state.adding = None, True
        twice.save(force_insert=True)
        report = audit_numbers(company)
        assert report.duplicates == [f"{number} (2 times)"]
        assert not report.is_sound
        assert audit_numbers(CompanyFactory.create()).is_sound
        with pytest.raises(CommandError, match="duplicates"):
            call_command("audit_numbers", company=company.slug)
        assert number in capsys.readouterr().out

    def test_it_counts_many_gaps_and_names_the_first(self, company):
        NumberSequence.objects.create(
            company=company, series="INV", fiscal_year=2026, next_number=12_001
        )
        [report] = audit_numbers(company).series
        assert (report.missing, len(report.gaps)) == (12_000, 100)

    def test_another_companys_numbers_are_its_own(self, company, party):
        self.fill(party)
        assert audit_numbers(CompanyFactory.create()).series == []

    def test_an_unknown_company_is_an_error(self):
        with pytest.raises(CommandError, match="nobody"):
            call_command("audit_numbers", company="nobody")


@pytest.mark.django_db
class TestCountersBehind:
    """After a restore a counter may stand below a number that is in the books."""

    def behind(self, company, year, next_number):
        NumberSequence.objects.for_company(company).filter(fiscal_year=year).update(
            next_number=next_number
        )
        return list(counters_behind(company))

    def test_what_the_services_took_is_behind_nothing(self, company, party):
        for _ in range(2):
            posted_invoice(party, "1")
        posted_payment(party, "1")
        assert list(counters_behind(company)) == []

    def test_one_below_the_highest_is_named_with_both_numbers(self, company, party):
        for _ in range(3):
            invoice = posted_invoice(party, "1")
        assert self.behind(company, 2026, 4) == []
        void_invoice(invoice=invoice, reason="x", by=None)
        assert self.behind(company, 2026, 3) == [
            f"{company.slug}: the counter of invoices 2026 stands at 3, but 3 is in the books."
        ]

    @pytest.mark.parametrize(
        "pattern", [pattern for pattern, _ in GOOD] + ["A.{yy}({number})+{yy}"]
    )
    def test_numbers_are_read_by_the_companys_pattern(self, company, party, pattern):
        company.number_patterns = {"INV": pattern}
        company.save()
        text = format_number(Series.INVOICE, 2026, 41, pattern)
        InvoiceFactory.create(party=party, state="issued", invoice_number=text)
        assert [line.split("but ")[1] for line in counters_behind(company)] == [
            "41 is in the books."
        ]

    def test_what_is_of_no_pattern_of_the_company_counts_for_nothing(self, company, party):
        for number in ["INV-26-00009", "INV-2026-9x", "xINV-2026-00009", "INV-٢٠٢٦-00009"]:
            InvoiceFactory.create(party=party, state="issued", invoice_number=number)
        assert list(counters_behind(company)) == []
