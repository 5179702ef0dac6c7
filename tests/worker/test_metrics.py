"""/metrics: who may read it, that it tells the truth, what it costs, what leans on its names."""

import json
import re
import shutil
import subprocess
import time
from datetime import timedelta

import pytest
import yaml
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from documents.models import Document, PaperMinute, PaperTally
from documents.services import tallies
from documents.services.tallies import advance_tallies
from tests.deploy import compose
from tests.factories import DocumentFactory, UserFactory
from tests.processes import ROOT, private_broker
from tests.worker.racing import at_once
from worker import counting
from worker.dispatching import sweep_leases
from worker.models import Mark, Role
from worker.presence import Herald

MONITORING = ROOT / "deploy" / "monitoring"
TOKEN = "a-token-of-thirty-two-characters"


@pytest.fixture
def opened(settings):
    settings.METRICS_OPEN = True
    settings.CANARY_SECONDS = 60


def scraped() -> dict[str, dict[frozenset, float]]:
    """Samples by name, then by their labels."""
    response = Client().get("/metrics")
    assert response.status_code == 200
    found: dict[str, dict[frozenset, float]] = {}
    for family in text_string_to_metric_families(response.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def value(name: str, **labels: str) -> float | None:
    return scraped().get(name, {}).get(frozenset(labels.items()))


@pytest.mark.django_db
def test_it_is_not_there_until_it_is_enabled(client):
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    assert client.get("/metrics").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("header", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (f"Bearer {TOKEN}x", 401),
        (f"Basic {TOKEN}", 401),
        ("Bearer é", 401),
        ("Bearer", 401),
        ("", 401),
    ],
)
def test_with_a_token_only_the_token_opens_it(settings, header, status):
    settings.METRICS_TOKEN = TOKEN
    headers = {"Authorization": header} if header else {}
    assert Client().get("/metrics", headers=headers).status_code == status


@pytest.mark.django_db
def test_a_session_opens_nothing_and_none_is_begun(settings, client):
    settings.METRICS_TOKEN = TOKEN
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    assert client.get("/metrics").status_code == 401
    response = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert not response.cookies
    assert Client().post("/metrics").status_code == 405


@pytest.mark.django_db
def test_work_is_told_by_kind_queue_and_state(opened):
    for number in range(3):
        DocumentFactory.create(queue="batch", turn=number)
    DocumentFactory.create(queue="batch", held=True)
    DocumentFactory.create(failed=True, queue="interactive")
    away = DocumentFactory.create(failed=True, queue="interactive")
    Document._base_manager.filter(pk=away.pk).update(cleared_at=Now())
    DocumentFactory.create(ready=True)
    rows = Document._base_manager.filter(turn=0, held=False, state="queued")
    rows.update(next_attempt_at=Now() - timedelta(seconds=90))
    later = Document._base_manager.filter(turn=2)
    later.update(next_attempt_at=Now() + timedelta(seconds=90))
    found = scraped()["pressroom_work"]
    work = {tuple(sorted(dict(labels).values())): count for labels, count in found.items()}
    assert work == {
        ("batch", "document", "queued"): 2,
        ("batch", "document", "later"): 1,
        ("batch", "document", "held"): 1,
        ("document", "failed", "interactive"): 1,
    }
    assert 90 <= value("pressroom_queue_oldest_seconds", queue="batch") < 100
    assert value("pressroom_queue_oldest_seconds", queue="mail") == 0


@pytest.mark.django_db
def test_processes_and_listeners_are_counted(opened):
    Herald(Role.WORKER, ("batch", "mail")).say()
    Herald(Role.DISPATCHER).say()
    assert value("pressroom_workers", queue="mail") == 1
    assert value("pressroom_workers", queue="interactive") == 0
    assert value("pressroom_processes", role="dispatcher") == 1
    assert value("pressroom_processes", role="beat") == 0


@pytest.mark.django_db
def test_without_a_broker_the_rest_is_told(opened, broker_at):
    DocumentFactory.create(queue="batch")
    with private_broker() as private:
        broker_at(private.url)
        assert value("pressroom_broker_up") == 1
        private.stop()
        found = scraped()
    assert found["pressroom_broker_up"] == {frozenset(): 0}
    assert "pressroom_queue_messages" not in found
    assert len(found["pressroom_work"]) == 1


