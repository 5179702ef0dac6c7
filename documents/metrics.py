"""What Prometheus reads of papers, e-mails and the archive. Names are an interface: see worker."""

from collections.abc import Iterator

from django.conf import settings
from django.db import models
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from documents.models import (
    RENDER_EDGES,
    SIZE_EDGES,
    ArchiveSweep,
    Delivery,
    DeliveryState,
    Document,
    DocumentState,
    PaperTally,
)
from documents.selectors.canaries import canary_ages
from worker.leasing import WorkState
from worker.metrics import gauge

# What was sent is not counted here: it grows for ever.
_COUNTED = (
    DeliveryState.QUEUED,
    DeliveryState.RUNNING,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.BOUNCED,
)


def read_papers() -> Iterator[Metric]:
    ended = CounterMetricFamily(
        "pressroom_documents",
        "Papers that ended: ready, failed or cancelled.",
        labels=["kind", "outcome"],
    )
    attempts = CounterMetricFamily(
        "pressroom_attempts", "Attempts at the papers that ended.", labels=["kind"]
    )
    seconds = HistogramMetricFamily(
        "pressroom_render_seconds", "How long rendering a paper took.", labels=["kind"]
    )
    size = HistogramMetricFamily(
        "pressroom_document_bytes", "How large the file of a paper is.", labels=["kind"]
    )
    tried: dict[str, int] = {}
    for tally in PaperTally.objects.order_by("kind", "outcome"):
        ended.add_metric([tally.kind, tally.outcome], tally.papers)
        tried[tally.kind] = tried.get(tally.kind, 0) + tally.attempts
        if tally.outcome == DocumentState.READY:
            edges = [edge / 1000 for edge in RENDER_EDGES]
            _add(seconds, tally, edges, tally.renders_within, tally.milliseconds / 1000)
            _add(size, tally, list(SIZE_EDGES), tally.sizes_within, tally.bytes)
    for kind, count in tried.items():
        attempts.add_metric([kind], count)
    yield from (ended, attempts, seconds, size)


def _add(
    histogram: HistogramMetricFamily,
    tally: PaperTally,
    edges: list[float] | list[int],
    within: list[int],
    total: float,
) -> None:
    buckets = [(str(float(edge)), count) for edge, count in zip(edges, within, strict=True)]
    histogram.add_metric([tally.kind], [*buckets, ("+Inf", tally.papers)], total)


def read_deliveries() -> Iterator[Metric]:
    """Each state by an index of its own."""
    states = GaugeMetricFamily(
        "pressroom_deliveries",
        "E-mails that wait, are being sent, failed, came back, or may have arrived (unknown).",
        labels=["state"],
    )
    first, *others = [
        Delivery._base_manager.filter(state=state)
        .order_by()
        .values_list("state")
        .annotate(count=models.Count("pk"))
        for state in _COUNTED
    ]
    counts = dict.fromkeys(_COUNTED, 0) | dict(first.union(*others, all=True))
    for state, count in counts.items():
        states.add_metric([str(state)], count)
    yield states


def read_archive() -> Iterator[Metric]:
    """Of the last walk through the archive that came to its end, and what is damaged now."""
    damaged = Document._base_manager.exclude(damage="").count()
    yield gauge("archive_damaged", "Papers whose file is missing or has changed.", damaged)
    done = ArchiveSweep.objects.filter(state=WorkState.DONE, finished_at__isnull=False)
    last = done.order_by("-finished_at").first()
    if last is None or last.finished_at is None:
        return
    yield gauge("archive_sweep_checked", "Files that were looked at.", last.checked)
    yield gauge("archive_sweep_missing", "Files that were missing.", last.missing)
    yield gauge("archive_sweep_changed", "Files that had changed.", last.changed)
    yield gauge("archive_sweep_orphans", "Files of nobody, removed.", last.orphans)
    yield gauge(
        "archive_sweep_finished_timestamp_seconds",
        "When the last walk through the archive ended.",
        last.finished_at.timestamp(),
    )


def read_canaries() -> Iterator[Metric]:
    """`+Inf` where none has come back yet; nothing where none is sent."""
    if not settings.CANARY_SECONDS:
        return
    ages = GaugeMetricFamily(
        "pressroom_canary_age_seconds",
        "Since a paper was last made all the way, by queue.",
        labels=["queue"],
    )
    for queue, age in canary_ages().items():
        ages.add_metric([queue], float("inf") if age is None else age.total_seconds())
    yield ages
