"""Posting a chunk of documents: parties, invoices, returns, items and balances in one go."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.utils.timezone import now

from accounts.models import Company
from billing.audit import Action, note_each
from billing.imports.countries import country_code
from billing.imports.documents import SalesDocument, net_of
from billing.imports.known import numbers_in_books
from billing.imports.lines import SalesLine
from billing.models import Invoice, InvoiceItem, InvoiceState, Party, Return, ReturnItem
from billing.money import LineAmount, as_text, compute_totals
from billing.services.balances import Movement, move_balances
from billing.services.periods import closed_until
from billing.services.settling import settled_state
from billing.snapshots.facts import party_facts


@dataclass
class Posted:
    """What became of a chunk: the numbers of its documents, each in one of these."""

    invoices: list[str] = field(default_factory=list)
    returns: list[str] = field(default_factory=list)
    there_already: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # with the reason
    parties: int = 0

    def add(self, other: "Posted") -> None:
        self.invoices += other.invoices
        self.returns += other.returns
        self.there_already += other.there_already
        self.refused |= other.refused
        self.parties += other.parties


def post_documents(company: Company, documents: Sequence[SalesDocument]) -> Posted:
    """All of the chunk's documents that are not in the books yet, or nothing at all."""
    posted = Posted()
    with transaction.atomic():
        fresh = _not_yet_posted(company, documents, posted)
        fresh = _in_open_books(fresh, closed_until(company), posted)
        fresh = _of_parties_in_use(company, fresh, posted)
        parties, posted.parties = _parties(company, fresh)
        built = [_build(company, parties[document.party_code], document) for document in fresh]
        _save(built)
        _note(built)
        move_balances(company=company, movements=_movements(built))
    for document in fresh:
        group = posted.returns if document.is_return else posted.invoices
        group.append(document.number)
    return posted


Built = tuple[Invoice | Return, list[Any]]


def _not_yet_posted(
    company: Company, documents: Sequence[SalesDocument], posted: Posted
) -> list[SalesDocument]:
    """Those of the documents whose numbers are free; the others are noted in `posted`."""
    known = numbers_in_books(company, documents)
    for number, same in known.items():
        if same:
            posted.there_already.append(number)
        else:
            posted.refused[number] = f"number in the books with other content: {number}"
    return [document for document in documents if document.number not in known]


def _in_open_books(
    documents: list[SalesDocument], closed: date | None, posted: Posted
) -> list[SalesDocument]:
    """Those that are not dated in closed books; the others are noted in `posted`."""
    if closed is None:
        return documents
    for document in documents:
        if document.day <= closed:
            reason = f"the books are closed up to {closed}: {document.number}"
            posted.refused[document.number] = reason
    return [each for each in documents if each.day > closed]


def _of_parties_in_use(
    company: Company, documents: list[SalesDocument], posted: Posted
) -> list[SalesDocument]:
    """Those whose party is not inactive, and would get no statement; the others are noted."""
    codes = {document.party_code for document in documents}
    rows = Party.all_objects.for_company(company).filter(code__in=codes, is_active=False)
    inactive = set(rows.values_list("code", flat=True))
    for document in documents:
        if document.party_code in inactive:
            reason = f"the party {document.party_code} is inactive: activate it first"
            posted.refused[document.number] = reason
    return [each for each in documents if each.party_code not in inactive]


def _parties(company: Company, documents: Sequence[SalesDocument]) -> tuple[dict[str, Party], int]:
    """The parties by code, made where missing, and how many were made."""
    wanted = _facts_of_parties(documents)
    known = Party.all_objects.for_company(company).filter(code__in=wanted)
    found = {party.code: party for party in known}
    # In one order, or two imports of the same parties could wait for each other for ever.
    missing = [code for code in sorted(wanted) if code not in found]
    if missing:
        Party.objects.bulk_create(
            [_new_party(company, code, *wanted[code]) for code in missing], ignore_conflicts=True
        )
        found = {party.code: party for party in known.all()}
        made = [found[code] for code in missing]
        note_each(((party, {"imported": ("", str(party))}) for party in made), None, Action.CREATE)
    return found, len(missing)


