"""A failure is told in a clerk's words, and in technical ones to those who run the installation."""

import errno
from dataclasses import replace

import pytest

from documents.archive import LocalArchive
from documents.models import Document, DocumentState
from documents.papers import PaperKind
from documents.services.requests import request_document
from documents.tasks import make_document
from tests.documents.papers import statement_paper
from tests.factories import CompanyFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("archive_dir")]


def after_making(paper):
    document = request_document(company=CompanyFactory.create(), paper=paper, by=None)
    make_document(str(document.pk))
    return Document.objects.get(pk=document.pk)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "The archive's disk is full."),
        (errno.EROFS, "can only be read"),
        (errno.EACCES, "does not belong to this program"),
        (errno.EIO, "The archive can't be written to."),
    ],
    ids=["full", "read only", "not allowed", "broken"],
)
def test_an_archive_that_cannot_be_written_to_is_named_and_tried_again(
    queues, monkeypatch, number, words
):
    def refuse(self, *args, **options):
        raise OSError(number, "No")

    monkeypatch.setattr(LocalArchive, "store", refuse)
    document = after_making(statement_paper())
    assert (document.state, document.attempts) == (DocumentState.QUEUED, 1)
    assert words in document.failure
    assert f"[Errno {number}]" in document.failure_detail
    assert "Error" not in document.failure


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (PaperKind("gone", "Gone", "pdf/none.html", 1), "does not know this kind of paper"),
        (PaperKind("statement", "x", "pdf/none.html", 1), "The template"),
    ],
    ids=["unknown kind", "no template"],
)
def test_a_kind_without_its_template_fails_for_good(queues, monkeypatch, kind, words):
    if kind.name == "statement":
        monkeypatch.setattr("documents.services.making.paper_kind", lambda name: kind)
    document = after_making(replace(statement_paper(), kind=kind))
    assert (document.state, document.attempts) == (DocumentState.FAILED, 1)
    assert words in document.failure
    assert kind.name in document.failure_detail or kind.template in document.failure_detail
