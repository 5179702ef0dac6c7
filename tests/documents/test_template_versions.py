"""A stored paper names the version that made it: what prints must not change under one version."""

import pytest

from documents.papers import PaperKind, paper_kinds
from tests.documents import template_pins
from tests.documents.template_pins import (
    SHARED,
    changed_under_one_version,
    current,
    digest,
    pinned,
    template_files,
)


@pytest.mark.parametrize("kind", paper_kinds(), ids=lambda kind: kind.name)
def test_what_prints_did_not_change_under_one_version(kind):
    assert current(kind) == pinned().get(kind.name), (
        f"What a {kind.name} looks like may have changed: its template, print.css or the "
        "rendering code did. If the bytes of a PDF can change, raise the `version` of its "
        f"PaperKind (now {kind.version}), which tells new papers from old ones. Then run "
        "the command at the top of tests/documents/template_pins.py."
    )


def test_nothing_is_pinned_that_is_gone():
    assert set(pinned()) <= {kind.name for kind in paper_kinds()}


def test_the_digest_covers_the_whole_template_and_all_that_renders_it():
    files = [file.name for file in template_files("pdf/statement.html")]
    assert files == ["statement.html", "base.html"]
    assert {"print.css", "engine.py", "formatting.py", "paper.py", "django.po"} <= {
        path.name for path in SHARED
    }


def test_the_digest_changes_with_any_byte(tmp_path):
    file = tmp_path / "a"
    file.write_text("one")
    before = digest([file], tmp_path)
    file.write_text("two")
    assert digest([file], tmp_path) != before


def test_a_change_is_not_pinned_under_the_same_version(tmp_path, monkeypatch):
    kind = PaperKind("statement", "Statement", "pdf/statement.html", version=1)
    monkeypatch.setattr(template_pins, "paper_kinds", lambda: [kind])
    monkeypatch.setattr(template_pins, "PINNED", tmp_path / "pins.json")
    (tmp_path / "pins.json").write_text('{"statement": {"version": 1, "sha256": "old"}}')
    with pytest.raises(SystemExit, match="Raise the version of statement first"):
        template_pins.main()
    template_pins.main(same_bytes=True)
    assert pinned() == {"statement": current(kind)}


def test_a_raised_version_may_change():
    before = {"a": {"version": 1, "sha256": "x"}}
    now = {"a": {"version": 2, "sha256": "y"}, "b": {"version": 1, "sha256": "z"}}
    assert changed_under_one_version(before, now) == []
