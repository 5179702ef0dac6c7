"""What is made of the figures: bars, curves, pictures and the table of docs/performance.md."""

import xml.etree.ElementTree as ElementTree

import pytest

from bench import table
from bench.findings import Bar, Curve, quantile, spread
from bench.picture import picture

GROWING = Curve(
    "planning a run", "statements", "seconds", [(100, 0.1), (1_000, 0.9), (10_000, 9.0)], True
)
RESULT = {
    "question": "growth",
    "command": "python -m bench growth",
    "date": "2026-11-22T10:00:00+00:00",
    "machine": "a machine",
    "load": {"before": 0.1, "after": 1.2},
    "python": "3.11",
    "versions": {"django": "5.2"},
    "figures": {"a figure": 3},
    "bars": [
        Bar("a bar", 1.5, 1.1).as_json(),
        Bar("another", None, 1, why="it is missing").as_json(),
    ],
    "curves": [vars(GROWING)],
}


@pytest.mark.parametrize(
    ("bar", "verdict"),
    [
        (Bar("cost", 1.10, 1.10), "pass"),
        (Bar("cost", 1.11, 1.10), "FAIL"),
        (Bar("two over one", 1.89, 1.9, at_least=True), "FAIL"),
        (Bar("two over one", 1.90, 1.9, at_least=True), "pass"),
        (Bar("a peer", None, 1.0, why="it is missing"), "not measured"),
    ],
)
def test_a_bar_says_whether_it_is_held(bar, verdict):
    assert bar.verdict == verdict


def test_a_curve_that_grows_with_the_work_holds_its_bar():
    assert GROWING.as_bar().value == 0.9
    assert GROWING.as_bar().verdict == "pass"


def test_a_curve_that_grows_faster_than_the_work_fails_its_bar():
    steep = Curve("a run", "statements", "seconds", [(1, 1), (10, 20), (100, 400)], works=True)
    assert steep.as_bar().verdict == "FAIL"


def test_things_with_the_same_parts_share_a_table_whose_longer_side_goes_down():
    figures = {"parties": 9, "parties: p50": 1, "read whole: a row": 2, "read whole: a part": 3}
    figures |= {f"{page}: {part}": 5 for page in ("list", "detail", "party") for part in "ab"}
    figures |= {f"{engine}: {part}": 7 for engine in ("ours", "theirs") for part in "xyz"}
    assert list(table.lines_of(figures)) == [
        "| | |",
        "|---|---:|",
        "| parties | 9 |",
        "| parties: p50 | 1 |",
        "| read whole: a row | 2 |",
        "| read whole: a part | 3 |",
        "",
        "| | a | b |",
        "|---|---:|---:|",
        "| list | 5 | 5 |",
        "| detail | 5 | 5 |",
        "| party | 5 | 5 |",
        "",
        "| | ours | theirs |",
        "|---|---:|---:|",
        "| x | 7 | 7 |",
        "| y | 7 | 7 |",
        "| z | 7 | 7 |",
        "",
    ]


def test_a_page_may_hardly_grow_at_all():
    page = Curve("a page", "invoices", "seconds", [(1, 0.02), (10, 0.03), (100, 0.05)], works=False)
    assert page.as_bar().value == 2.5
    assert page.as_bar().verdict == "FAIL"


def test_quantiles_are_times_that_were_measured():
    times = [place / 1000 for place in range(1, 101)]
    assert quantile(times, 0.5) == 0.051
    assert spread(times) == {"p50": 51.0, "p95": 96.0, "p99": 100.0}
    assert spread([0.2]) == {"p50": 200.0, "p95": 200.0, "p99": 200.0}


def test_a_picture_is_well_formed_and_holds_its_points():
    drawn = picture("A <run> & more", "statements", "seconds", GROWING.points, works=True)
    root = ElementTree.fromstring(drawn)
    names = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert names.count("circle") == 3
    width, height = (float(size) for size in root.attrib["viewBox"].split()[2:])
    for circle in root.iter("{http://www.w3.org/2000/svg}circle"):
        assert 0 < float(circle.attrib["cx"]) < width
        assert 0 < float(circle.attrib["cy"]) < height


def test_a_curve_without_any_growth_can_be_drawn():
    ElementTree.fromstring(picture("flat", "x", "y", [(1, 1), (10, 1), (100, 1)], works=False))


def test_only_what_stands_between_the_markers_is_written(tmp_path, monkeypatch):
    page = tmp_path / "docs" / "performance.md"
    page.parent.mkdir()
    page.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\n## Load\nafter\n")
    monkeypatch.setattr(table, "PAGE", page)
    monkeypatch.setattr(table, "_results", lambda: iter([RESULT]))
    table.write()
    text = page.read_text()
    assert text.startswith(f"before\n{table.BEGIN}\n")
    assert text.endswith(f"{table.END}\n## Load\nafter\n")
    assert "old" not in text
    assert "| growth | a bar | 1.5 | <= 1.1 x | FAIL |" in text
    assert "| growth | another |  | <= 1 x | not measured (it is missing) |" in text
    assert "`python -m bench growth`, 2026-11-22 10:00 UTC, a machine, Python 3.11" in text
    assert (page.parent / "images" / "growth-planning-a-run.svg").exists()


def test_a_page_without_markers_is_left_alone(tmp_path, monkeypatch):
    page = tmp_path / "performance.md"
    page.write_text("nothing to replace")
    monkeypatch.setattr(table, "PAGE", page)
    with pytest.raises(ValueError, match="no place for the table"):
        table.write()
    assert page.read_text() == "nothing to replace"
