"""People at work, in short: everything they asked for is there. And what goes wrong is noticed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.load.__main__ import lines, measure
from bench.load.books import complaints_of
from bench.load.browser import Browser, Kind, Record, WentWrong
from bench.load.stack import Stack
from bench.load.watching import served
from bench.load.working import is_sound
from billing.models import Balance, Invoice, NumberSequence
from billing.services.papers import request_paper
from documents.models import Document
from documents.services.making import make_document
from tests.billing.factories import PartyFactory, posted_invoice
from tests.processes import _test_database_url, private_broker
from worker.running import work_on

# One worker for all, and no beat: they take seconds to start.
FEW = {
    "web": ("web",),
    "dispatcher": ("dispatcher",),
    "worker interactive": ("worker", "interactive,batch,mail,recompute", "1"),
}
FORM = '<input type="hidden" name="csrfmiddlewaretoken" value="abc">'


# --- The whole, with few people ------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_people_at_work_meet_no_error_and_lose_nothing(tmp_path: Path, transactional_db):
    with private_broker() as broker:
        made = Stack(tmp_path, _test_database_url(), broker, FEW)
        made.manage("collectstatic", "--noinput", "--verbosity", "0")
        try:
            how = {"ramp": 1.0, "settle": 0.0, "seconds": 5.0, "pace": 0.05}
            # However slow the machine that it runs on.
            told = measure(made, steps=[2, 4], parties=50, limit=1e6, **how)
        finally:
            made.stop()
    assert (told["failures"], told["complaints"]) == ([], [])
    assert told["answered 5xx, says the web"] == 0
    assert told["sound"] is True
    assert told["papers asked for"] == told["invoices entered"] > 0
    assert (
        Document.objects.across_companies().filter(kind="invoice", state="ready").count()
        == (told["papers asked for"])
    )
    assert_has_its_shape(told)


def assert_has_its_shape(told: dict[str, Any]) -> None:
    assert [step["users"] for step in told["steps"]] == [2, 4]
    for step in told["steps"]:
        assert 0 < step["p50"] <= step["p95"] <= step["p99"]
        assert step["requests_a_second"] > step["pages_a_second"] > 0
        assert {"page", "part"} <= set(step["kinds"])
        used = step["meanwhile"]["processors used"]
        assert {"web", "database", "broker", "worker interactive", "people", "all else"} <= set(
            used
        )
        assert used["web"] > 0
        assert used["database"] > 0
        assert step["meanwhile"]["sessions"] > 0
        assert step["meanwhile"]["busy threads"] > 0
    assert {"people", "requests a second", "passed at", "bound by"} < set(told["knee"])
    shown = "\n".join(lines(told))
    assert "| people | requests/s |" in shown
    assert "nothing lost, no error" in shown


# --- An answer that nobody should get ------------------------------------------------------------
@contextmanager
def site(*answers: int) -> Iterator[int]:
    """Answers with these, one after the other, and then hangs up; its port."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not left:
                self.connection.close()
                return
            self.send_response(left.pop(0))
            self.send_header("Location", "/elsewhere/")
            self.end_headers()
            self.wfile.write(FORM.encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def browser_at(port: int) -> Browser:
    return Browser(host="billing.test", port=port, address="10.0.0.1", record=Record())


@pytest.mark.parametrize("status", [500, 502, 503, 403, 404, 429])
def test_an_answer_that_nobody_should_get_is_noticed(status):
    with site(200, status) as port:
        browser = browser_at(port)
        browser.get("/", "page")
        with pytest.raises(WentWrong):
            browser.get("/", "page")
    (failure,) = browser.record.failures
    assert failure["what"] == f"{status} instead of 200"
    assert len(browser.record.samples) == 2  # a slow error counts among the times as well


def test_a_request_that_gets_no_answer_is_noticed():
    with site() as port:
        browser = browser_at(port)
        with pytest.raises(WentWrong):
            browser.get("/", "page")
    assert "no answer" in str(browser.record.failures[0]["what"])


def test_a_form_that_is_shown_again_is_noticed():
    """It was refused: where it leads elsewhere, it was taken."""
    with site(302, 200) as port:
        browser = browser_at(port)
        assert browser.submit("/", {}, "enter", page=FORM) == "/elsewhere/"
        with pytest.raises(WentWrong):
            browser.submit("/", {}, "enter", page=FORM, kind=Kind.PAGE)
    assert [it["what"] for it in browser.record.failures] == ["200 instead of 302"]


def test_an_error_that_only_the_web_saw_is_noticed(tmp_path):
    log = tmp_path / "web.log"
    log.write_text(
        'noise\n{"event": "request", "status": 500, "milliseconds": 7,'
        ' "timestamp": "2026-11-23T02:00:00Z"}\n'
    )
    ((_, milliseconds, status),) = served(log)
    assert (milliseconds, status) == (7, 500)
    nothing: dict[str, Any] = {"failures": [], "complaints": [], "answers": 9}
    assert is_sound({**nothing, "answered 5xx, says the web": 0})
    assert not is_sound({**nothing, "answered 5xx, says the web": 1})
    assert not is_sound({**nothing, "answered 5xx, says the web": 0, "answers": 0})


# --- What is lost --------------------------------------------------------------------------------
@pytest.fixture
def party(db):
    return PartyFactory.create()


def worked(party: Any, place: int, *, is_made: bool = True) -> SimpleNamespace:
    """What one round leaves behind, in the books and in the person's memory."""
    reference = f"LOAD-0001-{place:05}"
    invoice = posted_invoice(party, "12.50", reference=reference)
    address = f"/billing/invoices/{invoice.pk}/"
    paper = request_paper(record=invoice, by=None)
    if is_made:
        work_on(Document, paper.pk, make_document)
        paper = Document.objects.for_company(party.company).get(pk=paper.pk)
    number = invoice.invoice_number
    return SimpleNamespace(
        invoice=invoice,
        paper=paper,
        entered={"reference": reference, "address": address, "number": number},
        asked={
            "invoice": address,
            "number": number,
            "sha256": paper.sha256,
            "fingerprint": paper.fingerprint,
        },
    )


def complaints(party: Any, *rounds: SimpleNamespace) -> list[str]:
    entered, asked = [it.entered for it in rounds], [it.asked for it in rounds]
    return complaints_of(party.company, entered, asked, patience=0)


@pytest.fixture
def rounds(party, archive_dir) -> list[SimpleNamespace]:
    return [worked(party, 1), worked(party, 2)]


def test_books_that_are_in_order_draw_no_complaint(party, rounds):
    assert complaints(party, *rounds) == []


def test_a_paper_that_was_never_made_is_noticed(party, rounds):
    lost = worked(party, 3, is_made=False)
    assert any("is queued" in it for it in complaints(party, *rounds, lost))


def test_a_request_for_a_paper_that_vanished_is_noticed(party, rounds):
    Document.objects.for_company(party.company).filter(pk=rounds[0].paper.pk).delete()
    (complaint,) = complaints(party, *rounds)
    assert complaint == f"the paper of {rounds[0].entered['number']} is not there"


def test_another_paper_than_the_one_asked_for_is_noticed(party, rounds):
    rounds[0].asked |= {key: rounds[1].asked[key] for key in ("sha256", "fingerprint")}
    assert len(complaints(party, *rounds)) == 2


def test_an_invoice_that_vanished_is_noticed(party, rounds):
    Invoice.objects.for_company(party.company).filter(pk=rounds[0].invoice.pk).update(reference="")
    assert any("is there 0 times" in it for it in complaints(party, *rounds))


def test_an_invoice_that_is_there_twice_is_noticed(party, rounds):
    posted_invoice(party, "12.50", reference=rounds[0].entered["reference"])
    assert any("is there 2 times" in it for it in complaints(party, *rounds))


def test_an_invoice_that_nobody_entered_is_noticed(party, rounds):
    assert any("entered by nobody" in it for it in complaints(party, rounds[0]))


def test_a_number_that_was_lost_is_noticed(party, rounds):
    NumberSequence.objects.for_company(party.company).update(next_number=9)
    assert any("numbers are missing" in it for it in complaints(party, *rounds))


def test_a_balance_that_missed_an_invoice_is_noticed(party, rounds):
    Balance.objects.for_company(party.company).update(invoiced=1, current=1)
    assert any("its balance says" in it for it in complaints(party, *rounds))