@pytest.mark.django_db
def test_a_scrape_takes_few_queries_however_much_there_is(opened, django_assert_max_num_queries):
    for _ in range(5):
        DocumentFactory.create(ready=True)
        DocumentFactory.create(queue="batch")
    with django_assert_max_num_queries(16):
        scraped()


# --- What only grows -----------------------------------------------------------------------------


def ended(**fields) -> Document:
    """A paper that ended a minute ago."""
    outcome = {"ready": True} | fields
    document = DocumentFactory.create(**outcome)
    Document._base_manager.filter(pk=document.pk).update(finished_at=Now() - timedelta(seconds=60))
    return document


def counting_began(minutes: int = 5) -> None:
    Mark.objects.update_or_create(
        name=tallies.COUNTED, defaults={"at": Now() - timedelta(minutes=minutes)}
    )


@pytest.mark.django_db
def test_papers_are_counted_once_with_their_seconds_and_bytes(opened):
    counting_began()
    ended(render_milliseconds=120, attempts=1)
    ended(render_milliseconds=1500, attempts=3)
    ended(ready=False, failed=True)
    assert advance_tallies() == 3
    assert advance_tallies() == 0
    labels = {"kind": "statement"}
    assert value("pressroom_documents_total", outcome="ready", **labels) == 2
    assert value("pressroom_documents_total", outcome="failed", **labels) == 1
    assert value("pressroom_attempts_total", **labels) == 7
    assert value("pressroom_render_seconds_bucket", le="0.1", **labels) == 0
    assert value("pressroom_render_seconds_bucket", le="0.2", **labels) == 1
    assert value("pressroom_render_seconds_bucket", le="2.0", **labels) == 2
    assert value("pressroom_render_seconds_bucket", le="+Inf", **labels) == 2
    assert value("pressroom_render_seconds_sum", **labels) == pytest.approx(1.62)
    assert value("pressroom_document_bytes_count", **labels) == 2


@pytest.mark.django_db
def test_what_may_still_be_uncommitted_is_left_for_the_next_time():
    counting_began()
    DocumentFactory.create(ready=True)
    assert advance_tallies() == 0
    mark = Mark.objects.get(name=tallies.COUNTED)
    recent = Document._base_manager.filter(finished_at__gt=mark.at)
    assert recent.count() == 1


@pytest.mark.django_db
def test_a_long_absence_is_counted_in_pieces():
    counting_began(minutes=25)
    for minutes in (24, 12, 1):
        document = DocumentFactory.create(ready=True)
        rows = Document._base_manager.filter(pk=document.pk)
        rows.update(finished_at=Now() - timedelta(minutes=minutes))
    assert [advance_tallies() for _ in range(4)] == [1, 1, 1, 0]
    assert PaperTally.objects.get().papers == 3
    assert PaperMinute.objects.count() == 3


@pytest.mark.django_db
def test_counting_goes_on_after_papers_are_gone_or_made_again():
    counting_began()
    ended()
    advance_tallies()
    Document._base_manager.all().delete()
    counting_began()
    ended()
    advance_tallies()
    assert PaperTally.objects.get().papers == 2


