"""A machine that lacks a font or a library is told which package to install."""

from pathlib import Path

from documents.rendering import font_problems, fonts, warm_up


def test_this_machine_has_what_papers_need():
    assert font_problems() == []


def test_missing_fonts_are_named_with_their_package(monkeypatch, tmp_path):
    monkeypatch.setattr(fonts, "DIRECTORIES", (tmp_path, Path("/nowhere")))
    problems = font_problems()
    assert len(problems) == len(fonts.NEEDED)
    assert "No font for Thai (NotoSansThai-Regular.ttf): install the Debian package " in (
        " ".join(problems)
    )
    assert any("fonts-noto-cjk" in problem for problem in problems)


def test_a_missing_subset_library_is_named_with_its_package(monkeypatch):
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    assert [p for p in font_problems() if "libharfbuzz-subset0" in p]


def test_serif_and_monospaced_faces_are_left_out_unless_a_script_has_no_other():
    assert fonts.is_used("NotoSansBengali-Regular.ttf")
    assert fonts.is_used("NotoSerifTibetan-Regular.ttf")
    assert not fonts.is_used("NotoSerif-Regular.ttf")
    assert not fonts.is_used("NotoSans-Italic.ttf")


def test_warming_up_twice_is_harmless():
    warm_up()
    warm_up()
