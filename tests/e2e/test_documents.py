"""What a clerk does all day, in a browser."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from documents.models import Batch, BatchState, Document, DocumentState
from tests.factories import PDF, BatchFactory, BatchItemFactory, DocumentFactory, member, stored

pytestmark = pytest.mark.browser
ACCOUNT = ".bar .menu:not(.bell)"


def make_ready(document):
    Document._base_manager.filter(pk=document.pk).update(
        state=DocumentState.READY,
        pages=1,
        size=len(PDF),
        sha256="0" * 64,
        storage_key=stored(document.company, PDF),
        started_at=timezone.now(),
        finished_at=timezone.now(),
    )


@pytest.fixture
def batch(company):
    batch = BatchFactory.create(company=company, title="October")
    BatchItemFactory.create_batch(4, batch=batch)
    return batch


def test_signing_in_by_keyboard_leads_to_the_documents(signed_in: Page, company, complaints):
    expect(signed_in).to_have_title("Documents · Pressroom")
    expect(signed_in.get_by_text("No documents yet.")).to_be_visible()
    assert complaints == []


def test_the_skip_link_is_the_first_stop(signed_in: Page):
    signed_in.reload()
    signed_in.keyboard.press("Tab")
    expect(signed_in.locator(".skip-link")).to_be_focused()


def test_a_slash_leads_to_the_search_which_narrows_as_one_types(
    signed_in: Page, company, complaints
):
    DocumentFactory.create(company=company, title="Invoice for Acme")
    DocumentFactory.create(company=company, title="Invoice for Brightwater")
    signed_in.reload()
    signed_in.keyboard.press("/")
    expect(signed_in.get_by_label("Search")).to_be_focused()
    signed_in.keyboard.type("acme")
    expect(signed_in.locator("tbody tr")).to_have_count(1)
    expect(signed_in).to_have_url("/documents/?q=acme", timeout=5000)
    expect(signed_in.get_by_label("Search")).to_be_focused()
    signed_in.get_by_role("link", name="Clear").click()
    expect(signed_in.locator("tbody tr")).to_have_count(2)
    assert complaints == []


def test_a_run_advances_on_its_page_and_then_rests(signed_in: Page, batch, complaints):
    first, second, *others = [item.document for item in batch.items.order_by("position")]
    signed_in.goto(batch.get_absolute_url())
    bar = signed_in.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", "0")
    make_ready(first)
    expect(bar).to_have_attribute("aria-valuenow", "1")
    expect(signed_in).to_have_title("25 % · October · Pressroom")
    signed_in.locator(f"#d-{second.pk}").focus()
    make_ready(second)
    expect(bar).to_have_attribute("aria-valuenow", "2")
    expect(signed_in.locator(f"#d-{second.pk}")).to_be_focused()
    for document in others:
        make_ready(document)
    Batch._base_manager.update(state=BatchState.DONE, finished_at=timezone.now())
    expect(signed_in.locator("#progress .meter-line .state-done")).to_be_visible()
    expect(signed_in.locator("#news")).to_contain_text("4 ready, 0 failed")
    expect(signed_in.locator("tbody .state-ready")).to_have_count(4)
    expect(signed_in.locator("#ticker[hx-get]")).to_have_count(0)
    polls = []
    own = f"**{batch.get_absolute_url()}**"
    signed_in.on("request", lambda request: fnmatch(request.url, own) and polls.append(request.url))
    signed_in.wait_for_timeout(2500)
    assert polls == []
    assert complaints == []


def test_a_filter_of_a_run_holds_while_it_moves(signed_in: Page, batch):
    first = batch.items.order_by("position")[0].document
    signed_in.goto(batch.get_absolute_url())
    signed_in.get_by_label("State", exact=True).select_option("ready")
    expect(signed_in.get_by_text("Nothing matches.")).to_be_visible()
    expect(signed_in.locator("#count-ready")).to_have_attribute("aria-current", "true")
    make_ready(first)
    expect(signed_in.locator("tbody tr")).to_have_count(1)
    expect(signed_in.get_by_label("State", exact=True)).to_have_value("ready")


def test_a_document_becomes_ready_while_one_looks_and_is_downloaded(
    signed_in: Page, company, complaints, tmp_path: Path
):
    document = DocumentFactory.create(company=company, title="Statement “Oct” 2026")
    signed_in.goto(document.get_absolute_url())
    made = DocumentFactory.create(company=company, ready=True)
    make_ready(document)
    Document._base_manager.filter(pk=document.pk).update(sha256=made.sha256)
    with signed_in.expect_download() as waiting:
        signed_in.get_by_role("link", name="Download PDF").click()
    assert Path(waiting.value.path()).read_bytes() == PDF
    assert waiting.value.suggested_filename == "Statement “Oct” 2026.pdf"
    assert complaints == []


def test_the_session_that_ended_elsewhere_leads_to_sign_in(signed_in: Page, batch):
    signed_in.goto(batch.get_absolute_url())
    signed_in.context.clear_cookies()
    expect(signed_in).to_have_url(re.compile(r"/accounts/sign-in/\?next="))
    expect(signed_in.get_by_label("E-mail")).to_be_visible()


def test_the_colours_follow_the_system_until_one_chooses(signed_in: Page, complaints):
    root = signed_in.locator("html")
    signed_in.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    dark = signed_in.evaluate("getComputedStyle(document.body).backgroundColor")
    signed_in.get_by_text("your account").locator("..").click()
    signed_in.get_by_role("button", name="Light").click()
    expect(root).to_have_attribute("data-bs-theme", "light")
    assert signed_in.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    signed_in.reload()
    expect(root).to_have_attribute("data-bs-theme", "light")
    assert complaints == []


def test_the_menu_closes_by_escape_and_switches_companies(signed_in: Page, owner):
    other = member(user=owner.user).company
    signed_in.reload()
    signed_in.locator(f"{ACCOUNT} summary").click()
    signed_in.keyboard.press("Escape")
    expect(signed_in.locator(f"{ACCOUNT} .menu-body")).to_be_hidden()
    expect(signed_in.locator(f"{ACCOUNT} summary")).to_be_focused()
    signed_in.locator(f"{ACCOUNT} summary").click()
    signed_in.get_by_role("button", name=other.legal_name).click()
    expect(signed_in.locator(".menu-company")).to_have_text(other.legal_name)


def test_signing_out(signed_in: Page):
    signed_in.locator(f"{ACCOUNT} summary").click()
    signed_in.get_by_role("button", name="Sign out").click()
    expect(signed_in.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("width", [320, 400, 800, 1280])
def test_no_page_scrolls_sideways(signed_in: Page, company, batch, complaints, width):
    long = "Antidisestablishmentarianism" * 5
    ready = DocumentFactory.create(company=company, ready=True, title=long, recipient_name=long)
    BatchItemFactory.create(batch=batch, name=long, document=ready)
    BatchItemFactory.create(batch=batch, document=None, name=long, skipped_reason=long)
    failed = DocumentFactory.create(company=company, failed=True, recipient_name="W" * 90)
    signed_in.set_viewport_size({"width": width, "height": 700})
    for url in (
        "/documents/",
        "/documents/runs/",
        batch.get_absolute_url(),
        ready.get_absolute_url(),
        failed.get_absolute_url(),
    ):
        signed_in.goto(url)
        root = "document.documentElement"
        wider = signed_in.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
        assert wider <= 0, url
    assert complaints == []


def test_everything_that_takes_the_focus_shows_it(signed_in: Page, company):
    DocumentFactory.create(company=company, ready=True)
    signed_in.reload()
    for _ in range(18):
        signed_in.keyboard.press("Tab")
        ring = signed_in.evaluate(
            "(() => { const style = getComputedStyle(document.activeElement);"
            " return document.activeElement === document.body || style.outlineStyle !== 'none'"
            " || style.boxShadow !== 'none'; })()"
        )
        assert ring, signed_in.evaluate("document.activeElement.outerHTML")
