"""From a sales file to the books: whole documents, each refused line told, nothing twice."""

import csv
import gzip
import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Company
from billing.imports import ColumnError, UnreadableFile
from billing.models import Balance, Invoice, InvoiceItem, Party, Return
from tests.billing.books import assert_reconciled
from tests.billing.factories import new_party, posted_payment
from tests.billing.sales import DIRTY, HEADER, assert_adds_up, books, line, rows, run_import, write
from tests.factories import CompanyFactory

D = Decimal


def total(number):
    return Invoice.objects.get(invoice_number=number).total


@pytest.mark.django_db
class TestADirtyFile:
    def test_it_is_taken_as_far_as_it_can_be(self, company, take):
        summary = take(DIRTY).summary
        assert summary.lines_read == 10
        assert (summary.lines_taken, summary.lines_refused) == (7, 3)
        assert (summary.invoices_taken, summary.returns_taken) == (4, 1)
        assert summary.documents_refused == 2
        assert summary.parties_created == 3
        assert_reconciled(company)

    def test_each_refused_line_is_told_with_its_number(self, take):
        assert take(DIRTY).reasons == {
            4: "no party",
            8: "negative quantity on an invoice",
            9: "document refused: line 8: negative quantity on an invoice",
        }

    def test_the_reasons_are_counted_without_their_details(self, take):
        assert take(DIRTY).summary.refused_because == {
            "no party": 1,
            "negative quantity on an invoice": 1,
            "document refused": 1,
        }

    def test_a_duplicated_line_is_a_line(self, take):
        take(DIRTY)
        assert total("1001") == D("33.99")  # 2 x 6 x 2.55 + 3.39

    def test_a_documents_lines_need_not_stand_together(self, take):
        take(DIRTY)
        found = InvoiceItem.objects.filter(invoice__invoice_number="1001")
        assert list(found.values_list("position", "sku")) == [(1, "A1"), (2, "A2"), (3, "A1")]

    def test_an_invoice_of_nothing_is_taken_and_paid(self, take):
        take(DIRTY)
        invoice = Invoice.objects.get(invoice_number="1004")
        assert (invoice.total, invoice.state) == (0, "paid")

    def test_a_return_is_credit(self, take):
        take(DIRTY)
        back = Return.objects.get(return_number="C1006")
        assert (back.total, back.party.code, back.reason) == (D("5.10"), "17850", "Imported")

    def test_parties_are_made_with_what_is_known_of_them(self, take):
        take(DIRTY)
        found = Party.objects.values_list("code", "name", "country", "address")
        assert sorted(found) == [
            ("12583", "Account 12583", "", "Channel Islands"),
            ("13047", "Account 13047", "IE", ""),
            ("17850", "Account 17850", "GB", ""),
        ]

    def test_balances_hold_what_came_in(self, take):
        take(DIRTY)
        found = dict(Balance.objects.values_list("party__code", "current"))
        assert found == {"17850": D("50.89"), "13047": D(0), "12583": D(5)}

    def test_text_beyond_ascii_comes_through(self, take):
        take(DIRTY)
        assert InvoiceItem.objects.filter(description="£5 voucher").exists()


@pytest.mark.django_db
class TestParties:
    def test_a_party_that_is_there_is_used_with_its_terms(self, company, take):
        known = new_party(company, "17850", name="Harbour", payment_terms_days=14)
        assert take(rows(line())).summary.parties_created == 0
        invoice = Invoice.objects.get()
        assert (invoice.party, invoice.due_date) == (known, date(2010, 12, 15))
        assert invoice.billed_to["name"] == "Harbour"

    def test_a_party_that_was_deleted_is_not_made_twice(self, company, take):
        known = new_party(company, "17850", is_active=False)
        take(rows(line()))
        assert list(Party.all_objects.all()) == [known]
        assert not Invoice.objects.exists()

    def test_another_companys_party_is_another(self, company, take):
        stranger = new_party(CompanyFactory.create(), "17850")
        take(rows(line()))
        assert Invoice.objects.get().party != stranger
        assert Invoice.objects.get().party.company == company

    def test_the_first_name_given_is_taken(self, take):
        header = HEADER + ",Customer name"
        take(rows([*line(), ""], [*line(), "Harbour & Hill"], header=header))
        assert Party.objects.get().name == "Harbour & Hill"


