"""A run of statements by a real worker, from the wizard to the ZIP, and what failed once more."""

import hashlib
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Membership
from billing.dates import Period
from billing.models import Party
from billing.services.statement_runs import start_statement_run
from documents.models import Batch, BatchState, Document, DocumentState
from documents.selectors.bundles import cover_of, jobs_of
from tests.billing.factories import new_party, posted_invoice
from tests.e2e.office import archive_away, assert_fits_a_phone, downloaded, frozen, sign_in
from tests.processes import Running, eventually

pytestmark = [
    pytest.mark.browser,
    pytest.mark.servers,
    pytest.mark.django_db(transaction=True),
]
PARTIES = 24
MARCH = Period.month("2026-03")


def ready() -> int:
    return Document.objects.filter(state=DocumentState.READY).count()


def parties_with_invoices(owner: Membership, count: int) -> list[Party]:
    parties = [
        new_party(owner.company, code=f"C{number:02}", name=f"Customer {number}")
        for number in range(1, count + 1)
    ]
    for party in parties:
        posted_invoice(party, "100.50")
    return parties


def ask_for_a_run(page: Page) -> None:
    """By the wizard, to the page of the run."""
    page.goto("/documents/runs/")
    page.get_by_role("link", name="Statement run").click()
    page.get_by_label("Month").fill("2026-03")
    assert_fits_a_phone(page)
    page.get_by_role("button", name="Show the dry run").click()
    expect(page.locator("#included")).to_have_text(str(PARTIES))
    expect(page.locator("#left-out")).to_have_text("1")
    expect(page.locator("#no-email")).to_have_text("1")
    expect(page.locator("tfoot")).to_contain_text("£2,412.00")
    assert_fits_a_phone(page)
    page.locator("#part-left-out").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Quiet Cottage")
    expect(page.locator("tbody td.remark")).not_to_be_empty()
    page.locator("#close-books").click()
    expect(page.locator("#messages")).to_contain_text("closed")
    expect(page.locator("#close-books")).to_have_count(0)
    page.get_by_role("button", name=f"Make {PARTIES} statements").click()
    expect(page.locator("#progress")).to_be_visible()


def expect_to_find_it_going_on(page: Page, batch: Batch) -> None:
    """From the list of runs."""
    page.goto("/documents/runs/")
    assert_fits_a_phone(page)
    page.locator(f"#b-{batch.pk}").click()
    expect(page).to_have_url(batch.get_absolute_url())
    expect(page.locator("#progress .meter-line .state-running")).to_be_visible()
    assert_fits_a_phone(page)


def test_a_run_goes_on_while_its_tab_is_closed_and_ends_as_a_zip(
    at_work: Running, owner: Membership, signed_in: Page, another_browser, complaints, tmp_path
):
    parties = parties_with_invoices(owner, PARTIES)
    Party.objects.filter(pk=parties[0].pk).update(email="")
    new_party(owner.company, code="QC", name="Quiet Cottage")
    ask_for_a_run(signed_in)
    batch = Batch.objects.get()
    eventually(lambda: ready() > 0)
    with frozen(at_work):
        assert 0 < ready() < PARTIES
        signed_in.close()
        expect_to_find_it_going_on(signed_in.context.new_page(), batch)
        elsewhere = another_browser()
        elsewhere.goto("/documents/runs/")
        sign_in(elsewhere)
        expect(elsewhere).to_have_title("Runs · Pressroom")
        expect_to_find_it_going_on(elsewhere, batch)
    expect(elsewhere.locator("#progress .meter-line .state-done")).to_be_visible(timeout=30_000)
    expect(elsewhere.locator("#count-ready")).to_contain_text(f"{PARTIES} ready")
    expect(elsewhere.locator("#get-zip")).to_be_visible()
    assert_fits_a_phone(elsewhere)
    file = downloaded(elsewhere, elsewhere.locator("#get-zip"), tmp_path / "run.zip")
    assert_holds_each_paper(file, batch)
    assert complaints == []


def assert_holds_each_paper(file: Path, batch: Batch) -> None:
    """And the covering list, first, each as it was recorded."""
    papers = batch.items.filter(document__state=DocumentState.READY)
    recorded = dict(papers.values_list("code", "document__sha256"))
    cover = cover_of(batch, jobs_of(batch)).document
    assert cover is not None
    recorded["00"] = cover.sha256
    with zipfile.ZipFile(file) as found:
        assert found.testzip() is None
        names = found.namelist()
        contents = {
            name.split(" ")[0]: hashlib.sha256(found.read(name)).hexdigest() for name in names
        }
    assert names[0].startswith("00 Covering list")
    assert len(names) == len(recorded)
    assert contents == recorded


@pytest.mark.parametrize("at_work", [{"PRESSROOM_MAX_ATTEMPTS": "1"}], indirect=True)
def test_what_failed_is_tried_again_and_nothing_else(
    at_work: Running, owner: Membership, signed_in: Page, complaints, tmp_path: Path
):
    page = signed_in
    parties = parties_with_invoices(owner, 4)
    early = start_statement_run(
        company=owner.company, period=MARCH, by=owner.user, parties=parties[:1]
    )
    eventually(lambda: is_done(early))
    made_early = Document.objects.filter(batch_items__batch=early).values("attempts", "finished_at")
    before = made_early.get()
    with archive_away(owner.company):
        batch = start_statement_run(company=owner.company, period=MARCH, by=owner.user)
        page.goto(batch.get_absolute_url())
        expect(page.locator("#progress .meter-line .state-done")).to_be_visible(timeout=20_000)
        expect(page.locator("#count-ready")).to_contain_text("1 ready")
        expect(page.locator("#count-failed")).to_contain_text("3 failed")
        row = page.locator("tbody tr", has_text="Customer 2")
        expect(row).to_contain_text("The archive can't be written to.")
        assert_fits_a_phone(page)
    row.get_by_role("link", name="Customer 2").click()
    expect(page.locator("#facts")).to_contain_text("The archive can't be written to.")
    assert_fits_a_phone(page)
    page.locator("#retry").click()
    expect(page.locator("#facts .headline .state-ready")).to_be_visible()

    page.goto(batch.get_absolute_url())
    expect(page.locator("#count-ready")).to_contain_text("2 ready")
    page.get_by_role("button", name="Retry the failed").click()
    expect(page.locator("#messages")).to_contain_text("2 queued again.")
    expect(page.locator("#progress .meter-line .state-done")).to_be_visible()
    expect(page.locator("#count-ready")).to_contain_text("4 ready")
    expect(page.locator("#files .state-failed")).to_have_count(0)
    assert made_early.get() == before
    assert_holds_each_paper(downloaded(page, page.locator("#get-zip"), tmp_path / "run.zip"), batch)
    assert complaints == []


def is_done(batch: Batch) -> bool:
    return Batch.objects.filter(pk=batch.pk, state=BatchState.DONE).exists()
