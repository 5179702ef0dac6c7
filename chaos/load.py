"""What is asked for while faults strike, and a journal of what was acknowledged."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from queue import Empty, Queue
from threading import Event, Thread
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import DatabaseError, InterfaceError, connection

from billing.dates import Period, today
from billing.models import Invoice, InvoiceItem, Party, RecomputationMode
from billing.selectors.statement_runs import Who
from billing.services import issue_invoice, record_payment, save_draft, start_statement_run
from billing.services.papers import request_paper
from billing.services.recomputing import start_recomputation
from chaos.browser import Person
from chaos.persisting import persist
from chaos.seeding import Books

Task = Callable[["Asker"], None]
_SHARE_OF_RUNS = 0.6
_SHARE_BY_WEB = 0.2
_SHARE_SENT = 0.4


@dataclass
class Journal:
    """What somebody was told is done: whatever strikes after that, it must be in the books."""

    documents: list[UUID] = field(default_factory=list)
    numbers: dict[UUID, str] = field(default_factory=dict)
    batches: list[UUID] = field(default_factory=list)
    recomputations: list[UUID] = field(default_factory=list)
    payments: list[UUID] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


class Asker(Thread):
    """One person, by the services; also at the web where a task says so."""

    def __init__(self, load: "Load", number: int) -> None:
        super().__init__(daemon=True, name=f"asker-{number}")
        self.load = load
        self.person = Person(load.web_port)

    def run(self) -> None:
        while not self.load.is_over.is_set():
            try:
                task = self.load.tasks.get(timeout=0.2)
            except Empty:
                continue
            try:
                task(self)
            except Exception as error:  # noqa: BLE001  reported: nothing may be refused for good
                self.load.journal.refusals.append(repr(error)[:300])
            finally:
                self.load.tasks.task_done()
        connection.close()


class Load:
    def __init__(self, books: Books, *, docs: int, seed: int, web_port: int, askers: int) -> None:
        self.books, self.web_port = books, web_port
        self.journal = Journal()
        self.tasks: Queue[Task] = Queue()
        self.is_over = Event()
        self._chance = random.Random(seed)
        self._planned = self._plan(docs)
        self._askers = [Asker(self, number) for number in range(askers)]

    def start(self) -> None:
        for asker in self._askers:
            asker.start()

    def stop(self) -> None:
        self.is_over.set()
        for asker in self._askers:
            asker.join(30)

    def ask(self, docs: int) -> None:
        """So many papers more, by whoever is free."""
        asked = 0
        while asked < docs and self._planned:
            count, task = self._planned.pop()
            self.tasks.put(task)
            asked += count

    def ask_for_the_rest(self) -> None:
        self.ask(10**9)

    def is_asked(self) -> bool:
        return self.tasks.unfinished_tasks == 0

    @property
    def web_statuses(self) -> list[int]:
        return [status for asker in self._askers for status in asker.person.statuses]

    @property
    def web_broken_off(self) -> int:
        return sum(asker.person.broken_off for asker in self._askers)

    # --- What is asked for -----------------------------------------------------------------------
    def _plan(self, docs: int) -> list[tuple[int, Task]]:
        """Every party's statement of every month once, and invoices for the rest of `docs`."""
        chance, tasks = self._chance, list[tuple[int, Task]]()
        slices = _slices(self.books.parties, max(5, len(self.books.parties) // 5))
        for period in self.books.periods:
            for parties in slices:
                send = chance.random() < _SHARE_SENT
                tasks.append((len(parties), self._run_of(period, parties, send, uuid4())))
        left = docs - sum(count for count, _ in tasks)
        for place in range(max(left, 0)):
            by_web = chance.random() < _SHARE_BY_WEB
            tasks.append((1, self._invoice_of(chance.choice(self.books.parties), by_web)))
            if place % 5 == 0:
                tasks.append((0, self._payment_of(chance.choice(self.books.parties))))
            if place % 25 == 0:
                tasks.append((0, self._recomputation(chance.choice(list(RecomputationMode)))))
        chance.shuffle(tasks)
        return tasks

    def _run_of(self, period: Period, parties: list[Party], send: bool, token: UUID) -> Task:
        def start(asker: Asker) -> None:
            batch = persist(
                lambda: start_statement_run(
                    company=self.books.company,
                    period=period,
                    by=self.books.owner,
                    send=send,
                    parties=parties,
                    who=Who.ALL,
                    token=token,
                )
            )
            self.journal.batches.append(batch.pk)

        return start

    def _invoice_of(self, party: Party, by_web: bool) -> Task:
        price = Decimal(self._chance.randint(50, 90000)) / 100

        def enter(asker: Asker) -> None:
            draft = persist(lambda: _entered(party, price))
            if by_web:
                self._issue_by_web(asker.person, draft)
            else:
                self._issue(draft)

        return enter

    def _issue(self, draft: Invoice) -> None:
        issued = persist(lambda: _issued(draft))
        self.journal.numbers[issued.pk] = issued.invoice_number
        document = persist(lambda: request_paper(record=issued, by=self.books.owner))
        self.journal.documents.append(document.pk)

    def _issue_by_web(self, person: Person, draft: Invoice) -> None:
        """The number is read once the web said that it is issued, or has done so unheard."""
        page = f"/billing/invoices/{draft.pk}/"
        self._press(person, f"{page}issue/", page, lambda: _read(draft).is_posted)
        self.journal.numbers[draft.pk] = persist(lambda: _read(draft)).invoice_number
        self._press(person, f"/billing/papers/invoice/{draft.pk}/", page, lambda: False)
        document = persist(lambda: request_paper(record=_read(draft), by=self.books.owner))
        self.journal.documents.append(document.pk)

    def _press(self, person: Person, path: str, page: str, is_done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not person.press(path, form_at=page):
            if persist(is_done) or self.is_over.is_set():
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"the web did not answer: {path}")

    def _payment_of(self, party: Party) -> Task:
        amount = Decimal(self._chance.randint(100, 20000)) / 100

        def pay(asker: Asker) -> None:
            """Not asked for twice: without an answer nobody knows, and the books must agree."""
            try:
                payment = record_payment(
                    party=party, amount=amount, payment_date=today(party.company), by=None
                )
            except (DatabaseError, InterfaceError):
                connection.close()
            else:
                self.journal.payments.append(payment.pk)

        return pay

    def _recomputation(self, mode: RecomputationMode) -> Task:
        def start(asker: Asker) -> None:
            started = persist(
                lambda: start_recomputation(company=self.books.company, mode=mode, by=None)
            )
            self.journal.recomputations.append(started.run.pk)

        return start


def _slices(parties: list[Party], size: int) -> list[list[Party]]:
    return [parties[start : start + size] for start in range(0, len(parties), size)]


def _entered(party: Party, price: Decimal) -> Invoice:
    day = today(party.company)
    draft = Invoice(
        company=party.company, party=party, invoice_date=day, due_date=day + timedelta(days=30)
    )
    item = InvoiceItem(
        description="Oak board", quantity=Decimal(2), unit_price=price, tax_rate=Decimal(20)
    )
    return save_draft(invoice=draft, items=[item], by=None)


def _issued(draft: Invoice) -> Invoice:
    """Issued, or found issued: the first answer may have been lost."""
    try:
        return issue_invoice(invoice=draft, by=None)
    except ValidationError:
        found = _read(draft)
        if not found.is_posted:
            raise
        return found


def _read(draft: Invoice) -> Invoice:
    rows = Invoice.objects.for_company(draft.company_id).select_related("company", "party")
    return rows.get(pk=draft.pk)


def parties_for(docs: int) -> int:
    """So many that their statements are a good half of the papers."""
    return max(4, int(docs * _SHARE_OF_RUNS) // 6)
