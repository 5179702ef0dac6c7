"""A party's data is handed over and erased, but for what the tax law wants kept."""

import json
import zipfile
from datetime import date
from io import StringIO
from uuid import uuid4

import pytest
from auditlog.models import LogEntry
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing.models import Invoice, Party
from billing.selectors.retention import first_kept_day, kept_until
from billing.services.parties import save_party
from documents.models import Delivery, DeliveryState, Document
from tests.billing.factories import new_party, posted_invoice, posted_payment
from tests.documents.archived import lose, path_of, with_file
from tests.factories import PDF, CompanyFactory, DocumentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("archive_dir")]

EMAIL = "jane.doe@customer.example"


@pytest.fixture
def company():
    return CompanyFactory.create(slug="northgate", fiscal_year_start_month=4)


@pytest.fixture
def party(company):
    party = new_party(company, "P1", name="Jane Doe", phone="+44 117 496 0000")
    party.email = EMAIL
    save_party(party=party, by=None)
    return party


def paper(party, **options):
    return DocumentFactory.create(
        company=party.company,
        recipient_id=party.pk,
        recipient_name=party.name,
        snapshot={"party": {"name": party.name}},
        ready=True,
        **options,
    )


def delivery(document, state):
    return Delivery.objects.create(
        company=document.company,
        document=document,
        recipient_id=document.recipient_id,
        recipient_name="Jane Doe",
        address=EMAIL,
        body="Dear Jane",
        message_id=f"{document.pk}@example.org",
        state=state,
    )


def erase(*options):
    said = StringIO()
    call_command("erase_party", "P1", "--company", "northgate", "--no-input", *options, stdout=said)
    return said.getvalue()


def test_everything_of_a_party_is_handed_over_and_nothing_of_another(party, company, tmp_path):
    invoice = posted_invoice(party, "100")
    posted_payment(party, "40", invoice=invoice)
    document = paper(party)
    delivery(document, DeliveryState.SENT)
    other = new_party(company, "P2", name="Somebody Else")
    posted_invoice(other, "7")
    paper(other)
    path = tmp_path / "party.zip"
    call_command("export_party", "P1", "--company", "northgate", "--to", str(path))
    with zipfile.ZipFile(path) as file:
        text = file.read("party.json").decode()
        assert file.read(f"papers/{document.pk}.pdf") == PDF
        assert len(file.namelist()) == 2
    facts = json.loads(text)
    assert facts["party"][0]["email"] == EMAIL
    assert [row["total"] for row in facts["billing.invoice"]] == ["100.000"]
    assert len(facts["billing.invoiceitem"]) == len(facts["billing.payment"]) == 1
    assert facts["deliveries"][0]["address"] == EMAIL
    assert any("email" in change["changes"] for change in facts["changes"])
    assert "Somebody Else" not in text


def test_a_paper_that_is_lost_is_named_and_the_rest_handed_over(party, tmp_path, capsys):
    kept = paper(party)
    lost = with_file(b"%PDF another", company=party.company, recipient_id=party.pk)
    lose(path_of(lost))
    path = tmp_path / "party.zip"
    with pytest.raises(SystemExit) as ended:
        call_command("export_party", "P1", "--company", "northgate", "--to", str(path))
    assert ended.value.code == 1
    assert f"{lost.storage_key} is missing" in capsys.readouterr().err
    with zipfile.ZipFile(path) as file:
        assert f"papers/{kept.pk}.pdf" in file.namelist()
        assert f"papers/{lost.pk}.pdf" not in file.namelist()


@pytest.mark.parametrize("name", ["missing/party.zip", "."])
def test_a_place_that_can_not_be_written_is_told_and_leaves_no_trail(party, tmp_path, name):
    with pytest.raises(CommandError, match="The export was not finished"):
        call_command("export_party", "P1", company="northgate", to=tmp_path / name)
    trail = LogEntry.objects.get_for_object(party)
    assert not trail.filter(changes__has_key="personal data").exists()


def test_who_handed_it_over_stands_in_the_trail(party, tmp_path, monkeypatch):
    monkeypatch.setenv("LOGNAME", "olive")
    path = tmp_path / "party.zip"
    call_command("export_party", "P1", "--company", "northgate", "--to", str(path))
    [entry] = LogEntry.objects.get_for_object(party).filter(changes__has_key="personal data")
    assert entry.changes["personal data"] == ["", "exported at the command line by olive"]
    assert entry.timestamp


