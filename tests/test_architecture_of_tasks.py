"""What of Celery is not used: tasks that wait for tasks or for a time, and decisions by results.

Such work waits in the database, as rows: what waits in a broker is lost with it.
"""

import ast

import pytest

from tests.test_architecture import LAYERS, imported, module, outside_migrations

MAY_KNOW_RESULTS = {"worker/results.py": "keeps them, for people; nothing reads them"}
CHAINS = {"chord", "group", "chain", "chunks", "signature", "canvas", "subtask"}
DELAYS = {"countdown", "eta", "link", "link_error", "autoretry_for"}
RESULTS = {"AsyncResult", "GroupResult", "ResultSet", "EagerResult", "TaskResult"}


def chains_tasks(node: ast.AST) -> bool:
    """A task after others, after a while, or once more, by Celery's means."""
    if isinstance(node, ast.keyword):
        return node.arg in DELAYS
    if isinstance(node, ast.Attribute):
        return node.attr in CHAINS and ast.unparse(node.value) == "celery"
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "retry"
    return any(is_of_celery(name, CHAINS) for name in imported(node, ""))


def knows_results(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in RESULTS
    return any(
        name.startswith("django_celery_results") or is_of_celery(name, {*RESULTS, "result"})
        for name in imported(node, "")
    )


def is_of_celery(name: str, parts: set[str]) -> bool:
    first, *rest = name.split(".")
    return first == "celery" and bool(parts & set(rest))


RULES = {"chain": chains_tasks, "result": knows_results}


def uses(found, rule):
    return any(RULES[rule](node) for node in ast.walk(found.tree))


@pytest.mark.parametrize(("rule", "allowed"), [("chain", {}), ("result", MAY_KNOW_RESULTS)])
def test_only_the_named_places(rule, allowed):
    files = [each for each in outside_migrations() if each.layer in LAYERS]
    assert len(files) > 100
    assert {each.path for each in files if uses(each, rule)} == set(allowed)


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        ("chain", "from celery import chord"),
        ("chain", "from celery import shared_task, group as several"),
        ("chain", "from celery.canvas import signature"),
        ("chain", "import celery\ncelery.chain(a.s(), b.s())()"),
        ("chain", "send_document.apply_async(args=[pk], countdown=60)"),
        ("chain", "app.send_task(name, eta=tomorrow)"),
        ("chain", "task.apply_async(link=other.s())"),
        ("chain", "@shared_task(autoretry_for=(OSError,))\ndef f():\n    pass"),
        ("chain", "raise self.retry(exc=error)"),
        ("chain", "make_document.retry()"),
        ("result", "from celery.result import AsyncResult"),
        ("result", "from celery import result"),
        ("result", "import celery.result"),
        ("result", "from django_celery_results.models import TaskResult"),
        ("result", "state = app.AsyncResult(task_id).state"),
    ],
)
def test_a_breach_is_found(rule, source):
    assert uses(module("billing/x.py", source), rule)


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        ("chain", "from celery import Celery, shared_task\nfrom itertools import chain"),
        ("chain", "work.fail(reason='', retry=True)\nmatch.group(1)\nchain(a, b)"),
        ("result", "found = [future.result() for future in futures]"),
    ],
)
def test_what_is_no_breach_is_let_through(rule, source):
    assert not uses(module("billing/x.py", source), rule)