@pytest.mark.django_db
class TestWholeDocuments:
    def test_one_bad_line_refuses_the_document_and_no_other(self, take):
        taken = take(rows(line(), line(quantity="x"), line(number="1002"), line()))
        assert taken.reasons == {
            2: "document refused: line 3: quantity is not a number: 'x'",
            3: "quantity is not a number: 'x'",
            5: "document refused: line 3: quantity is not a number: 'x'",
        }
        assert list(Invoice.objects.values_list("invoice_number", flat=True)) == ["1002"]

    def test_a_line_with_too_many_fields_refuses_its_document_too(self, take):
        taken = take(rows(line(), [*line(), "more"], line(number="1002")))
        assert taken.reasons[2].startswith("document refused: line 3: wrong number of fields")
        assert Invoice.objects.get().invoice_number == "1002"

    def test_lines_of_two_parties_are_no_document(self, take):
        taken = take(rows(line(), line(party="13047")))
        reason = "document refused: line 3 has another party than line 2"
        assert taken.reasons == {2: reason, 3: reason}
        assert not Invoice.objects.exists()
        assert not Party.objects.exists()

    def test_lines_of_two_days_are_no_document_but_of_two_times_are(self, take):
        taken = take(
            rows(
                line(date="2010-12-01 09:59"),
                line(date="2010-12-01 10:00"),
                line(number="1002"),
                line(number="1002", date="2010-12-02"),
            )
        )
        assert list(taken.refused) == [4, 5]
        assert taken.reasons[4] == "document refused: line 5 has another date than line 4"

    def test_one_that_is_larger_than_the_books_is_refused_and_the_rest_goes_in(self, take):
        huge = line(quantity="999999999", price="99999999")
        taken = take(rows(huge, line(number="1002")))
        assert taken.reasons == {2: "document refused: its total is 10,000,000,000,000 or more"}
        assert Invoice.objects.get().invoice_number == "1002"

    def test_a_line_at_the_end_of_time_does_not_stop_the_others(self, take):
        taken = take(rows(line(date="9999-12-31"), line(number="1002")))
        assert list(taken.refused) == [2]
        assert Invoice.objects.get().invoice_number == "1002"

    def test_tax_is_computed_on_the_document(self, take):
        header = HEADER + ",VAT rate"
        lines = [[*line(quantity="1", price="0.02"), "20%"] for _ in range(3)]
        take(rows(*lines, header=header))
        invoice = Invoice.objects.get()
        assert (invoice.net, invoice.tax, invoice.total) == (D("0.06"), D("0.01"), D("0.07"))