def counted_by_four(monkeypatch) -> int:
    """Each takes its time between reading the mark and moving it."""
    read = tallies._ended

    def slowly(*moments):
        found = read(*moments)
        time.sleep(0.3)
        return found

    monkeypatch.setattr(tallies, "_ended", slowly)
    counting_began()
    for _ in range(5):
        ended()
    return sum(at_once(*[advance_tallies] * 4))


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_several_dispatchers_count_each_paper_once(monkeypatch):
    assert counted_by_four(monkeypatch) == 5
    assert PaperTally.objects.get().papers == 5


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_they_would_count_it_again(monkeypatch):
    """The control of the test above."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    assert counted_by_four(monkeypatch) > 5


@pytest.mark.django_db
def test_leases_that_run_out_are_counted(opened):
    for attempts in (1, 3):
        document = DocumentFactory.create(state="running", attempts=attempts)
        rows = Document._base_manager.filter(pk=document.pk)
        rows.update(lease_expires_at=Now() - timedelta(seconds=1), started_at=Now())
    assert sweep_leases(Document) == 2
    assert value("pressroom_expired_leases_total", kind="document") == 2
    counting.count(counting.EXPIRED_LEASES, kind="document", more=3)
    assert value("pressroom_expired_leases_total", kind="document") == 5


@pytest.mark.django_db
def test_the_dispatchers_lag_is_since_its_last_pass(opened):
    assert value("pressroom_dispatcher_lag_seconds") is None
    counting.note(counting.DISPATCHED)
    assert value("pressroom_dispatcher_lag_seconds") < 5
    Mark.objects.update(at=Now() - timedelta(minutes=3))
    assert value("pressroom_dispatcher_lag_seconds") >= 180
    counting.note(counting.DISPATCHED)
    assert value("pressroom_dispatcher_lag_seconds") < 5


# --- What leans on the names ---------------------------------------------------------------------


@pytest.fixture
def everything(opened, archive_dir):
    """Something of each kind, so that every name is exported."""
    from documents.models import ArchiveSweep

    counting_began()
    ended()
    advance_tallies()
    DocumentFactory.create(queue="batch")
    counting.note(counting.DISPATCHED)
    counting.count(counting.EXPIRED_LEASES, kind="document", more=1)
    sweep = ArchiveSweep.objects.create(state="done")
    ArchiveSweep.objects.filter(pk=sweep.pk).update(finished_at=Now())
    return set(scraped())


def names_in(text: str) -> set[str]:
    return set(re.findall(r"\bpressroom_[a-z_]+", text))


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["rules", "dashboard", "autoscaling"])
def test_every_metric_that_something_leans_on_is_exported(everything, place):
    files = {
        "rules": [MONITORING / "rules.yml", MONITORING / "tests.yml"],
        "dashboard": [MONITORING / "grafana-dashboard.json"],
        "autoscaling": [ROOT / "deploy" / "kubernetes" / "scaling.yaml"],
    }
    used = set().union(*(names_in(path.read_text()) for path in files[place]))
    assert used
    assert used - everything == set()


def hosts_of(way: str) -> str:
    if way == "kubernetes":
        path = ROOT / "deploy" / "kubernetes" / "settings.env"
        return compose.dotenv(path)["ALLOWED_HOSTS"]
    services = compose.read({"SITE_HOST": "billing.example.com"})["services"]
    return str(services["web"]["environment"]["ALLOWED_HOSTS"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("way", "name"),
    [("compose", "web:8000"), ("kubernetes", "web"), ("kubernetes", "web.pressroom:80")],
)
def test_a_scrape_by_the_name_that_is_known_inside_is_answered(settings, opened, way, name):
    settings.ALLOWED_HOSTS = hosts_of(way).split(",")
    assert Client().get("/metrics", headers={"host": name}).status_code == 200
    assert settings.ALLOWED_HOSTS[0] == "billing.example.com"  # which bin/probe asks by


def test_the_example_of_a_scrape_asks_by_such_a_name():
    described = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    [target] = described["scrape_configs"][0]["static_configs"][0]["targets"]
    assert target.partition(":")[0] in hosts_of("compose").split(",")


def test_the_dashboard_is_whole():
    board = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(target["expr"] for panel in panels for target in panel["targets"])


def test_each_alert_says_what_is_wrong_and_how_urgent_it_is():
    groups = yaml.safe_load((MONITORING / "rules.yml").read_text())["groups"]
    told = (ROOT / "docs" / "monitoring.md").read_text()
    for rule in (rule for group in groups for rule in group["rules"]):
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert rule["alert"] in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "rules", "rules.yml"],
        ["test", "rules", "tests.yml"],
        ["check", "config", "--syntax-only", "prometheus.yml"],
    ],
    ids=["rules", "tests of the rules", "scraping"],
)
def test_promtool_agrees(arguments):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (the package prometheus has it)")
    done = subprocess.run(
        [promtool, *arguments], cwd=MONITORING, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