def test_contact_data_goes_and_what_the_tax_law_wants_stays(party):
    invoice = posted_invoice(party, "100", day=date(2026, 3, 10))
    waiting = delivery(paper(party), DeliveryState.QUEUED)
    sent = delivery(paper(party), DeliveryState.SENT)
    said = erase()
    party.refresh_from_db()
    assert (party.email, party.phone, party.name) == ("", "", "Jane Doe")
    assert Invoice.objects.get(pk=invoice.pk).billed_to["name"] == "Jane Doe"
    for row in (waiting, sent):
        row.refresh_from_db()
    assert (waiting.state, sent.state) == (DeliveryState.CANCELLED, DeliveryState.SENT)
    assert {waiting.address, sent.address, sent.recipient_name, sent.body} == {"erased", ""}
    # The fiscal year of that day ends in March 2026.
    assert "stays: 1 issued invoices, until 2036-03-31" in said
    assert EMAIL not in str(list(LogEntry.objects.values_list("changes", "object_repr")))
    assert LogEntry.objects.get_for_object(party).filter(changes__has_key="personal data").exists()


def told(document, state, **fields):
    """A delivery whose every text names the party."""
    row = delivery(document, DeliveryState.QUEUED)
    said = f"550 <{EMAIL}>: no such user"
    texts = {"failure": said, "failure_detail": said, "answer": said}
    mine = Delivery.objects.filter(pk=row.pk)
    mine.update(state=state, subject="Invoice for Jane Doe", **texts, **fields)
    return row


def test_no_text_of_an_e_mail_that_ended_names_the_party(party):
    posted_invoice(party, "100")
    ended = ("SENT", "FAILED", "UNKNOWN", "BOUNCED", "CANCELLED")
    rows = [told(paper(party), DeliveryState[name]) for name in ended]
    erase()
    found = Delivery.objects.filter(pk__in=[row.pk for row in rows]).values()
    assert len(found) == len(ended)
    assert "Jane" not in str(list(found))
    assert EMAIL not in str(list(found))


def test_an_e_mail_that_a_worker_has_not_handed_over_yet_is_not_sent(party):
    row = told(paper(party), DeliveryState.RUNNING, token=uuid4())
    taken = Delivery.objects.get(pk=row.pk)
    assert "1 e-mails cancelled" in erase()
    assert not taken.hand_over()
    row.refresh_from_db()
    assert (row.state, row.address, row.subject) == (DeliveryState.CANCELLED, "erased", "")


def test_nothing_is_erased_while_a_mail_server_gets_an_e_mail(party):
    waiting = delivery(paper(party), DeliveryState.QUEUED)
    told(paper(party), DeliveryState.RUNNING, token=uuid4(), handing_over_at=timezone.now())
    with pytest.raises(CommandError, match="being sent to this party"):
        erase()
    party.refresh_from_db()
    waiting.refresh_from_db()
    assert (party.email, waiting.state) == (EMAIL, DeliveryState.QUEUED)


def test_who_is_on_no_kept_record_goes_by_name_too(party):
    assert "Name and address went" in erase()
    party = Party.all_objects.get(pk=party.pk)
    assert (party.name, party.address, party.country) == ("erased", "", "")
    assert not party.is_active
    assert "Jane Doe" not in str(list(LogEntry.objects.values_list("changes", "object_repr")))


def test_papers_that_are_old_enough_go_only_when_that_is_asked_for(party, company):
    day = first_kept_day(company)
    old = paper(party, period_start=date(day.year - 1, 1, 1), period_end=date(day.year - 1, 1, 31))
    young = paper(party, period_start=day, period_end=day)
    erase()
    assert Document.objects.get(pk=old.pk).state == "ready"
    assert "1 papers removed" in erase("--apply-retention")
    gone = Document.objects.get(pk=old.pk)
    assert (gone.state, gone.storage_key, gone.snapshot) == ("cancelled", "", {})
    assert gone.recipient_name == ""
    assert Document.objects.get(pk=young.pk).state == "ready"


def test_records_are_kept_ten_years_from_the_end_of_their_fiscal_year(company, settings):
    assert kept_until(company, date(2026, 3, 31)) == date(2036, 3, 31)
    assert kept_until(company, date(2026, 4, 1)) == date(2037, 3, 31)
    settings.RETENTION_YEARS = 6
    assert kept_until(company, date(2026, 4, 1)) == date(2033, 3, 31)


def test_an_unknown_party_and_an_answer_that_is_not_erase_change_nothing(party, monkeypatch):
    with pytest.raises(CommandError, match="no party 'P9'"):
        call_command("erase_party", "P9", company="northgate")
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("erase_party", "P1", company="northgate")
    party.refresh_from_db()
    assert party.email == EMAIL


def test_where_nobody_can_answer_nobody_is_erased(party, monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO())
    with pytest.raises(CommandError, match=r"Nothing was changed: .* --no-input"):
        call_command("erase_party", "P1", company="northgate")
    party.refresh_from_db()
    assert party.email == EMAIL
