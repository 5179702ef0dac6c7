"""What does each kind of paper cost, against other ways to a PDF of the same content?

Ours from the snapshot to the bytes: words cleaned, glyphs checked, template filled, rendered. All
are warm, in processes of their own, and take turns within one round.
"""

import io
import multiprocessing
import statistics
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from django.core.files.base import ContentFile
from PIL import Image

from accounts.models import Company
from bench import instructions
from bench.content import Content, content_of
from bench.data import PERIOD, books
from bench.findings import Bar, Findings, milliseconds, seconds
from bench.peers import Missing, PrintIt
from bench.peers.browsers import chromium, weasyprint, wkhtmltopdf
from bench.peers.typesetters import reportlab, typst
from bench.pipeline import planned
from bench.processors import used_here
from bench.servers import as_a_child, as_a_worker, fresh
from bench.sizes import Size
from billing.models import Challan, ChallanItem, Invoice, Party, Payment, Return
from billing.services.challans import save_challan
from billing.services.papers import paper_of
from documents.archive import archive
from documents.fingerprints import fingerprint
from documents.models import Document
from documents.papers import paper_kind
from documents.rendering import Asset, Rendered, render_paper
from documents.rendering.codes import links_of

OURS, NAIVE = "Pressroom", "WeasyPrint, naive"
PEERS: dict[str, Any] = {
    NAIVE: weasyprint,
    "wkhtmltopdf": wkhtmltopdf,
    "Chromium, warm": chromium,
    "ReportLab": reportlab,
    "Typst": typst,
}
_INVOICE, _LONG = "invoice, 10 items", "statement, 100 lines"
_BARS = ((_INVOICE, NAIVE, 0.5), (_INVOICE, "wkhtmltopdf", 1.0), (_LONG, NAIVE, 0.55))

Facts = tuple[str, dict[str, Any], str]  # kind, snapshot, fingerprint


def measure(size: Size) -> Findings:
    found = Findings()
    fresh()
    as_a_worker()
    papers = _papers()
    count = instructions.counter()
    with ExitStack() as stack:
        child = stack.enter_context(_child())
        engines = _engines(found, stack)
        meters = Meters(child, count or (lambda: 0), size.rounds)
        times = {name: _timed(meters, facts, engines) for name, facts in papers.items()}
    for name, found_here in times.items():
        _note(found, name, found_here, size.rounds)
    for name, engine, limit in _BARS:
        found.bars.append(_bar(times[name].walls, name, engine, limit))
    return found


def _note(found: Findings, name: str, times: "Times", rounds: int) -> None:
    for engine, took in times.walls.items():
        found.figures[f"{name}: {engine}, ms"] = milliseconds(took)
        used = round(1000 * times.processor[engine] / rounds)
        found.figures[f"{name}: {engine}, ms of processors"] = used
        if any(times.instructions[engine]):
            millions = statistics.median(times.instructions[engine]) / 1e6
            found.figures[f"{name}: {engine}, millions of instructions"] = round(millions)


