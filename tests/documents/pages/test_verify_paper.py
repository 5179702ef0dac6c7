"""The address that is printed on a paper: for anybody who holds it, and nobody else."""

import io

import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from documents.models import Document
from documents.verification import code_of
from tests.documents.archived import lose, path_of
from tests.documents.pages.test_verify import content_of, counts, issued, pdf, superseding


def url(document):
    return reverse("verify_paper", args=[code_of(document.fingerprint)])


@pytest.fixture
def document(company):
    snapshot = {"company": {"legal_name": "Thornbury Paper & Sons, as printed"}}
    return issued(company, title="Invoice INV-7", snapshot=snapshot, kind="letter")


def ask(document, content, client=None):
    file = SimpleUploadedFile("mine.pdf", content)
    return (client or Client()).post(url(document), {"file": file})


def match(response):
    assert response.status_code == 200
    return response.content.decode().split('id="match"')[1].split("</p>")[0]


def test_it_shows_what_the_paper_itself_says_without_sign_in(document):
    response = Client().get(url(document))
    assert response.status_code == 200
    body = response.content.decode()
    for fact in ("Thornbury Paper &amp; Sons, as printed", "Letter", "Invoice INV-7"):
        assert fact in body
    assert "£1,234.50 (GBP)" in body
    assert document.sha256 in body
    assert "Valid" in body
    assert "only the issuer can tell" in body


def test_it_shows_nothing_else(document, client):
    for who in (Client(), client):
        body = who.get(url(document)).content.decode()
        for secret in (document.recipient_name, document.recipient_code, str(document.pk)):
            assert secret not in body
        assert "/billing/" not in body
        assert "/documents/" not in body


def test_a_superseded_paper_is_told_so(document):
    superseding(document)
    body = Client().get(url(document)).content.decode()
    assert "Superseded" in body
    assert "Valid" not in body


@pytest.mark.parametrize(
    ("state", "word"), [("draft", "A draft"), ("void", "Void"), ("cancelled", "Cancelled")]
)
def test_what_a_paper_says_against_itself_is_said_here_too(company, state, word):
    marked = issued(company, snapshot={"state": state})
    body = Client().get(url(marked)).content.decode()
    assert f'state-failed">{word}</span>' in body
    assert "Valid" not in body


def test_a_paper_whose_later_version_is_void_is_told_so(document):
    new = superseding(document)
    Document.objects.filter(pk=new.pk).update(snapshot={"state": "void"})
    body = Client().get(url(document)).content.decode()
    assert "counts instead; it says that it is void" in body


def test_the_bearer_s_file_is_compared(document):
    assert "is the file that was issued" in match(ask(document, content_of(document)))
    changed = match(ask(document, pdf(document.fingerprint, "Total 1.00")))
    assert "<strong>not</strong> the file" in changed
    assert "<strong>not</strong> the file" in match(ask(document, b"something else"))


def test_a_file_of_another_version_is_told_from_a_forged_one(document):
    new = superseding(document)
    assert "another version" in match(ask(document, content_of(new)))


def test_another_paper_of_the_company_is_not_told_apart_from_any_file(document, company):
    said = match(ask(document, content_of(issued(company))))
    assert said == match(ask(document, b"something else"))


def test_a_damaged_archive_is_not_the_bearer_s_business(document):
    content = content_of(document)
    lose(path_of(document))
    assert "is the file that was issued" in match(ask(document, content))
    assert "missing" not in Client().get(url(document)).content.decode()


def test_a_link_alone_says_nothing_of_a_file(document):
    body = Client().get(url(document), {"sha256": document.sha256}).content.decode()
    assert 'id="match"' not in body


def test_a_form_of_another_site_is_refused(document):
    strict = Client(enforce_csrf_checks=True)
    assert ask(document, content_of(document), strict).status_code == 403
    token = strict.get(url(document)).context["csrf_token"]
    file = SimpleUploadedFile("a.pdf", content_of(document))
    body = {"file": file, "csrfmiddlewaretoken": str(token)}
    assert "is the file that was issued" in match(strict.post(url(document), body))


