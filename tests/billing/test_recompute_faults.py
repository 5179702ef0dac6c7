"""A worker that is killed in the middle of a recomputation, and a broker that is away."""

import io
from contextlib import contextmanager
from decimal import Decimal

import psycopg2
import pytest
from auditlog.models import LogEntry
from django.core.management import call_command
from django.db import connection

from billing.models import (
    Balance,
    BalanceDrift,
    Party,
    Recomputation,
    RecomputationChunk,
    RecomputationState,
)
from billing.services import recomputing
from billing.services.recomputing import finish_here, recompute_chunk, start_recomputation
from tests.billing.drifting import APPLY, REPORT
from tests.processes import dispatcher, eventually, private_broker, worker
from worker.leasing import WorkState
from worker.running import work_on

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def own_broker(broker_at):
    with private_broker() as broker:
        broker_at(broker.url)
        yield broker


def wrong_balances(company, count: int) -> None:
    """Parties whose balances say 5 and who have no document at all."""
    parties = Party.objects.bulk_create(
        Party(company=company, code=f"Q{number:04}", name="Quayside") for number in range(count)
    )
    five = Decimal(5)
    Balance.objects.bulk_create(
        Balance(company=company, party=party, invoiced=five, current=five) for party in parties
    )


@contextmanager
def held(statement: str, *parameters: object):
    """Another connection holds a lock for as long as the block lasts."""
    database = connection.settings_dict
    other = psycopg2.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
    )
    try:
        with other.cursor() as cursor:
            cursor.execute(statement, parameters)
            yield
    finally:
        other.close()


def running() -> int:
    return RecomputationChunk.objects.filter(state=WorkState.RUNNING).count()


def is_done(run: Recomputation) -> bool:
    return Recomputation.objects.filter(pk=run.pk, state=RecomputationState.DONE).exists()


def test_a_killed_workers_chunk_is_done_again_and_the_others_stay(
    company, own_broker, tmp_path, monkeypatch
):
    monkeypatch.setattr(recomputing, "CHUNK", 5)
    wrong_balances(company, 40)
    run = start_recomputation(company=company, mode=REPORT, by=None).run
    for chunk_id in run.chunks.order_by("position").values_list("pk", flat=True)[:3]:
        work_on(RecomputationChunk, chunk_id, recompute_chunk)
    before = dict(run.chunks.filter(state=WorkState.DONE).values_list("pk", "finished_at"))
    here = {"CELERY_BROKER_URL": own_broker.url}
    with dispatcher(tmp_path / "dispatcher.log", **here):
        with (
            held("LOCK TABLE billing_balance IN ACCESS EXCLUSIVE MODE"),
            worker(tmp_path / "first.log", queues="recompute", children=1, **here) as first,
        ):
            eventually(lambda: running() == 1, 60)
            first.kill()
        assert not is_done(run)
        with worker(tmp_path / "second.log", queues="recompute", children=1, **here):
            eventually(lambda: is_done(run), 60)
    run.refresh_from_db()
    assert (run.parties, run.drifting) == (40, 40)
    assert BalanceDrift.objects.count() == 40
    assert before.items() <= dict(run.chunks.values_list("pk", "finished_at")).items()
    attempts = sorted(run.chunks.values_list("attempts", flat=True))
    assert attempts == [1] * 7 + [2]


def test_a_killed_correction_goes_on_where_it_was(company, own_broker, tmp_path):
    wrong_balances(company, 250)
    last = Party.objects.order_by("pk").last()
    run = start_recomputation(company=company, mode=APPLY, by=None).run
    here = {"CELERY_BROKER_URL": own_broker.url}
    row = "SELECT 1 FROM billing_balance WHERE party_id = %s FOR UPDATE"
    with (
        held(row, str(last.pk)),
        dispatcher(tmp_path / "dispatcher.log", **here),
        worker(tmp_path / "first.log", queues="recompute", children=1, **here) as first,
    ):
        eventually(lambda: BalanceDrift.objects.filter(is_applied=True).count() == 200, 60)
        first.kill()
    assert Balance.objects.filter(current=5).count() == 50
    finish_here(run)
    run.refresh_from_db()
    assert (run.state, run.drifting, run.corrected) == ("done", 250, 250)
    assert not Balance.objects.exclude(current=0).exists()
    assert BalanceDrift.objects.count() == 250
    about = [entry.object_pk for entry in LogEntry.objects.filter(changes__has_key="because_of")]
    assert len(about) == len(set(about)) == 250


def test_without_a_broker_the_command_does_it_alone(company, own_broker, monkeypatch):
    own_broker.stop()
    monkeypatch.setattr(recomputing, "CHUNK", 5)
    wrong_balances(company, 12)
    out = io.StringIO()
    call_command("recompute_balances", apply=True, stdout=out)
    assert "12 drift, 12 corrected" in out.getvalue()
    assert RecomputationChunk.objects.filter(state=WorkState.DONE).count() == 3


def test_what_was_asked_for_without_a_broker_is_done_when_it_is_back(company, own_broker, tmp_path):
    wrong_balances(company, 3)
    own_broker.stop()
    run = start_recomputation(company=company, mode=REPORT, by=None).run
    here = {"CELERY_BROKER_URL": own_broker.url}
    with (
        dispatcher(tmp_path / "dispatcher.log", **here),
        worker(tmp_path / "worker.log", queues="recompute", children=1, **here),
    ):
        own_broker.start()
        eventually(lambda: is_done(run), 60)
    assert BalanceDrift.objects.count() == 3
