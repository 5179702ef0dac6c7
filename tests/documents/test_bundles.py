"""Many papers as one file: the right ones in order, under safe names, the same bytes each time."""

import io
import subprocess
import zipfile
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

import pikepdf
import pytest

from documents.bundles import NotReadable, Part, digest_of, file_names, merged, zipped, zipped_size

MOMENT = datetime(2026, 11, 22, 14, 5, 8, tzinfo=UTC)
_numbers = count()


def part(title, size=5):
    return Part(uuid4(), title, f"key/{next(_numbers)}", "0" * 64, size)


def content(part):
    yield part.title.encode()[: part.size].ljust(part.size, b".")


def zip_of(parts):
    return b"".join(zipped(parts, content, MOMENT))


def pdf(pages=1, text="x"):
    """A small paper whose pages inherit their size and share a picture."""
    made = pikepdf.new()
    for number in range(pages):
        page = made.add_blank_page(page_size=(100 + number, 50))
        page.Contents = made.make_stream(f"BT ({text} (1 0 R)) Tj ET".encode())
        page.Resources = pikepdf.Dictionary(
            XObject=pikepdf.Dictionary(P=made.make_stream(b"picture" * 400, Subtype="/Image"))
        )
    file = io.BytesIO()
    made.save(file)
    return io.BytesIO(file.getvalue())


def pdf_of(*papers):
    chunks = merged(papers, title="Run", author="We", moment=MOMENT, identifier="x")
    return b"".join(chunks)


def test_a_zip_holds_the_papers_in_their_order():
    parts = [part("C-002 Beta"), part("C-001 Alpha", size=300_000)]
    with zipfile.ZipFile(io.BytesIO(zip_of(parts))) as archive:
        assert archive.namelist() == ["C-002 Beta.pdf", "C-001 Alpha.pdf"]
        assert archive.testzip() is None
        assert len(archive.read("C-001 Alpha.pdf")) == 300_000
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {entry.date_time for entry in archive.infolist()} == {(2026, 11, 22, 14, 5, 8)}


def test_the_length_of_a_zip_is_known_ahead_and_its_bytes_are_the_same_each_time():
    parts = [part("é" * 40), part("plain", size=0), part("large", size=700_000)]
    assert zipped_size(parts, MOMENT) == len(zip_of(parts))
    assert zip_of(parts) == zip_of(parts)


def test_other_programs_read_it_too(tmp_path):
    (tmp_path / "papers.zip").write_bytes(zip_of([part("C-1 Müller & Söhne"), part("日本")]))
    done = subprocess.run(
        ["python3", "-m", "zipfile", "-e", str(tmp_path / "papers.zip"), str(tmp_path / "out")],
        check=False,
    )
    assert done.returncode == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"C-1 Müller & Söhne.pdf", "日本.pdf"}


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("C-001 Café Nürnberg", "C-001 Café Nürnberg.pdf"),
        ("../../etc/passwd", "etc passwd.pdf"),
        ("a/b\\c", "a b c.pdf"),
        ("CON", "_CON.pdf"),
        ("nul.x", "_nul.x.pdf"),
        ("", "document.pdf"),
        ("tab\tnew\nline\x00", "tab new line.pdf"),
        ("\u202egnp", "gnp.pdf"),
        ("trailing. . ", "trailing.pdf"),
    ],
)
def test_a_name_is_safe_and_keeps_its_letters(title, name):
    assert file_names([part(title)]) == [name]


def test_no_two_names_are_one_on_any_disk():
    titles = ["A", "a", "A", "Café", "Cafe\u0301", "A (2)", "x" * 300, "x" * 301]
    names = file_names([part(title) for title in titles])
    assert names[:3] == ["A.pdf", "a (2).pdf", "A (3).pdf"]
    assert len({name.casefold() for name in names}) == len(titles)
    assert max(len(name.encode()) for name in names) < 200


def test_the_digest_tells_other_papers_another_order_and_other_names():
    one, two = part("1"), part("2")
    renamed = Part(one.document_id, "other", one.storage_key, one.sha256, one.size)
    digests = {digest_of(parts) for parts in ([one, two], [two, one], [one], [renamed, two])}
    assert len(digests) == 4
    assert digest_of([one, two]) == digest_of([one, two])


def test_one_pdf_has_every_page_and_a_bookmark_a_paper():
    made = pdf_of(("C-1 Alpha (x)", pdf(2)), ("C-2 Überß 日本", pdf(1)), ("C-3", pdf(3)))
    with pikepdf.open(io.BytesIO(made)) as found:
        assert found.check_pdf_syntax() == []
        assert len(found.pages) == 6
        assert [int(page.mediabox[2]) for page in found.pages] == [100, 101, 100, 100, 101, 102]
        with found.open_outline() as outline:
            assert [item.title for item in outline.root] == [
                "C-1 Alpha (x)",
                "C-2 Überß 日本",
                "C-3",
            ]
            pages = [item.destination[0].objgen for item in outline.root]
        assert pages == [found.pages[place].obj.objgen for place in (0, 2, 3)]
        assert (str(found.docinfo.Title), str(found.docinfo.Author)) == ("Run", "We")


def test_text_that_looks_like_a_reference_stays_text():
    made = pdf_of(("A", pdf(1, "see 5 0 R")))
    with pikepdf.open(io.BytesIO(made)) as found:
        assert b"see 5 0 R (1 0 R)" in found.pages[0].Contents.read_bytes()


def test_a_picture_that_every_paper_shows_is_stored_once():
    one, many = pdf_of(("A", pdf())), pdf_of(*((str(n), pdf()) for n in range(20)))
    assert many.count(b"picturepicture") == one.count(b"picturepicture")
    assert len(many) < 20 * len(one) / 2


def test_pictures_that_differ_in_their_masks_only_keep_each_its_own():
    def masked(mask):
        made = pikepdf.new()
        picture = made.make_stream(b"picture", Subtype="/Image", SMask=made.make_stream(mask))
        made.add_blank_page().Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=picture))
        file = io.BytesIO()
        made.save(file)
        return io.BytesIO(file.getvalue())

    with pikepdf.open(io.BytesIO(pdf_of(("A", masked(b"one")), ("B", masked(b"two"))))) as found:
        pictures = [page.Resources.XObject.P for page in found.pages]
        assert [picture.SMask.read_bytes() for picture in pictures] == [b"one", b"two"]


def test_one_pdf_is_the_same_bytes_each_time():
    assert pdf_of(("A", pdf(2))) == pdf_of(("A", pdf(2)))


def test_what_is_no_pdf_is_named():
    with pytest.raises(NotReadable, match="Beta"):
        pdf_of(("Alpha", pdf()), ("Beta", io.BytesIO(b"not a paper")))