@contextmanager
def _child() -> Iterator[Executor]:
    """A process that is forked when all is loaded, and only prints, as a worker's child."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as child:
        child.submit(as_a_child).result()
        yield child


def _bar(walls: dict[str, list[float]], name: str, engine: str, limit: float) -> Bar:
    title = f"{name}: over {engine}"
    if engine not in walls:
        return Bar(title, None, limit, why=f"{engine} is missing")
    pairs = zip(walls[OURS], walls[engine], strict=True)
    return Bar(title, round(statistics.median(one / other for one, other in pairs), 3), limit)


def _engines(found: Findings, stack: ExitStack) -> dict[str, PrintIt]:
    engines = {}
    for name, peer in PEERS.items():
        try:
            engines[name] = stack.enter_context(peer())
        except Missing as missing:
            found.figures[f"missing: {name}"] = str(missing)
    return engines


class Times(NamedTuple):
    """By engine: seconds and instructions of each round, and processor seconds of all rounds,
    helpers included.
    """

    walls: dict[str, list[float]]
    processor: dict[str, float]
    instructions: dict[str, list[int]]


class Meters(NamedTuple):
    """Where ours is printed, what counts instructions, and how often each is timed."""

    child: Executor
    count: Callable[[], int]
    rounds: int


def _timed(meters: Meters, facts: Facts, engines: dict[str, PrintIt]) -> Times:
    kind, snapshot, key = facts
    logo = assets_of(snapshot)[snapshot["company"]["logo"]["sha256"]].content
    content = content_of(kind, snapshot, links_of(snapshot, key), logo)
    ways: dict[str, Callable[[int], object]] = {
        OURS: lambda _: meters.child.submit(printed, facts).result()
    }
    ways |= {name: _with(print_it, content) for name, print_it in engines.items()}
    for way in ways.values():
        way(meters.rounds)  # the first of its kind is not timed
    times = Times({name: [] for name in ways}, dict.fromkeys(ways, 0.0), {n: [] for n in ways})
    for number in range(meters.rounds):
        # Who comes second finds in the processor's caches what both share.
        turn = list(ways.items())
        for name, way in turn if number % 2 else reversed(turn):
            before, counted = used_here(), meters.count()
            times.walls[name].append(seconds(lambda way=way, number=number: way(number)))
            times.processor[name] += used_here() - before
            times.instructions[name].append(meters.count() - counted)
    return times


def _with(print_it: PrintIt, content: Content) -> Callable[[int], object]:
    """Never the very same words twice: Typst remembers what it has laid out."""

    def way(number: int) -> None:
        rows = [[row[0], f"{row[1]} {number}", *row[2:]] for row in content.rows]
        if not print_it(replace(content, rows=rows)).startswith(b"%PDF-"):
            raise RuntimeError("That is no PDF.")

    return way


def printed(facts: Facts) -> Rendered:
    kind, snapshot, key = facts
    template = paper_kind(kind).template
    assets = assets_of(snapshot)
    return render_paper(template=template, snapshot=snapshot, assets=assets, fingerprint=key)


def assets_of(snapshot: Mapping[str, Any]) -> dict[str, Asset]:
    """Read from the archive and checked, as for each paper."""
    logo = snapshot["company"]["logo"]
    content = archive().read(logo["key"], logo["sha256"])
    return {logo["sha256"]: Asset(logo["media_type"], content)}


def _papers() -> dict[str, Facts]:
    company = _with_logo(books(40, items=10))
    return {
        _INVOICE: _facts(_first(Invoice, company)),
        "statement, 3 lines": statement(3),
        _LONG: statement(100),
        "receipt": _facts(_first(Payment, company)),
        "credit note, 1 item": _facts(_first(Return, company)),
        "challan, 10 items": _facts(_challan(company)),
    }


def _first(model: Any, company: Company) -> Any:
    return model.objects.for_company(company).order_by("pk").first()


def _facts(record: Any) -> Facts:
    paper = paper_of(record)
    return paper.kind.name, dict(paper.snapshot), fingerprint(paper)


def _with_logo(company: Company) -> Company:
    file = io.BytesIO()
    Image.radial_gradient("L").resize((600, 160)).convert("RGB").save(file, "PNG")
    company.logo.save("logo.png", ContentFile(file.getvalue()))
    return company


def _challan(company: Company) -> Challan:
    party = Party.objects.for_company(company).first()
    challan = Challan(company=company, party=party, challan_date=PERIOD.end - timedelta(days=3))
    items = [
        ChallanItem(position=place, sku=f"S-{place}", description="Hinge, brass", quantity=place)
        for place in range(1, 11)
    ]
    return save_challan(challan=challan, items=items, by=None)


def statement(lines: int) -> Facts:
    """One of so many lines: some more are written than are wanted, and the rest is left out."""
    few = max(2, lines)
    batch = planned(_with_logo(books(2, few=few, each=few, days=31)))
    document = Document._base_manager.filter(batch_items__batch=batch).first()
    assert document is not None
    snapshot = {**document.snapshot, "lines": document.snapshot["lines"][:lines]}
    if len(snapshot["lines"]) != lines:
        raise RuntimeError(f"It has {len(snapshot['lines'])} lines, not {lines}.")
    return document.kind, snapshot, document.fingerprint
