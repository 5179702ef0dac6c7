"""What people find, and what must be in the books once they have gone home.

Called by `manage.py shell`, see stack.py.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import connection
from django.db.models import Count, Sum

from accounts.models import Company, Membership, Role, User
from bench.data import PERIOD, books
from billing.models import Balance, Invoice, Party
from billing.models.invoices import POSTED_STATES
from billing.money import ZERO
from billing.selectors.numbering import audit_numbers
from documents.archive import archive
from documents.models import Document, DocumentState
from worker.models import Presence

PASSWORD = "harbour-vale-2026"
MARK = "LOAD-"
_PATIENCE = 120.0  # seconds for what is still waiting to be made


def seed(parties: str, people: str, out: str) -> None:
    """A company with its books, and as many clerks as will come; their addresses into `out`."""
    company = books(int(parties))
    hashed = make_password(PASSWORD)  # once: it takes most of a second
    users = [
        User(email=f"clerk{number}@load.example", name=f"Clerk {number}", password=hashed)
        for number in range(int(people))
    ]
    User.objects.bulk_create(users)
    Membership.objects.bulk_create(
        Membership(user=user, company=company, role=Role.CLERK) for user in users
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    buyers = Party.objects.for_company(company).annotate(many=Count("invoices")).order_by("-many")
    facts = {
        "company": company.slug,
        "invoices": Invoice.objects.for_company(company).count(),
        "busy": list(buyers.values_list("code", flat=True)[: max(1, int(parties) // 100)]),
        "emails": [user.email for user in users],
        "password": PASSWORD,
        "period": str(PERIOD),
    }
    Path(out).write_text(json.dumps(facts))


def wait_for_workers(queues: str, seconds: str) -> None:
    """Returns once somebody listens to each of the queues."""
    deadline = time.monotonic() + float(seconds)
    while True:
        heard = {
            queue for row in Presence.objects.values_list("queues", flat=True) for queue in row
        }
        if heard >= set(queues.split(",")):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"no worker listens to {set(queues.split(',')) - heard}")
        time.sleep(0.2)


def audit(slug: str, told: str, out: str) -> None:
    """What people were told against what is there: a list of complaints into `out`."""
    company = Company.objects.get(slug=slug)
    people = json.loads(Path(told).read_text())
    complaints = complaints_of(company, people["entered"], people["asked"])
    Path(out).write_text(json.dumps(complaints))


def complaints_of(
    company: Company,
    entered: list[dict[str, Any]],
    asked: list[dict[str, Any]],
    patience: float = _PATIENCE,
) -> list[str]:
    """Every invoice is there once, numbers have no gap, balances add up, every paper is made."""
    _wait_for_papers(company, patience)
    checks: list[Callable[[], Iterable[str]]] = [
        lambda: _invoices(company, entered),
        lambda: _numbers(company),
        lambda: _balances(company),
        lambda: _papers(company, asked),
    ]
    return [complaint for check in checks for complaint in check()]


def _wait_for_papers(company: Company, patience: float) -> None:
    open_states = (DocumentState.QUEUED, DocumentState.RUNNING)
    waiting = Document.objects.for_company(company).filter(state__in=open_states)
    deadline = time.monotonic() + patience
    while waiting.exists() and time.monotonic() < deadline:
        time.sleep(0.5)


def _invoices(company: Company, entered: list[dict[str, Any]]) -> Iterable[str]:
    rows = Invoice.all_objects.for_company(company).filter(reference__startswith=MARK)
    there = Counter(rows.values_list("reference", flat=True))
    numbers = dict(rows.values_list("reference", "invoice_number"))
    for entry in entered:
        reference, many = entry["reference"], there.pop(entry["reference"], 0)
        if many > 1 or (not many and entry["address"]):
            yield f"invoice {reference} is there {many} times"
        if entry["number"] and numbers.get(reference) != entry["number"]:
            yield f"invoice {reference} is {numbers.get(reference)!r}, not {entry['number']}"
    yield from (f"invoice {reference} was entered by nobody" for reference in there)


def _numbers(company: Company) -> Iterable[str]:
    report = audit_numbers(company)
    yield from (f"number {number} was given twice" for number in report.duplicates)
    for series in report.series:
        if series.missing:
            yield f"{series.series.label} {series.year}: {series.missing} numbers are missing"


def _balances(company: Company) -> Iterable[str]:
    posted = Invoice.objects.for_company(company).filter(state__in=POSTED_STATES)
    sums = dict(posted.order_by().values_list("party").annotate(Sum("total")))
    for party, invoiced in Balance.objects.for_company(company).values_list("party", "invoiced"):
        if sums.pop(party, ZERO) != invoiced:
            yield f"party {party}: its balance says {invoiced} invoiced, its invoices do not"
    yield from (f"party {party} has invoices and no balance" for party in sums)


def _papers(company: Company, asked: list[dict[str, Any]]) -> Iterable[str]:
    rows = Document.objects.for_company(company)
    papers = {str(row.subject_id): row for row in rows.filter(kind="invoice")}
    for entry in asked:
        paper = papers.get(entry["invoice"].rstrip("/").rpartition("/")[2])
        yield from _paper(entry, paper)
    for state, many in (
        rows.exclude(state=DocumentState.READY).values_list("state").annotate(Count("pk"))
    ):
        yield f"{many} papers are {state}"
    for subject in rows.values("subject_id", "kind").annotate(many=Count("pk")).filter(many__gt=1):
        yield f"{subject['kind']} {subject['subject_id']} has {subject['many']} papers"


def _paper(entry: dict[str, Any], paper: Document | None) -> Iterable[str]:
    number = entry["number"]
    if paper is None or not paper.is_ready:
        yield f"the paper of {number} is {paper.state if paper else 'not there'}"
        return
    if entry["sha256"] and entry["sha256"] != paper.sha256:
        yield f"what was downloaded as {number} is not what was stored"
    if entry.get("fingerprint") not in (None, paper.fingerprint):
        yield f"what was downloaded as {number} bears another paper's mark"
    archive().read(paper.storage_key, paper.sha256)  # raises Damaged
