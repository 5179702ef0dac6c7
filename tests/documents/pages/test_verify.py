"""A member's question: is this file what we issued?"""

import io
import os
import tempfile
from datetime import timedelta

import pikepdf
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from documents import pdf_fingerprint
from documents.models import Document
from documents.services.sweeping import recheck_damaged
from tests.documents.archived import flip_a_bit, lose, path_of, with_file
from tests.documents.papers import files_below

URL = reverse("documents:verify")


def counts(sql):
    """Requests a minute are counted whoever asks; no page is the wiser for it."""
    return settings.CACHES["default"]["LOCATION"] in sql


def pdf(fingerprint, text="Total 100.00"):
    file = io.BytesIO()
    document = pikepdf.new()
    document.add_blank_page()
    document.docinfo[pdf_fingerprint.KEY] = fingerprint
    document.docinfo["/Subject"] = text
    document.save(file, static_id=True)
    return file.getvalue()


def issued(company, **fields):
    """A paper whose file names its fingerprint, as rendered ones do."""
    fingerprint = os.urandom(32).hex()
    return with_file(pdf(fingerprint), company=company, fingerprint=fingerprint, **fields)


def superseding(document):
    same = {name: getattr(document, name) for name in ("company", "kind", "subject_id")}
    return issued(**same, version=2, supersedes=document, title="The new one")


def ask(client, content, name="mine.pdf", **headers):
    return client.post(URL, {"file": SimpleUploadedFile(name, content)}, **headers)


def content_of(document):
    return path_of(document).read_bytes()


def verdict(response):
    assert response.status_code == 200
    body = response.content.decode()
    return " ".join(body.split('id="verdict"')[1].split("</section>")[0].split())


def test_the_page_asks_for_a_file_or_a_hash(client):
    body = client.get(URL).content.decode()
    assert 'name="file"' in body
    assert 'name="sha256"' in body
    assert 'id="verdict"' not in body


def test_an_issued_file_is_valid_and_its_document_is_named(client, company):
    document = issued(company, title="Invoice INV-7")
    said = verdict(ask(client, content_of(document)))
    assert "Valid" in said
    assert "mine.pdf" in said
    assert f'href="{document.get_absolute_url()}">Invoice INV-7</a>' in said
    assert document.sha256 in said
    assert "£1,234.50" in said


def test_a_superseded_file_leads_to_the_version_that_counts(client, company):
    old = issued(company)
    new = superseding(old)
    said = verdict(ask(client, content_of(old)))
    assert "Superseded" in said
    assert f'href="{new.get_absolute_url()}">The new one, version 2</a>' in said
    assert "Valid" in verdict(ask(client, content_of(new)))


def test_an_older_version_counts_again_when_the_facts_went_back(client, company):
    old = issued(company)
    new = superseding(old)
    later = timezone.now() + timedelta(minutes=1)
    Document.objects.filter(pk=old.pk).update(current_since=later)
    assert "Valid" in verdict(ask(client, content_of(old)))
    assert "Superseded" in verdict(ask(client, content_of(new)))


def test_a_version_that_says_it_is_void_is_told_to_do_so(client, company):
    old = issued(company)
    new = superseding(old)
    Document.objects.filter(pk=new.pk).update(snapshot={"state": "void"})
    assert "which says that it is <strong>void" in verdict(ask(client, content_of(old)))
    assert "says that it is <strong>void" in verdict(ask(client, content_of(new)))


def test_a_version_that_was_never_made_supersedes_nothing(client, company):
    old = issued(company)
    Document.objects.filter(pk=superseding(old).pk).update(state="queued")
    assert "Valid" in verdict(ask(client, content_of(old)))


def test_an_altered_file_is_told_from_the_one_that_was_issued(client, company):
    document = issued(company, title="Invoice INV-7")
    said = verdict(ask(client, pdf(document.fingerprint, "Total 1.00")))
    assert "Altered" in said
    assert "is not the file that was issued" in said
    assert document.get_absolute_url() in said
    assert document.sha256 in said
    assert "Valid" not in said


@pytest.mark.parametrize("content", [b"a letter", b"%PDF-1.7 broken", b"\0\xff" * 5000])
def test_what_was_never_issued_is_unknown(client, company, content):
    issued(company)
    said = verdict(ask(client, content))
    assert "Unknown" in said
    assert "mine.pdf" in said


def test_another_company_s_file_is_as_unknown_as_any(client, company, stranger_client):
    document = issued(company, title="Invoice INV-7")
    altered = pdf(document.fingerprint, "Total 1.00")
    for content in (content_of(document), altered):
        said = verdict(ask(stranger_client, content))
        assert "Unknown" in said
        assert "INV-7" not in said
    said = verdict(stranger_client.get(URL, {"sha256": document.sha256}))
    assert "Unknown" in said
    assert "INV-7" not in said


def test_a_hash_has_an_address_that_stays(client, company):
    document = issued(company)
    assert "Valid" in verdict(client.get(URL, {"sha256": document.sha256}))
    spaced = f" {document.sha256[:32].upper()}:{document.sha256[32:]} "
    assert "Valid" in verdict(client.get(URL, {"sha256": spaced}))
    assert "Unknown" in verdict(client.get(URL, {"sha256": "0" * 64}))


