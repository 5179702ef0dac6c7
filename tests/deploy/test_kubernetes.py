"""deploy/kubernetes as Kustomize builds it: what keeps papers and requests alive is in it."""

import re
import shutil
import subprocess
from typing import Any

import jsonschema
import pytest
import yaml

from tests.deploy.compose import ROOT

FILES = ROOT / "deploy" / "kubernetes"
DEPLOYMENTS = ("web", "dispatcher", "beat", "worker-interactive", "worker-batch")


@pytest.fixture(scope="module")
def built() -> list[dict[str, Any]]:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    command = [kubectl, "kustomize", str(FILES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module")
def of_kind(built):
    def found(kind: str) -> dict[str, dict[str, Any]]:
        return {it["metadata"]["name"]: it for it in built if it["kind"] == kind}

    return found


def pod_of(resource: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = resource["spec"]["template"]["spec"]
    return pod


@pytest.fixture(scope="module")
def pods(of_kind) -> dict[str, dict[str, Any]]:
    found = {**of_kind("Deployment"), **of_kind("Job")}
    return {name: pod_of(resource) for name, resource in found.items()}


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_a_cluster_takes_every_resource_as_it_is(built, version):
    """By Kubernetes' own schemas, in which nothing may stand that they don't know."""
    schemas = pytest.importorskip("kubernetes_validate")
    for resource in built:
        if resource["kind"] != "ScaledObject":
            schemas.validate(resource, version, strict=True)


def test_keda_takes_what_is_for_it(of_kind):
    """By the fields that its definition of a ScaledObject knows and asks for."""
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    trigger = {
        "type": "object",
        "required": ["type", "metadata"],
        "properties": {"type": {"const": "prometheus"}, "metadata": texts},
        "additionalProperties": False,
    }
    count = {"type": "integer", "minimum": 0}
    schema = {
        "type": "object",
        "required": ["scaleTargetRef", "triggers"],
        "properties": {
            "scaleTargetRef": {**texts, "required": ["name"]},
            "minReplicaCount": count,
            "maxReplicaCount": {"type": "integer", "minimum": 1},
            "cooldownPeriod": count,
            "triggers": {"type": "array", "items": trigger, "minItems": 1},
        },
        "additionalProperties": False,
    }
    [scaled] = of_kind("ScaledObject").values()
    assert scaled["apiVersion"] == "keda.sh/v1alpha1"
    jsonschema.validate(scaled["spec"], schema)
    for trigger in scaled["spec"]["triggers"]:
        assert set(trigger["metadata"]) == {"serverAddress", "query", "threshold"}
        assert float(trigger["metadata"]["threshold"]) > 0


def test_every_part_is_deployed(pods):
    assert set(pods) == {*DEPLOYMENTS, "pressroom-migrate"}


def test_nothing_runs_as_root_or_may_become_it(pods):
    for pod in pods.values():
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] == 10001
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]


def test_the_image_knows_every_role(pods):
    entrypoint = (ROOT / "bin" / "entrypoint").read_text(encoding="utf-8")
    for pod in pods.values():
        [container] = pod["containers"]
        assert f"\n  {container['args'][0]})\n" in entrypoint


def test_every_pod_is_asked_whether_it_is_well(pods):
    for name in DEPLOYMENTS:
        assert "livenessProbe" in pods[name]["containers"][0], name
    [web] = pods["web"]["containers"]
    assert web["readinessProbe"]["httpGet"]["path"] == "/ready?without=broker"
    assert web["livenessProbe"]["httpGet"]["path"] == "/live"


def test_a_worker_has_longer_to_end_than_a_task_may_take(pods, settings):
    for name in ("worker-interactive", "worker-batch"):
        assert pods[name]["terminationGracePeriodSeconds"] > settings.CELERY_TASK_TIME_LIMIT


def test_a_web_pod_has_longer_than_its_requests_to_end(pods):
    wait = int(pods["web"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pods["web"]["terminationGracePeriodSeconds"] > wait + 30


def test_no_drain_takes_the_last_pod_of_what_there_are_several_of(of_kind):
    budgets = of_kind("PodDisruptionBudget")
    deployments = of_kind("Deployment")
    fewest = least_of_each(of_kind)
    assert set(budgets) == {name for name, count in fewest.items() if count > 1}
    for name, budget in budgets.items():
        assert budget["spec"]["minAvailable"] < fewest[name]
        labels = deployments[name]["spec"]["template"]["metadata"]["labels"]
        wanted = budget["spec"]["selector"]["matchLabels"].items()
        assert wanted <= labels.items()


def least_of_each(of_kind) -> dict[str, int]:
    """How many pods there are at least; what is scaled names no number of its own."""
    found = {name: it["spec"].get("replicas") for name, it in of_kind("Deployment").items()}
    for kind, least in (
        ("HorizontalPodAutoscaler", "minReplicas"),
        ("ScaledObject", "minReplicaCount"),
    ):
        for it in of_kind(kind).values():
            name = it["spec"]["scaleTargetRef"]["name"]
            assert found[name] is None, f"each `kubectl apply` would reset {name}"
            found[name] = it["spec"][least]
    return found


def test_a_rollout_adds_before_it_takes_away(of_kind):
    for deployment in of_kind("Deployment").values():
        assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_batch_workers_follow_the_length_and_the_age_of_their_queue(of_kind):
    [scaled] = of_kind("ScaledObject").values()
    assert scaled["spec"]["scaleTargetRef"]["name"] == "worker-batch"
    queries = [trigger["metadata"]["query"] for trigger in scaled["spec"]["triggers"]]
    named = [re.findall(r"(pressroom_\w+)\{([^}]*)\}", query) for query in queries]
    assert named == [
        [("pressroom_work", 'queue="batch",state="queued"')],
        [("pressroom_queue_oldest_seconds", 'queue="batch"')],
    ]
    told = (ROOT / "worker" / "metrics.py").read_text(encoding="utf-8")
    for [(name, labels)] in named:
        assert f'"{name}"' in told
        assert all(f'"{label}"' in told for label in re.findall(r"(\w+)=", labels))


def test_no_mount_hides_what_the_image_brings(pods):
    for pod in pods.values():
        places = [mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]]
        assert set(places) <= {"/tmp", "/app/var/mail", "/app/var/media"}


def test_every_queue_has_a_worker(pods, settings):
    heard: set[str] = set()
    for name in ("worker-interactive", "worker-batch"):
        heard |= set(pods[name]["containers"][0]["args"][1].split(","))
    assert heard == {queue.name for queue in settings.CELERY_TASK_QUEUES}


def written(kind: str) -> list[dict[str, Any]]:
    """As the files have them: what Kustomize adds changes neither labels of pods nor selectors."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(FILES.glob("*.yaml"))]
    found = [it for text in texts for it in yaml.safe_load_all(text)]
    return [it for it in found if it["kind"] == kind]


def is_selected(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    rules = selector.get("matchExpressions", [])
    assert all(rule["operator"] == "In" for rule in rules)
    equal = selector.get("matchLabels", {}).items() <= labels.items()
    return equal and all(labels.get(rule["key"]) in rule["values"] for rule in rules)


def policies_for(labels: dict[str, str]) -> list[dict[str, Any]]:
    found = [policy["spec"] for policy in written("NetworkPolicy")]
    return [spec for spec in found if is_selected(spec["podSelector"], labels)]


def test_each_part_of_ours_is_shut_and_the_web_is_open_to_ingress_and_prometheus():
    deployments = {it["metadata"]["name"]: it["spec"]["template"] for it in written("Deployment")}
    assert set(deployments) == set(DEPLOYMENTS)
    for name, template in deployments.items():
        [policy] = policies_for(template["metadata"]["labels"])
        assert policy["policyTypes"] == ["Ingress"]
        assert bool(policy.get("ingress")) is (name == "web")


@pytest.mark.parametrize("name", ["postgres", "broker"])
def test_a_database_or_broker_beside_them_is_not_shut_off(name):
    example = (FILES / "secret.env.example").read_text(encoding="utf-8")
    assert f"@{name}:" in example  # in the same namespace, that is
    assert policies_for({"app.kubernetes.io/name": name}) == []
    assert policies_for({"app.kubernetes.io/part-of": "pressroom", "app": name}) == []


def test_no_secret_is_built_in(built, of_kind):
    assert of_kind("Secret") == {}
    settings = next(iter(of_kind("ConfigMap").values()))["data"]
    assert not {"SECRET_KEY", "DATABASE_URL", "CELERY_BROKER_URL", "STORAGE_URL"} & set(settings)
