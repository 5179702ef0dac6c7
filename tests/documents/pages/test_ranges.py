"""A download that broke off goes on where it was; what makes no sense gets the whole file."""

import pytest
from django.urls import reverse

from tests.factories import PDF, DocumentFactory

SIZE = len(PDF)


@pytest.fixture
def document(company):
    return DocumentFactory.create(company=company, ready=True)


@pytest.fixture
def get(client, document):
    def asked(method="get", **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        url = reverse("documents:download", args=[document.pk])
        return getattr(client, method)(url, headers=names)

    return asked


def content(response):
    return b"".join(response)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=5-9", 5, 9),
        ("bytes=7-", 7, SIZE - 1),
        ("bytes=-4", SIZE - 4, SIZE - 1),
        (f"bytes=-{SIZE * 5}", 0, SIZE - 1),
        (f"bytes=3-{SIZE * 9}", 3, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
    ],
)
def test_a_part_is_a_part(get, asked, first, last):
    response = get(range=asked)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert response["Content-Length"] == str(last - first + 1)
    assert content(response) == PDF[first : last + 1]


def test_parts_put_together_are_the_file(get):
    parts = [content(get(range=f"bytes={at}-{at + 6}")) for at in range(0, SIZE, 7)]
    assert b"".join(parts) == PDF


def test_a_whole_file_says_that_parts_may_be_asked_for(get):
    assert get()["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
def test_what_lies_behind_the_end_is_refused_with_the_length(get, asked):
    response = get(range=asked)
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{SIZE}"
    assert response.content == b""


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,3-4",
        "bytes=" + ",".join(f"{n}-" for n in range(2000)),
        "bytes=9-3",
        "bytes=-",
        "bytes=a-b",
        "bytes=--5",
        "bytes=1.5-2",
        "bytes=0x0-0x5",
        "bytes=\u0661-\u0662",
        "bytes=" + "9" * 5000 + "-",
        "items=0-5",
        "bytes 0-5",
        "",
    ],
)
def test_what_makes_no_sense_or_costs_too_much_gets_the_whole_file(get, asked):
    response = get(range=asked.encode("utf-8").decode("latin-1"))
    assert response.status_code == 200
    assert content(response) == PDF


def test_a_part_of_another_file_is_never_sent(get, document):
    same = get(range="bytes=2-3", if_range=f'"{document.sha256}"')
    assert (same.status_code, content(same)) == (206, PDF[2:4])
    for other in ('"another"', f'W/"{document.sha256}"', "Wed, 21 Oct 2026 07:28:00 GMT"):
        response = get(range="bytes=2-3", if_range=other)
        assert (response.status_code, content(response)) == (200, PDF)


def test_a_condition_goes_before_a_range(get, document):
    fresh = get(range="bytes=2-3", if_none_match=f'"{document.sha256}"')
    assert fresh.status_code == 304
    gone = get(range="bytes=2-3", if_match='"another"')
    assert gone.status_code == 412


def test_head_knows_no_ranges(get):
    response = get("head", range="bytes=2-3")
    assert response.status_code == 200
    assert response["Content-Length"] == str(SIZE)
    assert content(response) == b""
