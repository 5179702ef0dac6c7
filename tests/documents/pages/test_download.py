import logging

import pytest
from django.urls import reverse

from documents.archive import LocalArchive, archive
from documents.models import Document, DocumentState
from tests.factories import PDF, DocumentFactory


def url(document):
    return reverse("documents:download", args=[document.pk])


@pytest.fixture
def document(company):
    return DocumentFactory.create(company=company, ready=True, title="Statement Oct 2026")


def test_the_file_comes_whole_and_well_described(client, document):
    response = client.get(url(document))
    assert response.status_code == 200
    assert b"".join(response) == PDF
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Length"] == str(len(PDF))
    assert response["ETag"] == f'"{document.sha256}"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("default-src 'none'")
    assert response["Cache-Control"] == "private, no-cache"
    assert "Cookie" in response["Vary"]
    assert response["Content-Disposition"] == (
        'attachment; filename="Statement Oct 2026.pdf"; '
        "filename*=UTF-8''Statement%20Oct%202026.pdf"
    )


def test_it_is_streamed_and_closed(client, document, monkeypatch):
    opened = []
    open_checked = LocalArchive.open_checked

    def noted(*args):
        opened.append(open_checked(*args))
        return opened[-1]

    monkeypatch.setattr(LocalArchive, "open_checked", noted)
    for response in (client.get(url(document)), client.head(url(document))):
        assert response.streaming
        response.close()
    assert [file.closed for file in opened] == [True, True]


def test_it_can_be_shown_in_the_browser(client, document):
    response = client.get(url(document), {"inline": "1"})
    assert response["Content-Disposition"].startswith("inline; ")


def test_head_tells_the_same_without_the_file(client, document):
    response = client.head(url(document))
    assert response.status_code == 200
    assert response["Content-Length"] == str(len(PDF))
    assert b"".join(response) == b""


def test_a_copy_that_is_still_right_is_not_sent_again(client, document):
    response = client.get(url(document), headers={"If-None-Match": f'"{document.sha256}"'})
    assert response.status_code == 304
    assert response["ETag"] == f'"{document.sha256}"'
    assert response["Cache-Control"] == "private, no-cache"
    other = client.get(url(document), headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


@pytest.mark.parametrize(
    "title",
    [
        'He said "no"',
        "two\r\nSet-Cookie: stolen=1",
        "../../etc/passwd",
        "Café Müller № 5 日本",
        "شركة النور",
        "\u202egnp.exe",
        "a;b=c%0d%0a",
        "...",
        "\\\\server\\share",
        "x" * 200,
        "日" * 200,
    ],
)
def test_a_hostile_title_makes_a_harmless_name(client, company, title):
    document = DocumentFactory.create(company=company, ready=True, title=title)
    header = client.get(url(document))["Content-Disposition"]
    assert header.isascii()
    kind, plain, full = header.split("; ")
    assert kind == "attachment"
    assert plain.startswith('filename="')
    assert plain.endswith('.pdf"')
    name = plain.removeprefix('filename="').removesuffix('"')
    assert not set(name) & set('"\\/\r\n;%')
    assert not name.startswith(".")
    assert full.startswith("filename*=UTF-8''")
    assert "%0D" not in full
    assert "%2F" not in full
    assert "%E2%80%AE" not in full
    assert "Set-Cookie" not in client.get(url(document)).headers or "stolen" not in header + str(
        client.get(url(document)).cookies
    )


def test_the_whole_name_survives_in_unicode(client, company):
    document = DocumentFactory.create(company=company, ready=True, title="Café 日本")
    header = client.get(url(document))["Content-Disposition"]
    assert 'filename="Cafe.pdf"' in header
    assert header.endswith("filename*=UTF-8''Caf%C3%A9%20%E6%97%A5%E6%9C%AC.pdf")


@pytest.mark.parametrize("state", ["queued", "running", "cancelled"])
def test_what_is_not_ready_conflicts_and_says_its_state(client, company, state):
    document = DocumentFactory.create(company=company, state=state)
    response = client.get(url(document))
    assert response.status_code == 409
    assert str(DocumentState(state).label) in response.content.decode()


def test_a_failed_one_says_why(client, company):
    document = DocumentFactory.create(company=company, failed=True)
    response = client.get(url(document))
    assert response.status_code == 409
    assert "A character of the name" in response.content.decode()


def damage(document):
    path = archive()._path(document.storage_key)
    path.write_bytes(path.read_bytes() + b"!")


def lose(document):
    archive()._path(document.storage_key).unlink()


@pytest.mark.parametrize("harm", [damage, lose])
def test_a_damaged_file_is_never_served(client, document, caplog, harm):
    harm(document)
    with caplog.at_level(logging.ERROR, "documents.views.downloads"):
        response = client.get(url(document))
    assert response.status_code == 500
    body = response.content.decode()
    assert "The stored file is damaged" in body
    assert document.storage_key not in body
    assert any(str(document.pk) in record.getMessage() for record in caplog.records)


def test_a_path_out_of_the_archive_is_never_served(client, document):
    Document._base_manager.update(storage_key="../../../etc/passwd")
    assert client.get(url(document)).status_code == 500


def test_it_takes_three_queries(client, document, django_assert_num_queries):
    with django_assert_num_queries(3) as queries:
        client.get(url(document))
    assert not any("snapshot" in query["sql"] for query in queries.captured_queries)
