"""The same facts are the same paper; floats are no facts."""

import re
from dataclasses import replace

import pytest

from documents.fingerprints import canonical, fingerprint
from documents.papers import PaperKind
from tests.documents.papers import statement_paper


def turned(value):
    """The same facts, each object's keys in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(part) for key, part in reversed(value.items())}
    return [turned(part) for part in value] if isinstance(value, list) else value


def test_the_same_facts_have_the_same_fingerprint_in_any_order_of_keys():
    paper = statement_paper()
    assert re.fullmatch("[0-9a-f]{64}", fingerprint(paper))
    assert fingerprint(replace(paper, snapshot=turned(paper.snapshot))) == fingerprint(paper)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": PaperKind(name="statement", label="S", template="t", version=2)},
        {"kind": PaperKind(name="invoice", label="S", template="t", version=1)},
        {"locale": "de_DE"},
        {"snapshot": {"name": "Another"}},
    ],
    ids=["version", "kind", "locale", "facts"],
)
def test_the_fingerprint_changes_with_the(change):
    paper = replace(
        statement_paper(), kind=PaperKind(name="statement", label="S", template="t", version=1)
    )
    assert fingerprint(replace(paper, **change)) != fingerprint(paper)


@pytest.mark.parametrize(
    "change",
    [{"title": "Another title"}, {"kind": PaperKind("statement", "Another label", "t", 1)}],
    ids=["title", "label"],
)
def test_the_fingerprint_does_not_change_with_what_lists_show(change):
    paper = replace(statement_paper(), kind=PaperKind("statement", "S", "t", 1))
    assert fingerprint(replace(paper, **change)) == fingerprint(paper)


@pytest.mark.parametrize(
    "facts",
    [{"total": 1.5}, {"lines": [["a", 0.1]]}, {"a": {"b": ({"c": float("nan")},)}}],
)
def test_floats_are_refused_wherever_they_are(facts):
    with pytest.raises(TypeError, match="no floats"):
        canonical(facts)


def test_text_of_any_script_is_taken_as_it_is():
    assert canonical({"b": "Ω", "a": ["1.50", None, True, 3]}) == (
        '{"a":["1.50",null,true,3],"b":"Ω"}'.encode()
    )


def test_half_a_surrogate_pair_has_a_fingerprint_and_fails_in_the_render_only():
    assert canonical({"a": "\ud800"})


@pytest.mark.parametrize(("one", "other"), [("1", 1), ("", None), ([], ""), (["a", "b"], ["ab"])])
def test_facts_that_look_alike_are_told_apart(one, other):
    assert canonical({"a": one}) != canonical({"a": other})