def _facts_of_parties(documents: Iterable[SalesDocument]) -> dict[str, tuple[str, str]]:
    """(name, country) by the party's code, each from the first document that gives one."""
    found: dict[str, tuple[str, str]] = {}
    for document in documents:
        name, country = found.get(document.party_code, ("", ""))
        found[document.party_code] = name or document.party_name, country or document.country
    return found


def _new_party(company: Company, code: str, name: str, country: str) -> Party:
    iso = country_code(country)
    return Party(
        company=company,
        code=code,
        name=name or f"Account {code}",
        country=iso,
        # A region that is no country of ISO 3166 is still part of the address.
        address="" if iso else country,
        payment_terms_days=company.payment_terms_days,
    )


def _build(company: Company, party: Party, document: SalesDocument) -> Built:
    if document.is_return:
        return _build_return(company, party, document)
    return _build_invoice(company, party, document)


def _build_invoice(company: Company, party: Party, document: SalesDocument) -> Built:
    invoice = Invoice(
        company=company,
        party=party,
        invoice_number=document.number,
        invoice_date=document.day,
        due_date=document.day + timedelta(days=party.payment_terms_days),
        currency=company.currency,
        issued_at=now(),
        billed_to=party_facts(party),
        state=InvoiceState.ISSUED,
    )
    items = [
        InvoiceItem(invoice=invoice, **_item(position, line, company.currency))
        for position, line in enumerate(document.lines.values(), start=1)
    ]
    totals = compute_totals(_amounts(items), currency=company.currency)
    invoice.subtotal, invoice.net = totals.subtotal, totals.net
    invoice.tax, invoice.total = totals.tax, totals.total
    invoice.state = settled_state(invoice)
    return invoice, items


def _build_return(company: Company, party: Party, document: SalesDocument) -> Built:
    header = Return(
        company=company,
        party=party,
        return_number=document.number,
        return_date=document.day,
        reason="Imported",
        currency=company.currency,
    )
    items = [
        ReturnItem(return_document=header, **_item(position, line, company.currency))
        for position, line in enumerate(document.lines.values(), start=1)
    ]
    totals = compute_totals(_amounts(items), currency=company.currency)
    header.net, header.tax, header.total = totals.net, totals.tax, totals.total
    return header, items


def _item(position: int, line: SalesLine, currency: str) -> dict[str, Any]:
    return {
        "position": position,
        "sku": line.sku,
        "description": line.description,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "tax_rate": line.tax_rate,
        "net": net_of(line, currency),
    }


def _amounts(items: Iterable[InvoiceItem | ReturnItem]) -> list[LineAmount]:
    return [LineAmount(net=item.net, tax_rate=item.tax_rate) for item in items]


def _save(built: list[Built]) -> None:
    headers = [header for header, _ in built]
    items = [item for _, lines in built for item in lines]
    Invoice.objects.bulk_create(_those(Invoice, headers))
    InvoiceItem.objects.bulk_create(_those(InvoiceItem, items), batch_size=2000)
    Return.objects.bulk_create(_those(Return, headers))
    ReturnItem.objects.bulk_create(_those(ReturnItem, items), batch_size=2000)


def _note(built: list[Built]) -> None:
    """An entry a document, all in one INSERT."""
    entries = []
    for header, items in built:
        amount = as_text(header.total, header.currency)
        text = f"items: {len(items)}, total: {amount} {header.currency}"
        entries.append((header, {"imported": ("", text)}))
    note_each(entries, None, Action.CREATE)


RowT = TypeVar("RowT")


def _those(kind: type[RowT], rows: Iterable[Any]) -> list[RowT]:
    return [row for row in rows if isinstance(row, kind)]


def _movements(built: list[Built]) -> dict[UUID, Movement]:
    movements: defaultdict[UUID, Movement] = defaultdict(Movement)
    for header, _ in built:
        if isinstance(header, Invoice):
            movements[header.party_id] += Movement(invoiced=header.total)
        else:
            movements[header.party_id] += Movement(returned=header.total)
    return movements
