"""What Prometheus reads: `/metrics`, in its text format.

Everything comes from the database and the broker when it is asked for, so any web process gives
the same answer, and one scrape of one of them is enough. What only grows is kept in the database
by the dispatcher. An app registers a reader for what it knows; the names are an interface, since
dashboards, alerts and autoscaling use them.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError as BrokerError
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from worker import broker, counting, presence
from worker.clock import database_now
from worker.models import Mark, Presence, Role
from worker.workload import DUE, workload

Reader = Callable[[], Iterable[Metric]]
_readers: list[Reader] = []


def register_reader(reader: Reader) -> None:
    _readers.append(reader)


class _All(Collector):
    def collect(self) -> Iterable[Metric]:
        for reader in _readers:
            yield from reader()


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """404 until it is enabled. With a token only `Authorization: Bearer` counts: no session."""
    if not settings.METRICS_TOKEN and not settings.METRICS_OPEN:
        raise Http404("Metrics are not enabled.")
    if settings.METRICS_TOKEN and not _has_token(request):
        challenge = {"WWW-Authenticate": "Bearer"}
        return HttpResponse("A token is needed.\n", "text/plain", 401, headers=challenge)
    registry = CollectorRegistry(auto_describe=False)  # describing would read everything twice
    registry.register(_All())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    is_it = secrets.compare_digest(given.strip().encode(), settings.METRICS_TOKEN.encode())
    return scheme.lower() == "bearer" and is_it


def gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"pressroom_{name}", about, value=value)


def read_queues() -> Iterator[Metric]:
    """Without a broker there are no messages to count; the rows are counted all the same."""
    try:
        depths = broker.queue_depths()
    except BrokerError:
        depths = {}
    yield gauge("broker_up", "1 if the broker answers.", float(bool(depths)))
    messages = GaugeMetricFamily(
        "pressroom_queue_messages", "Messages that wait in the broker.", labels=["queue"]
    )
    for queue, depth in depths.items():
        messages.add_metric([queue], depth)
    yield messages


def read_work() -> Iterator[Metric]:
    rows = GaugeMetricFamily(
        "pressroom_work",
        "Leased work that is not done. queued: due now; later: to be tried again; held: paused;"
        " running; failed: for good, and not put away.",
        labels=["kind", "queue", "state"],
    )
    oldest = GaugeMetricFamily(
        "pressroom_queue_oldest_seconds",
        "For how long the oldest due work has waited; 0: none waits.",
        labels=["queue"],
    )
    now = database_now()
    waited = dict.fromkeys(broker.queue_names(), 0.0)
    for load in workload():
        rows.add_metric([load.kind, load.queue, load.state], load.count)
        if load.state == DUE and load.since is not None:
            seconds = max(0.0, (now - load.since).total_seconds())
            waited[load.queue] = max(waited.get(load.queue, 0.0), seconds)
    for queue, seconds in waited.items():
        oldest.add_metric([queue], seconds)
    yield from (rows, oldest)


def read_processes() -> Iterator[Metric]:
    workers = GaugeMetricFamily(
        "pressroom_workers", "Worker processes that listen to a queue.", labels=["queue"]
    )
    processes = GaugeMetricFamily(
        "pressroom_processes", "Processes that say they are alive.", labels=["role"]
    )
    listening = dict.fromkeys(broker.queue_names(), 0)
    alive = dict.fromkeys(Role.values, 0)
    for one in present_processes():
        alive[one.role] += 1
        for queue in one.queues:
            listening[queue] = listening.get(queue, 0) + 1
    for queue, count in listening.items():
        workers.add_metric([queue], count)
    for role, count in alive.items():
        processes.add_metric([role], count)
    yield from (workers, processes)


def present_processes() -> list[Presence]:
    return list(presence.present().order_by("role", "host", "pid"))


def read_dispatching() -> Iterator[Metric]:
    leases = CounterMetricFamily(
        "pressroom_expired_leases", "Leases that ran out: the worker was lost.", labels=["kind"]
    )
    for kind, total in counting.totals(counting.EXPIRED_LEASES).items():
        leases.add_metric([kind], total)
    yield leases
    passed = Mark.objects.filter(name=counting.DISPATCHED).first()
    if passed is not None:
        lag = max(0.0, (database_now() - passed.at).total_seconds())
        yield gauge("dispatcher_lag_seconds", "Since a dispatcher last made a pass.", lag)
