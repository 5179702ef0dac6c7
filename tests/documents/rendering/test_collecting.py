"""Python's collector and a paper: it waits until the paper is there, then clears what it left."""

import gc

import pytest

from documents.rendering import RenderError, render
from documents.rendering.loading import engine, import_engine

ROWS = "".join(f"<tr><td>{row}</td><td>Hinge, brass</td></tr>" for row in range(60))
PAGE = f"<html lang='en'><head><title>-</title></head><body><table>{ROWS}</table></body></html>"
REFUSED = "<html lang='en'><head><title>-</title></head><body><img src='file:///x'/></body></html>"


@pytest.fixture
def collections(monkeypatch):
    """Whether a page was being laid out, of each time that the collector went to work."""
    seen, at_work = [], False
    inner = import_engine()._render

    def watched(*args):
        nonlocal at_work
        at_work = True
        try:
            return inner(*args)
        finally:
            at_work = False

    def note(phase, _info):
        if phase == "start":
            seen.append(at_work)

    engine().warm_up()
    monkeypatch.setattr(import_engine(), "_render", watched)
    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)


def test_nothing_is_collected_while_a_page_is_laid_out(collections):
    render(html=PAGE, assets={})
    assert collections
    assert not any(collections)


def test_the_control_with_the_collector_left_on(collections, monkeypatch):
    monkeypatch.setattr("documents.rendering.engine.gc.disable", lambda: None)
    render(html=PAGE, assets={})
    assert any(collections)


def test_no_box_of_a_page_is_kept():
    from weasyprint.formatting_structure.boxes import Box

    render(html=PAGE, assets={})
    gc.collect()
    before = _count(Box)
    render(html=PAGE, assets={})
    gc.collect()
    assert _count(Box) == before


def test_the_collector_is_on_again_after_a_page_that_is_refused():
    with pytest.raises(RenderError):
        render(html=REFUSED, assets={})
    assert gc.isenabled()


def test_who_had_turned_it_off_finds_it_off():
    gc.disable()
    try:
        render(html=PAGE, assets={})
        assert not gc.isenabled()
    finally:
        gc.enable()


def _count(kind: type) -> int:
    # By its type: a lazy object of another test, asked itself, would be made.
    return sum(issubclass(type(one), kind) for one in gc.get_objects())