def test_what_is_said_of_a_hash_is_not_said_of_a_file(client, company):
    """Anybody may send such a link: it must not seem to speak of a file that nobody gave."""
    said = verdict(client.get(URL, {"sha256": issued(company).sha256, "name": "forged.pdf"}))
    assert "This is the hash of a file" in said
    assert "forged.pdf" not in said


@pytest.mark.parametrize("text", ["", "abc", "g" * 64, "0" * 63, "0" * 65, "0" * 5000, "٣" * 64])
def test_what_is_no_hash_is_refused_beside_its_field(client, text):
    response = client.get(URL, {"sha256": text})
    assert response.status_code == 400
    assert 'class="field-error" id="id_sha256_error"' in response.content.decode()


@pytest.mark.parametrize(("harm", "word"), [(lose, "missing"), (flip_a_bit, "damaged")])
def test_damage_of_the_archive_s_own_copy_is_told(client, company, harm, word):
    document = issued(company)
    whole = content_of(document)
    harm(path_of(document))
    said = verdict(ask(client, whole))
    assert "Valid" in said
    assert f"own copy of this document is {word}" in said
    assert "Yours is whole" in said


def test_a_file_that_is_too_large_is_refused_with_the_limit(client, settings):
    settings.MAX_UPLOAD_MB = 1
    for size in (1_000_001, 7_000_000, 9_000_000):
        response = ask(client, b"x" * size)
        assert response.status_code in (400, 413), size
        assert "larger than 1 MB" in response.content.decode()
    assert "Unknown" in verdict(ask(client, b"x" * 1_000_000))


@pytest.mark.parametrize("data", [{}, {"file": "a text"}, {"file": ""}])
def test_no_file_is_told_beside_the_field(client, data):
    response = client.post(URL, data)
    assert response.status_code == 400
    assert "Choose the file first." in response.content.decode()


def test_an_empty_file_is_told_beside_the_field(client):
    response = ask(client, b"")
    assert response.status_code == 400
    assert "This file is empty." in response.content.decode()


def test_a_body_that_is_no_form_is_refused(client):
    response = client.post(URL, b"\0\1", content_type="multipart/form-data; boundary=x")
    assert response.status_code == 400


def test_other_fields_and_files_are_left_alone(client, company):
    content = content_of(issued(company))
    other = SimpleUploadedFile("other.bin", b"y" * 5000)
    files = {"other": other, "file": SimpleUploadedFile("a.pdf", content)}
    assert "Valid" in verdict(client.post(URL, files))


def test_a_file_s_name_is_shown_as_text(client, company):
    response = ask(client, content_of(issued(company)), name="<script>x</script>.pdf")
    assert "<script>x" not in response.content.decode()


def test_nothing_is_kept_and_nothing_is_written(
    client, company, archive_dir, tmp_path, monkeypatch
):
    document = issued(company)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    before = files_below(tmp_path)
    with CaptureQueriesContext(connection) as queries:
        ask(client, content_of(document))
        ask(client, pdf(document.fingerprint, "changed" * 500_000))
        client.get(URL, {"sha256": document.sha256})
    assert files_below(tmp_path) == before
    asked = [query["sql"] for query in queries.captured_queries]
    assert {sql.split()[0] for sql in asked if not counts(sql)} == {"SELECT"}


def test_it_takes_five_queries_at_most(client, company):
    document = issued(company)
    with CaptureQueriesContext(connection) as queries:
        ask(client, content_of(document))
    assert len(queries) <= 5


def test_a_form_of_another_site_is_refused(owner, company):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner.user)
    content = content_of(issued(company))
    assert ask(strict, content).status_code == 403
    token = strict.get(URL).context["csrf_token"]
    body = {"file": SimpleUploadedFile("a.pdf", content), "csrfmiddlewaretoken": str(token)}
    assert "Valid" in verdict(strict.post(URL, body))


def test_the_anonymous_are_sent_to_sign_in_and_their_file_is_not_read(company):
    response = ask(Client(), b"x")
    assert response.status_code == 302
    assert reverse("account_login") in response["Location"]


def test_a_viewer_may_ask(viewer_client, company):
    assert "Valid" in verdict(ask(viewer_client, content_of(issued(company))))


def test_the_owner_can_see_it_all_together(client, company):
    """The archive's page lists what is damaged, and looks again when told to."""
    url, document = reverse("documents:archive"), issued(company, title="Invoice INV-7")
    assert "No damage is known." in client.get(url).content.decode()
    content = content_of(document)
    lose(path_of(document))
    Document.objects.update(damage="missing", damaged_at=timezone.now(), checked_at=timezone.now())
    body = client.get(url).content.decode()
    assert document.get_absolute_url() in body
    assert "missing" in body
    assert "No file is whole again yet." in client.post(url, follow=True).content.decode()
    path_of(document).write_bytes(content)
    body = client.post(url, follow=True).content.decode()
    assert "1 file is whole again." in body
    assert "No damage is known." in body


def test_the_archive_is_for_accountants(viewer_client, stranger_client, company):
    url = reverse("documents:archive")
    assert viewer_client.get(url).status_code == 403
    assert viewer_client.post(url).status_code == 403
    document = issued(company, title="Invoice INV-7")
    Document.objects.update(damage="missing", damaged_at=timezone.now(), checked_at=timezone.now())
    assert "INV-7" not in stranger_client.get(url).content.decode()
    stranger_client.post(url)
    assert Document.objects.get(pk=document.pk).damage == "missing"  # only its company looks again
    assert recheck_damaged(company=company) == 1
