"""Who reads the broker reads ids, and nothing of anybody's business."""

import base64
import inspect
import json

import pytest

from documents.services.requests import request_document
from tests.documents.papers import statement_paper
from tests.factories import CompanyFactory
from tests.worker.messages import waiting
from worker.celery import app


def test_tasks_take_ids_and_nothing_else():
    app.loader.import_default_modules()
    ours = [task for name, task in app.tasks.items() if not name.startswith("celery.")]
    assert ours
    for task in ours:
        for name, parameter in inspect.signature(task.run).parameters.items():
            assert name.endswith("_id"), (task.name, name)
            assert parameter.annotation in (str, "str"), (task.name, name)


@pytest.mark.django_db
def test_a_message_holds_an_id_and_no_name(queues, archive_dir, django_capture_on_commit_callbacks):
    company = CompanyFactory.create(legal_name="Quillfeather Ltd")
    with django_capture_on_commit_callbacks(execute=True):
        document = request_document(company=company, paper=statement_paper("Quillfeather"), by=None)
    [message] = [json.loads(it) for it in queues.lrange("interactive", 0, -1)]
    assert "Quillfeather" not in json.dumps(message)
    assert waiting(queues) == [str(document.pk)]
    assert "Quillfeather" not in base64.b64decode(message["body"]).decode()
    assert message["content-type"] == "application/json"
