"""What people do all day, in a process of their own:

    python -m bench.load.people PLAN.json     writes what happened to the file that the plan names

Each signs in, looks something up, enters an invoice, issues it, asks for its PDF, waits until the
button is there, and looks whether it is the right paper; with the pauses of somebody who reads and
types. Their pages load their parts, and their bell rings, as in a browser.
"""

import hashlib
import io
import json
import random
import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pikepdf

from bench.load.browser import Browser, Kind, Record, Sample, WentWrong
from bench.load.figures import Step

BELL = 10.0  # seconds, as static/js/bell.js has it ...
BELL_ASKED = 1.5  # ... for a while after something was asked for
EAGER = 20.0
PATIENCE = 120.0  # seconds that somebody waits for a PDF before they complain
SIGN_OUT = 0.1  # of the rounds end with signing out, and in again
_GOODS = ("Beeswax candle, 25 cm", "Oak serving board", "Linen tea towel", "Glass jar, 0.75 l")
_NO_LINES = {
    "items-TOTAL_FORMS": "3",
    "items-INITIAL_FORMS": "0",
    "items-MIN_NUM_FORMS": "0",
    "items-MAX_NUM_FORMS": "1000",
}

_LOADS = re.compile(r'hx-get="([^"]+)"[^>]*hx-trigger="load')
_FRAME = re.compile(r'<iframe[^>]*src="([^"]+)"')
_TICKER = re.compile(r'id="ticker"[^>]*hx-get="([^"]+)"')
_WAIT = re.compile(r"load delay:(\d+)ms")
_DOWNLOAD = re.compile(r'id="paper-download"[^>]*href="([^"]+)"')
_BADGE = re.compile(r'id="bell-badge"[^>]*hx-get="([^"]+)"')
_RECORD = re.compile(r'href="(/billing/invoices/[0-9a-f-]{36}/)"')
_ISSUED = re.compile(r"Invoice (\S+) is issued\.")


@dataclass
class Plan:
    host: str
    port: int
    emails: list[str]
    password: str
    parties: int
    busy: list[str]  # the codes of those who buy most
    invoices: int
    out: str
    steps: list[int]
    ramp: float  # seconds in which those who come in a step arrive
    settle: float
    seconds: float  # of each step that are measured
    limit: float  # milliseconds: p95 of pages at which it ends
    pace: float = 1.0  # 0.1: pauses of a tenth
    seed: int = 1


@dataclass
class Work:
    """What must be found in the books afterwards."""

    entered: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)


