"""docker-compose.yml: valid by the Compose specification, and what it promises an operator."""

import json
import re
import subprocess
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml

from tests.deploy import compose
from tests.deploy.compose import ROOT
from worker.processes import GRACE

OURS = ("migrate", "web", "dispatcher", "beat", "worker-interactive", "worker-batch")
THEIRS = ("postgres", "broker", "proxy")


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return compose.read({"SITE_HOST": "billing.test"})


@pytest.fixture(scope="module")
def services(described) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = described["services"]
    return found


def seconds(text: str) -> int:
    assert text.endswith("s")
    return int(text.removesuffix("s"))


def test_it_is_what_the_compose_specification_allows(described):
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(described, json.loads(schema.read_text(encoding="utf-8")))


def test_a_key_that_stands_twice_is_noticed():
    with pytest.raises(yaml.YAMLError, match="'beat' stands twice"):
        compose.load("services:\n  beat: {image: a}\n  beat: {image: b}\n")


def test_it_does_not_start_before_its_secrets_are_made():
    with pytest.raises(KeyError, match="bin/make-secrets"):
        compose.read({})


def test_every_part_is_there(services):
    assert set(services) == {*OURS, *THEIRS}


@pytest.mark.parametrize("name", [*OURS, *THEIRS])
def test_every_service_restarts_has_bounds_and_is_asked_whether_it_is_well(services, name):
    service = services[name]
    assert service["restart"] == ("on-failure" if name == "migrate" else "unless-stopped")
    limits = service["deploy"]["resources"]["limits"]
    assert limits["memory"]
    assert limits["cpus"]
    check = service["healthcheck"]
    assert check.get("disable") is (True if name == "migrate" else None)
    assert name == "migrate" or check["test"][0] in ("CMD", "CMD-SHELL")
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", [*OURS, "proxy"])
def test_what_faces_people_and_papers_may_write_only_where_it_must(services, name):
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("user", "10001:10001") == "10001:10001"


@pytest.mark.parametrize("name", THEIRS)
def test_foreign_images_are_pinned(services, name):
    assert is_pinned(services[name]["image"])


def test_our_image_is_built_on_pinned_ones():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    given = [line.partition("=")[2] for line in lines if line.startswith("ARG ")]
    assert len(given) == 2
    assert all(is_pinned(image) for image in given)
    taken = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert set(taken) == {"${PYTHON_IMAGE}", "${NODE_IMAGE}"}


def is_pinned(image: str) -> bool:
    """To a patch, by its digest; that of Valkey is published nowhere that could be looked up."""
    name, _, digest = image.partition("@")
    tag = name.partition(":")[2].partition("-")[0]
    by_digest = name.startswith("valkey/") or re.fullmatch("sha256:[0-9a-f]{64}", digest)
    return bool(by_digest and re.fullmatch(r"\d+\.\d+(\.\d+)?", tag))


@pytest.mark.parametrize("name", OURS)
def test_no_secret_is_in_the_environment(services, described, name):
    for variable in services[name]["environment"]:
        assert variable not in ("SECRET_KEY", "DATABASE_URL", "CELERY_BROKER_URL")
    for secret in services[name]["secrets"]:
        assert described["secrets"][secret]["file"].startswith("./deploy/secrets/")


def test_what_stands_in_dotenv_reaches_ours_and_changes_nothing_that_compose_fixes(services):
    variables = {"PRESSROOM_RETENTION_YEARS": "12", "PRESSROOM_MODE": "local"}
    found = compose.read({"SITE_HOST": "billing.test", **variables})["services"]
    for name in OURS:
        own = found[name]["environment"]
        assert own["PRESSROOM_RETENTION_YEARS"] == "12"
        assert own["PRESSROOM_MODE"] == "production"
        assert "SECRET_KEY_FILE" in own
    for name in THEIRS:
        assert found[name] == services[name]


def test_every_service_of_ours_starts_without_a_dotenv(services):
    for name in OURS:
        assert services[name]["env_file"] == [{"path": ".env", "required": False}]


@pytest.mark.parametrize("name", OURS)
def test_the_image_knows_every_role(services, name):
    role = services[name]["command"][0]
    entrypoint = (ROOT / "bin" / "entrypoint").read_text(encoding="utf-8")
    assert f"\n  {role})\n" in entrypoint


def test_the_entrypoint_refuses_a_role_that_it_does_not_know():
    done = subprocess.run(
        ["sh", str(ROOT / "bin" / "entrypoint"), "wrker"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "usage:" in done.stderr


def test_nothing_is_killed_in_the_middle_of_its_work(services, settings):
    for name in ("worker-interactive", "worker-batch"):
        assert seconds(services[name]["stop_grace_period"]) > settings.CELERY_TASK_TIME_LIMIT
    assert settings.CELERY_TASK_TIME_LIMIT < GRACE  # of `serve`
    assert seconds(services["web"]["stop_grace_period"]) > 30


def test_workers_of_one_name_can_be_many(services):
    for name, service in services.items():
        assert "container_name" not in service, name
    for name in ("web", "worker-batch", "worker-interactive", "dispatcher"):
        assert "ports" not in services[name], name


def test_every_queue_has_a_worker(services, settings):
    heard: set[str] = set()
    for name in ("worker-interactive", "worker-batch"):
        heard |= set(services[name]["command"][1].split(","))
    assert heard == {queue.name for queue in settings.CELERY_TASK_QUEUES}


def test_the_broker_loses_nothing_and_lets_nobody_in(services):
    command = services["broker"]["command"][-1]
    for words in ("--appendonly yes", "--maxmemory-policy noeviction", "--requirepass"):
        assert words in command
    assert "ports" not in services["broker"]
    assert "ports" not in services["postgres"]


def test_what_must_outlive_a_container_has_a_volume(services, described):
    for name in OURS:
        kept = {volume.partition(":")[2] for volume in services[name]["volumes"]}
        assert kept == {"/data/archive", "/app/var/media", "/app/var/mail", "/data/backups"}
    assert {"archive", "backups", "postgres", "broker"} <= set(described["volumes"])


def test_the_image_makes_every_place_that_a_volume_is_mounted_on(services):
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for volume in services["web"]["volumes"]:
        assert f'"{volume.partition(":")[2]}"' in dockerfile