def test_every_unknown_code_gets_the_same_words(company, document):
    unmade = issued(company)
    Document.objects.filter(pk=unmade.pk).update(state="failed", failure="Why not.")
    code = code_of(document.fingerprint)
    wrong = [
        code_of(unmade.fingerprint),
        code_of("0" * 64),
        code[:-1],
        code + "A",
        code[:-1] + ("B" if code[-1] == "A" else "A"),
        "x" * 52,
        "1" * 52,
        "é" * 52,
        document.fingerprint,
        str(document.pk),
        "A" * 5000,
    ]
    bodies = set()
    for text in wrong:
        response = Client().get(reverse("verify_paper", args=[text]))
        assert response.status_code == 404, text
        bodies.add(response.content)
        posted = Client().post(reverse("verify_paper", args=[text]), {})
        assert posted.status_code == 404
        bodies.add(posted.content)
    assert len(bodies) == 1
    assert "No paper is known under this code" in bodies.pop().decode()


def test_an_unknown_code_costs_one_query_at_most_and_reads_no_file(document):
    with CaptureQueriesContext(connection) as queries:
        Client().post(
            reverse("verify_paper", args=["A" * 52]), {"file": SimpleUploadedFile("a", b"x" * 9999)}
        )
        Client().get(reverse("verify_paper", args=["nonsense"]))
    assert len([query for query in queries.captured_queries if not counts(query["sql"])]) == 1
    assert len(queries) == 1 + 2  # two requests were counted


def test_small_letters_and_spaces_are_forgiven(document):
    code = code_of(document.fingerprint).lower()
    for text in (code, f"{code[:4]} {code[4:]}", f"{code[:4]}-{code[4:]}"):
        assert Client().get(reverse("verify_paper", args=[text])).status_code == 200


def test_no_cache_keeps_it_and_no_index_lists_it(document):
    for address in (url(document), reverse("verify_paper", args=["A" * 52])):
        response = Client().get(address)
        assert "no-store" in response["Cache-Control"]
        assert "private" in response["Cache-Control"]
        assert "noindex" in response["X-Robots-Tag"]
        assert 'name="robots" content="noindex' in response.content.decode()
        assert response["Content-Security-Policy"]


def test_a_member_s_session_changes_nothing(document, client, stranger_client):
    plain = Client().get(url(document)).content.decode()
    for who in (client, stranger_client):
        body = who.get(url(document)).content.decode()
        assert body.count("Invoice INV-7") == plain.count("Invoice INV-7")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_it_answers_to_reading_and_asking_only(document, method):
    assert getattr(Client(), method)(url(document)).status_code == 405


def test_too_large_and_missing_files_are_told(document, settings):
    settings.MAX_UPLOAD_MB = 1
    for size in (1_000_001, 9_000_000):
        response = ask(document, b"x" * size)
        assert response.status_code in (400, 413)
        assert "larger than 1 MB" in response.content.decode()
        assert "no-store" in response["Cache-Control"]
    assert "Choose the file first." in Client().post(url(document)).content.decode()


def test_a_file_is_hashed_as_it_comes_and_not_parsed(document, monkeypatch):
    """Anybody may send one: nothing is done with it beyond the hash."""
    monkeypatch.setattr("subprocess.run", None)
    monkeypatch.setattr("tempfile.TemporaryFile", None)
    file = io.BytesIO()
    with pikepdf.open(path_of(document)) as opened:
        opened.save(file, linearize=True)
    assert "<strong>not</strong>" in match(ask(document, file.getvalue()))


def test_it_writes_nothing_and_takes_few_queries(document):
    with CaptureQueriesContext(connection) as queries:
        ask(document, content_of(document))
    asked = [query["sql"] for query in queries.captured_queries if not counts(query["sql"])]
    assert {sql.split()[0] for sql in asked} == {"SELECT"}
    assert len(asked) <= 3
    assert len(queries) == len(asked) + 1