class Person(threading.Thread):
    def __init__(
        self, number: int, plan: Plan, record: Record, work: Work, stop: threading.Event
    ) -> None:
        super().__init__(name=f"person {number}", daemon=True)
        self.number, self.plan, self.record, self.work = number, plan, record, work
        self.stop = stop
        self.chance = random.Random(f"{plan.seed} {number}")
        address = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
        self.browser = Browser(host=plan.host, port=plan.port, address=address, record=record)
        self.signed_in = threading.Event()
        self._rounds = 0
        self._badge = ""
        self._next_bell = 0.0
        self._asked_at = 0.0

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                if not self.signed_in.is_set():
                    self._sign_in()
                self._round()
                if self.chance.random() < SIGN_OUT and not self.stop.is_set():
                    self._sign_out()
            except WentWrong:
                self._think(3)

    # --- A round of work -------------------------------------------------------------------------
    def _round(self) -> None:
        self._rounds += 1
        self._open("/billing/", "dashboard")
        self._think(4)
        found = self._search()
        self._think(5)
        if found:
            self._open(found, "invoice")
            self._think(6)
        if self.stop.is_set():
            return  # what is begun from here on is brought to its end
        invoice = self._enter()
        self._think(3)
        number = self._issue(invoice)
        self._think(2)
        self._paper(invoice, number)
        self._think(5)

    def _sign_in(self) -> None:
        page = self.browser.get("/accounts/sign-in/", "sign-in form")
        login = {"login": self.plan.emails[self.number], "password": self.plan.password}
        self.browser.submit("/accounts/sign-in/", login, "sign in", page=page, kind=Kind.SIGN_IN)
        self.signed_in.set()

    def _sign_out(self) -> None:
        page = self.browser.get("/billing/", "dashboard")
        self.browser.submit("/accounts/sign-out/", {}, "sign out", page=page)
        self._badge = ""
        self.signed_in.clear()

    def _search(self) -> str:
        """By number or by party, as it comes; the address of something that was found."""
        if self.chance.random() < 0.5:
            text = f"INV-2026-{self.chance.randrange(1, self.plan.invoices + 1):08}"
        else:
            text = self._party()
        page = self._open(f"/billing/invoices/?q={quote(text)}", "search")
        records = _RECORD.findall(page)
        return str(self.chance.choice(records)) if records else ""

    def _enter(self) -> str:
        """A draft of a few lines; its address."""
        form = self._open("/billing/invoices/create/", "invoice form")
        self.browser.send("/billing/invoices/compute/", _NO_LINES, "totals", page=form)
        self._think(3)
        party = self._pick_party()
        reference = f"LOAD-{self.number:04}-{self._rounds:05}"
        fields = {
            "party": party,
            "invoice_date": "2026-11-02",
            "due_date": "2026-12-02",
            "reference": reference,
            **_NO_LINES,
        }
        for line in range(self.chance.choice([1, 2, 3, 3])):
            self._think(6)
            fields |= self._line(line)
            self.browser.send("/billing/invoices/compute/", fields, "totals", page=form)
        entered = {"reference": reference, "address": "", "number": ""}
        self.work.entered.append(entered)
        saved = {**fields, "save": "1"}
        address = self.browser.submit(
            "/billing/invoices/create/", saved, "enter an invoice", page=form
        )
        entered["address"] = address
        return address

    def _line(self, line: int) -> dict[str, str]:
        return {
            f"items-{line}-sku": f"S{line}",
            f"items-{line}-description": self.chance.choice(_GOODS),
            f"items-{line}-quantity": str(self.chance.randint(1, 40)),
            f"items-{line}-unit_price": f"{self.chance.randint(50, 9000) / 100:.2f}",
            f"items-{line}-tax_rate": "20",
            f"items-{line}-place": str(line),
        }

    def _party(self) -> str:
        """Half of what comes in is from the hundredth that buys most."""
        if self.chance.random() < 0.5:
            return self.chance.choice(self.plan.busy)
        return f"P{self.chance.randrange(self.plan.parties):06}"

    def _pick_party(self) -> str:
        """Two looks at what is found while it is typed."""
        code = self._party()
        found: list[dict[str, Any]] = []
        for text in (code[:5], code):
            answer = self.browser.get(
                f"/billing/parties/options/?q={text}", "party picker", Kind.PART, htmx=True
            )
            found = json.loads(answer)["options"]
            self._think(1)
        if not found:
            self.record.fail("party picker", f"{code} was not found")
            raise WentWrong(code)
        return str(found[0]["value"])

    def _issue(self, invoice: str) -> str:
        """The number, as the page says it."""
        page = self._open(invoice, "invoice")
        address = self.browser.submit(f"{invoice}issue/", {}, "issue", page=page)
        issued = _ISSUED.search(unescape(self._open(address, "invoice")))
        if issued is None:
            self.record.fail("issue", "the page does not say that it is issued")
            raise WentWrong(invoice)
        self.work.entered[self._mine(invoice)]["number"] = issued[1]
        return issued[1]

    def _mine(self, invoice: str) -> int:
        places = range(len(self.work.entered) - 1, -1, -1)
        return next(at for at in places if self.work.entered[at]["address"] == invoice)

    def _paper(self, invoice: str, number: str) -> None:
        """Ask for it, wait as the page does, fetch it, and look whether it is this invoice's."""
        asking = f"/billing/papers/invoice/{invoice.rstrip('/').rpartition('/')[2]}/"
        page = self.browser.get(asking, "paper's state", Kind.PART, htmx=True)
        asked: dict[str, Any] = {"invoice": invoice, "number": number, "sha256": ""}
        self.work.asked.append(asked)
        began = time.perf_counter()
        self._asked_at = self._next_bell = time.monotonic()
        part = self.browser.send(asking, {}, "ask for a PDF", page=page)
        address = self._wait_for_paper(part, number)
        taken = 1000 * (time.perf_counter() - began)
        self.record.samples.append(Sample(time.time(), Kind.PAPER, "PDF is ready", taken))
        content = self.browser.download(address, "download")
        asked |= {"sha256": hashlib.sha256(content).hexdigest(), "document": address}
        asked |= self._read(content, number)

    def _wait_for_paper(self, part: str, number: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while True:
            if found := _DOWNLOAD.search(part):
                return unescape(found[1])
            ticker = _TICKER.search(part)
            if ticker is None or time.monotonic() > deadline:
                self.record.fail("PDF is ready", f"{number}: not made")
                raise WentWrong(number)
            wait = _WAIT.search(part)
            time.sleep(int(wait[1]) / 1000 if wait else 1)
            part = self.browser.get(unescape(ticker[1]), "paper's state", Kind.PART, htmx=True)

    def _read(self, content: bytes, number: str) -> dict[str, str]:
        try:
            with pikepdf.open(io.BytesIO(content)) as pdf:
                title = str(pdf.docinfo.get("/Title", ""))
                fingerprint = str(pdf.docinfo.get("/PressroomFingerprint", ""))
        except pikepdf.PdfError:
            title = fingerprint = ""
        if number not in title.split():
            self.record.fail("download", f"{number}: the PDF is {title!r}")
        return {"fingerprint": fingerprint}

    # --- As a browser does it --------------------------------------------------------------------
    def _open(self, path: str, name: str) -> str:
        """A page, then what it loads by itself."""
        page = self.browser.get(path, name)
        badge = _BADGE.search(page)
        self._badge = unescape(badge[1]) if badge else ""
        for part in dict.fromkeys([*_LOADS.findall(page), *_FRAME.findall(page)]):
            self.browser.get(unescape(part), _part_name(part), Kind.PART, htmx=True)
        return page

    def _think(self, seconds: float) -> None:
        """About so long; meanwhile the bell asks for news. Not at all once all are to stop."""
        seconds *= self.plan.pace * self.chance.lognormvariate(-0.125, 0.5)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.stop.is_set():
            due = self._next_bell - time.monotonic()
            if self._badge and due <= 0:
                self._ring()
                continue
            self.stop.wait(min(left, max(due, 0.01)) if self._badge else left)

    def _ring(self) -> None:
        is_eager = time.monotonic() - self._asked_at < EAGER
        self._next_bell = time.monotonic() + (BELL_ASKED if is_eager else BELL)
        answer = self.browser.get(self._badge, "bell", Kind.PART, htmx=True)
        if badge := _BADGE.search(answer):
            self._badge = unescape(badge[1])


def _part_name(path: str) -> str:
    """`settlements`, `history`, `totals`, `preview`, `papers`: what follows the record's id."""
    words = [word for word in path.partition("?")[0].split("/") if word]
    return words[-1] if len(words[-1]) != 36 else "paper's state"


class Crowd:
    """All people, of whom each step lets more come."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.record, self.work = Record(), Work()
        self.stop = threading.Event()
        self.people: list[Person] = []

    def steps(self) -> Iterator[Step]:
        for users in self.plan.steps:
            self._come(users - len(self.people))
            time.sleep(self.plan.settle)
            began = time.time()
            time.sleep(self.plan.seconds)
            yield Step.of(users, began, time.time(), self.record)

    def _come(self, many: int) -> None:
        came = []
        for _ in range(many):
            person = Person(len(self.people), self.plan, self.record, self.work, self.stop)
            person.start()
            self.people.append(person)
            came.append(person)
            time.sleep(self.plan.ramp / many)
        for person in came:
            person.signed_in.wait(60)

    def go_home(self) -> None:
        """Each brings to its end what they began."""
        self.stop.set()
        for person in self.people:
            person.join(PATIENCE + 60)
            if person.is_alive():
                self.record.fail("going home", f"{person.name} hangs")


def main(path: str) -> int:
    plan = Plan(**json.loads(Path(path).read_text()))
    crowd = Crowd(plan)
    steps: list[Step] = []
    for step in crowd.steps():
        steps.append(step)
        print(step.line(), flush=True)
        if step.p95 > plan.limit:
            break
    crowd.go_home()
    told = {
        "steps": [asdict(step) for step in steps],
        "failures": crowd.record.failures,
        "answers": len(crowd.record.samples),
        "slowest": _slowest(crowd.record),
        "entered": crowd.work.entered,
        "asked": crowd.work.asked,
    }
    Path(plan.out).write_text(json.dumps(told))
    return 0


def _slowest(record: Record) -> list[dict[str, Any]]:
    pages = (sample for sample in record.samples if sample.kind == Kind.PAGE)
    return [asdict(it) for it in sorted(pages, key=lambda it: -it.milliseconds)[:10]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
