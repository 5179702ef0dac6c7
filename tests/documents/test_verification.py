"""The code of a paper, and the fingerprint that a PDF names: read with bounds, always."""

import io
import subprocess
import sys
import tempfile
import zlib

import pikepdf
import pytest

from documents import pdf_fingerprint, verification
from documents.rendering.engine import FINGERPRINT
from documents.verification import code_of, fingerprint_named_in, fingerprint_of
from tests.documents.papers import files_below

PRINT = "0123456789abcdef" * 4


def pdf_naming(fingerprint: str = PRINT, **facts: str) -> bytes:
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.docinfo[pdf_fingerprint.KEY] = fingerprint
    for key, value in facts.items():
        pdf.docinfo[f"/{key}"] = value
    file = io.BytesIO()
    pdf.save(file)
    return file.getvalue()


def named_in(content: bytes) -> str:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        return fingerprint_named_in(file)


def test_the_code_of_a_fingerprint_leads_back_to_it():
    code = code_of(PRINT)
    assert len(code) == 52
    assert fingerprint_of(code) == PRINT
    assert fingerprint_of(f" {code[:20].lower()}-{code[20:]} ") == PRINT


def test_the_reader_looks_where_the_renderer_writes():
    assert f"/{FINGERPRINT}" == pdf_fingerprint.KEY


def test_a_pdf_names_its_fingerprint_also_when_it_was_saved_anew():
    content = pdf_naming()
    assert named_in(content) == PRINT
    file = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as pdf:
        pdf.docinfo["/Title"] = "Changed"
        pdf.save(file, linearize=True)
    assert named_in(file.getvalue()) == PRINT


def test_a_pdf_that_was_cut_off_may_still_name_it():
    content = pdf_naming()
    assert named_in(content[: content.rindex(b"\nxref")]) == PRINT


def nobodys_pdf() -> bytes:
    pdf = pikepdf.new()
    pdf.add_blank_page()
    file = io.BytesIO()
    pdf.save(file)
    return file.getvalue()


def bomb() -> bytes:
    """A compressed stream that a reader of the cross-references has to unfold: a gigabyte."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b"\0" * 10_000_000) for _ in range(100)) + packer.flush()
    return (
        b"%PDF-1.5\n1 0 obj\n<< /Type /XRef /Size 1 /W [1 2 1] /Filter /FlateDecode /Length "
        + str(len(packed)).encode()
        + b" >>\nstream\n"
        + packed
        + b"\nendstream\nendobj\nstartxref\n9\n%%EOF"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7",
        b"not a PDF at all",
        b"\0" * 100_000,
        b"%PDF-1.7\n" + b"[" * 200_000,
        b"%PDF-1.7\n1 0 obj\n" + b"<</A" * 100_000,
        nobodys_pdf(),
        bomb(),
        pdf_naming("not a fingerprint"),
        pdf_naming(PRINT.upper()),
        pdf_naming(PRINT + "\nmore"),
    ],
    ids=[
        "empty",
        "head",
        "text",
        "zeros",
        "arrays",
        "nested",
        "nobody's",
        "bomb",
        "words",
        "capitals",
        "more",
    ],
)
def test_a_hostile_file_names_nothing_and_leaves_nothing(content, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert named_in(content) == ""
    assert files_below(tmp_path) == []


def test_a_reader_that_does_not_come_to_an_end_is_ended(monkeypatch, tmp_path):
    sleeper = tmp_path / "sleeper.py"
    sleeper.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(verification, "_READER", sleeper)
    monkeypatch.setattr(verification, "_MOST_SECONDS", 0.5)
    assert named_in(b"%PDF") == ""


def test_the_reader_may_not_use_more_memory_than_it_is_given():
    program = (
        "import runpy, sys\n"
        "module = runpy.run_path(sys.argv[1])\n"
        "try:\n"
        "    module['main']()\n"  # there is no PDF to read
        "except Exception:\n"
        "    bytearray(module['MOST_MEMORY'])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, pdf_fingerprint.__file__],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr.strip().endswith("MemoryError")
