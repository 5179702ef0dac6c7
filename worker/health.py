"""Is this process alive, and is what it leans on there? For probes of load balancers and people.

An app registers a probe for what it leans on; a probe raises `Unready` and says what is wrong.
"""

import logging
from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError as BrokerError

from worker import broker

logger = logging.getLogger("pressroom.health")


class Unready(Exception):
    """What is missing, in words for an operator; no address and no password in them."""


Probe = Callable[[], None]
_probes: dict[str, Probe] = {}


def register_probe(name: str, probe: Probe) -> None:
    _probes[name] = probe


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nobody: a database that is away is no reason to kill the web."""
    return HttpResponse("live\n", content_type="text/plain")


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """200, or 503 with what is not ready.

    `?without=broker` leaves a probe out. A load balancer asks that way: without a broker requests
    are still taken, and published later.
    """
    left_out = request.GET.getlist("without")
    found = {name: _result(probe) for name, probe in _probes.items() if name not in left_out}
    is_ready = all(result == "ok" for result in found.values())
    return JsonResponse(found, status=200 if is_ready else 503)


def _result(probe: Probe) -> str:
    try:
        probe()
    except Unready as error:
        logger.warning("Not ready: %s", error)
        return str(error)
    return "ok"


def database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        connection.close()
        raise Unready("The database can't be reached.") from error


def broker_answers() -> None:
    try:
        broker.queue_depths()
    except BrokerError as error:
        raise Unready("The broker can't be reached: requests wait in the database.") from error


def migrations() -> None:
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        raise Unready("The database can't be reached.") from error
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        raise Unready(f"{len(plan)} migrations have not been applied.")
