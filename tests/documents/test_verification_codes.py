"""The code on a paper is its fingerprint in letters and digits that people can type."""

import hashlib

import pytest

from documents.verification import code_of, fingerprint_of

FINGERPRINT = hashlib.sha256(b"a paper").hexdigest()


def test_a_code_has_52_letters_and_digits_and_leads_back():
    code = code_of(FINGERPRINT)
    assert len(code) == 52
    assert set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    assert fingerprint_of(code) == FINGERPRINT


def test_it_may_be_typed_in_small_letters_and_groups():
    code = code_of(FINGERPRINT).lower()
    groups = " ".join(code[start : start + 4] for start in range(0, 52, 4))
    assert fingerprint_of(f" {groups}\n") == FINGERPRINT
    assert fingerprint_of(groups.replace(" ", "-")) == FINGERPRINT


@pytest.mark.parametrize(
    "code",
    ["", "A", "A" * 51, "A" * 53, "1" * 52, "é" * 52, "A" * 51 + "B", "=" * 52, "\x00" * 52],
)
def test_what_is_no_code_is_refused(code):
    with pytest.raises(ValueError, match="code"):
        fingerprint_of(code)