@pytest.mark.django_db
class TestTheFile:
    @pytest.mark.parametrize("name", ["sales.csv", "sales.csv.gz"])
    def test_plain_and_gzipped_are_read_alike(self, take, name):
        taken = take(DIRTY, name)
        assert taken.summary.lines_taken == 7
        assert list(taken.refused) == [4, 8, 9]

    def test_a_byte_order_mark_is_no_part_of_the_header(self, take):
        assert take(b"\xef\xbb\xbf" + DIRTY.encode()).summary.lines_taken == 7

    def test_line_ends_of_windows_are_line_ends(self, take):
        taken = take(DIRTY.replace("\n", "\r\n"))
        assert list(taken.refused) == [4, 8, 9]
        assert taken.summary.lines_taken == 7

    def test_empty_lines_are_no_lines_but_count_in_the_numbers(self, take):
        taken = take(rows(line()) + "\n\n" + ",".join(map(str, line(party=""))) + "\n")
        assert taken.summary.lines_read == 2
        assert list(taken.refused) == [2, 5]

    def test_line_numbers_are_right_after_line_ends_within_quotes(self, take):
        taken = take(
            rows(
                line(description="three\nlines\nlong"),
                line(number="1002", description="two\nlines", party=""),
                line(number="1003", party=""),
            )
        )
        assert list(taken.refused) == [5, 7]
        assert InvoiceItem.objects.get().description == "three\nlines\nlong"

    def test_a_file_without_lines_comes_to_nothing(self, take):
        assert take(HEADER + "\n").summary.lines_read == 0

    @pytest.mark.parametrize("name", ["sales.csv", "sales.csv.gz"])
    def test_an_empty_file_is_refused(self, take, name):
        with pytest.raises(UnreadableFile, match="the file is empty"):
            take("", name)

    @pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
    def test_a_gzip_file_that_breaks_off_posts_nothing(self, company, tmp_path, kept):
        whole = gzip.compress(rows(*[line(number=str(n)) for n in range(3000)]).encode())
        path = tmp_path / "sales.csv.gz"
        path.write_bytes(whole[: int(len(whole) * kept)])
        with pytest.raises(UnreadableFile):
            run_import(company, path)
        assert not Invoice.objects.exists()
        assert not Party.objects.exists()

    def test_a_gzip_file_with_damage_inside_posts_nothing(self, company, tmp_path):
        whole = bytearray(gzip.compress(rows(*[line(number=str(n)) for n in range(3000)]).encode()))
        whole[len(whole) // 2 : len(whole) // 2 + 40] = b"\xff" * 40
        path = tmp_path / "sales.csv.gz"
        path.write_bytes(whole)
        with pytest.raises(UnreadableFile):
            run_import(company, path)
        assert not Invoice.objects.exists()

    def test_what_is_called_gz_and_is_none_is_refused(self, company, tmp_path):
        path = tmp_path / "sales.csv.gz"
        path.write_text(DIRTY)
        with pytest.raises(UnreadableFile):
            run_import(company, path)

    def test_a_missing_column_posts_nothing(self, take):
        with pytest.raises(ColumnError, match="party_code"):
            take(DIRTY.replace("CustomerID", "Who"))
        assert not Invoice.objects.exists()

    def test_a_missing_column_can_be_named(self, take):
        taken = take(DIRTY.replace("CustomerID", "Who"), columns={"party_code": "Who"})
        assert taken.summary.lines_taken == 7

    def test_a_line_that_is_not_utf_8_is_refused_and_told(self, take):
        content = rows(line(), line(number="1002", description="CAF#"))
        taken = take(content.encode().replace(b"#", b"\xe9"))
        assert taken.reasons == {3: "description is not UTF-8"}
        assert "\\\\xe9" in taken.refused[3][2]
        assert taken.summary.lines_taken == 1

    def test_a_line_with_a_nul_is_refused_and_told(self, take):
        taken = take(rows(line(), line(number="1002", sku="A\0")))
        assert taken.reasons == {3: "sku holds a NUL character"}
        assert "\\\\0" in taken.refused[3][2]

    def test_a_huge_field_refuses_its_line_alone(self, take):
        taken = take(rows(line(), line(number="1002", description="x" * 200_000), line()))
        assert list(taken.refused) == [3]
        assert taken.reasons == {3: "description is longer than 131,072 characters"}
        assert taken.summary.lines_taken == 2

    def test_a_long_description_is_kept_whole(self, take):
        take(rows(line(description="x" * 100_000)))
        assert len(InvoiceItem.objects.get().description) == 100_000

    def test_without_a_prefix_a_c_is_an_invoice(self, take):
        take(rows(line(number="C1")), returns_prefix="")
        assert Invoice.objects.get().invoice_number == "C1"


@pytest.mark.django_db
class TestTwice:
    def test_a_second_run_imports_nothing_and_moves_nothing(self, company, take):
        take(DIRTY)
        before = books(company)
        second = take(DIRTY).summary
        assert second.lines_there_already == 7
        assert (second.lines_taken, second.parties_created, second.invoices_taken) == (0, 0, 0)
        assert second.documents_there_already == 5
        assert books(company) == before
        assert_reconciled(company)

    def test_it_finds_a_document_that_was_paid_since(self, company, take):
        take(DIRTY)
        invoice = Invoice.objects.get(invoice_number="1001")
        posted_payment(invoice.party, "5", invoice=invoice)
        assert take(DIRTY).summary.lines_there_already == 7
        assert_reconciled(company)

    def test_it_finds_a_document_that_was_deleted_since(self, take):
        take(DIRTY)
        Invoice.objects.filter(invoice_number="1001").update(is_active=False)
        assert take(DIRTY).summary.lines_there_already == 7

    def test_only_what_is_new_goes_in(self, company, take):
        take(DIRTY)
        summary = take(DIRTY + ",".join(map(str, line(number="1999"))) + "\n").summary
        assert (summary.lines_taken, summary.invoices_taken) == (1, 1)
        assert_reconciled(company)

    @pytest.mark.parametrize(
        "changes", [{"quantity": "3"}, {"party": "99999"}, {"date": "2010-12-02"}]
    )
    def test_the_same_number_with_other_content_is_a_conflict(self, company, take, changes):
        take(rows(line()))
        before = books(company)
        taken = take(rows(line(**changes), line(number="1002")))
        assert taken.reasons == {2: "number in the books with other content: 1001"}
        assert (taken.summary.documents_refused, taken.summary.lines_taken) == (1, 1)
        assert books(company)["invoices"][0] == before["invoices"][0]
        assert_reconciled(company)

    def test_a_conflict_makes_no_party(self, take):
        take(rows(line()))
        assert take(rows(line(party="99999"))).summary.parties_created == 0
        assert not Party.objects.filter(code="99999").exists()

    def test_an_invoice_and_a_return_may_share_a_number(self, take):
        take(rows(line(number="C1")), returns_prefix="")
        assert take(rows(line(number="C1", quantity="-1"))).summary.returns_taken == 1

    def test_another_companys_number_is_another(self, company, take, tmp_path):
        take(DIRTY)
        other = CompanyFactory.create()
        assert run_import(other, tmp_path / "sales.csv").summary.lines_taken == 7
        assert books(other) == books(company)


@pytest.mark.django_db
class TestTheCommand:
    def run(self, path, *arguments):
        out = StringIO()
        call_command("import_sales", str(path), *arguments, stdout=out)
        return json.loads(out.getvalue())

    def test_it_ends_with_a_summary_that_adds_up_and_a_report(self, company, tmp_path):
        path, report = write(tmp_path / "sales.csv", DIRTY), tmp_path / "report.csv"
        said = self.run(path, "--company=northgate", "--returns-prefix=C", f"--report={report}")
        assert_adds_up(said)
        assert (said["company"], said["lines_taken"]) == ("northgate", 7)
        with report.open(encoding="utf-8", newline="") as file:
            told = list(csv.DictReader(file))
        assert [int(row["line"]) for row in told] == [4, 8, 9]
        assert [row["document"] for row in told] == ["1002", "1005", "1005"]
        assert json.loads(told[0]["content"])[0] == "1002"
        assert told[0]["reason"] == "no party"

    def test_it_can_make_the_company(self, tmp_path):
        path = write(tmp_path / "sales.csv", rows(line()))
        arguments = ["--create-company", "--currency=USD", "--locale=en_US"]
        self.run(path, "--company=new-one", *arguments)
        made = Company.objects.get(slug="new-one")
        assert (made.legal_name, made.currency, made.country) == ("New One", "USD", "US")

    def test_it_does_not_make_one_unasked(self, tmp_path):
        path = write(tmp_path / "sales.csv", DIRTY)
        with pytest.raises(CommandError, match="--create-company"):
            self.run(path, "--company=new-one")
        assert not Company.objects.exists()

    @pytest.mark.parametrize(
        ("currency", "said"),
        [("XXL", "'XXL' is not a currency"), ("UYW", "currency: UYW has more")],
    )
    def test_it_makes_none_with_a_currency_that_is_none(self, tmp_path, currency, said):
        path = write(tmp_path / "sales.csv", DIRTY)
        with pytest.raises(CommandError, match=said):
            self.run(path, "--company=new-one", "--create-company", f"--currency={currency}")

    def test_a_file_that_is_not_there_is_said(self, company, tmp_path):
        with pytest.raises(CommandError, match="There is no file"):
            self.run(tmp_path / "none.csv", "--company=northgate")

    def test_an_unreadable_file_is_said(self, company, tmp_path):
        with pytest.raises(CommandError, match="the file is empty"):
            self.run(write(tmp_path / "sales.csv", ""), "--company=northgate")

    @pytest.mark.parametrize("pair", ["party_code", "party_code=", "who=Who", "=Who"])
    def test_a_mapping_that_is_none_is_said(self, company, tmp_path, pair):
        path = write(tmp_path / "sales.csv", DIRTY)
        with pytest.raises(CommandError, match="write FIELD=HEADER"):
            self.run(path, "--company=northgate", f"--column={pair}")

    def test_a_mapping_is_used(self, company, tmp_path):
        path = write(tmp_path / "sales.csv", DIRTY.replace("CustomerID", "Who is it"))
        arguments = ["--column=party_code=Who is it", "--returns-prefix=C"]
        assert self.run(path, "--company=northgate", *arguments)["lines_taken"] == 7
