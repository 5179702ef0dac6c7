"""What changed between two versions of a paper, in words and of a bounded size."""

import copy
import time

import pytest
from django.urls import reverse

from documents import papers
from documents.selectors.changes import MOST_ROWS, MOST_TEXT, changes_between
from tests.documents.rendering.samples import statement
from tests.factories import DocumentFactory


def versions(before, after, **options):
    first = DocumentFactory.create(snapshot=before, **options)
    second = DocumentFactory.create(
        snapshot=after,
        company=first.company,
        subject_id=first.subject_id,
        version=2,
        supersedes=first,
        kind=first.kind,
    )
    return first, second


def changes(before, after, **options):
    first = DocumentFactory.build(snapshot=before, **options)
    second = DocumentFactory.build(snapshot=after, kind=first.kind)
    return changes_between(first, second, locale="en_GB")


def fields(found):
    return [(change.label, change.before, change.after) for change in found.fields]


def test_a_field_is_named_from_its_place_with_before_and_after():
    before = {"party": {"name": "Old", "vat_number": None, "same": 1}}
    after = {"party": {"name": "New", "vat_number": "GB 1", "same": 1}, "is_general": True}
    assert fields(changes(before, after, kind="letter")) == [
        ("Party: Name", "Old", "New"),
        ("Party: Vat number", "–", "GB 1"),
        ("Is general", "–", "yes"),
    ]


def test_a_kind_may_have_words_of_its_own(monkeypatch):
    labels = {"party.name": "Customer", "lines.1": "Amount"}
    kind = papers.PaperKind("memo", "Memo", "none.html", 1, labels=labels)
    monkeypatch.setitem(papers._registry.papers, "memo", kind)
    found = changes(
        {"party": {"name": "Old"}, "lines": [["Tea", "1.00"]]},
        {"party": {"name": "New"}, "lines": [["Tea", "1250.00"]]},
        kind="memo",
    )
    assert fields(found) == [("Customer", "Old", "New")]
    [row] = found.lists[0].changed
    assert row.text == "Tea"
    assert [(cell.label, cell.before, cell.after) for cell in row.cells] == [
        ("Amount", "1.00", "1,250.00")
    ]


def test_days_pictures_and_texts_of_several_lines_are_written_as_people_read_them():
    before = {"date": "2026-11-22", "logo": {"key": "k", "sha256": "abcdef0123"}, "address": ["A"]}
    after = {"date": "2026-12-01", "logo": None, "address": ["A", "B"]}
    assert fields(changes(before, after)) == [
        ("Date", "22 Nov 2026", "1 Dec 2026"),
        ("Logo", "file abcdef01", "–"),
        ("Address", "A", "A\nB"),
    ]


def test_facts_inside_of_rows_are_written_out_with_their_names():
    before = {"items": [{"name": "Tea", "tax": {"rate": "20", "is_reduced": False}}]}
    after = {"items": [{"name": "Tea", "tax": {"rate": "5", "is_reduced": True}}]}
    [items] = changes(before, after).lists
    assert (items.removed, items.added) == (
        ["Tea · Rate 20, Is reduced no"],
        ["Tea · Rate 5, Is reduced yes"],
    )


def test_a_day_that_is_none_is_written_as_it_is():
    found = changes({"date": "2026-02-28"}, {"date": "2026-02-30"})
    assert fields(found) == [("Date", "28 Feb 2026", "2026-02-30")]


def test_another_template_alone_is_a_change():
    found = changes({"a": 1}, {"a": 1}, template_version=7)
    assert fields(found) == [("Template", "version 7", "version 1")]


def test_the_same_facts_are_no_change():
    assert not changes(statement(5), statement(5))


def test_lines_are_told_apart_as_added_removed_and_changed():
    before = statement(6)
    after = copy.deepcopy(before)
    gone = after["lines"].pop(1)
    after["lines"].insert(3, ["2011-01-09", "payment", "PAY-NEW", "", "", "9.00", "1.00"])
    after["lines"][0][4] = "999.99"
    [lines] = changes(before, after).lists
    assert (lines.added_count, lines.removed_count, lines.changed_count) == (1, 1, 1)
    assert "PAY-NEW" in lines.added[0]
    assert gone[2] in lines.removed[0]
    assert before["lines"][0][2] in lines.changed[0].text
    assert lines.changed[0].cells[0].after == "999.99"


def test_the_same_lines_in_another_order_are_said_to_be_that():
    before = statement(3)
    after = {**before, "lines": before["lines"][::-1]}
    [lines] = changes(before, after).lists
    assert lines.is_reordered


def test_lines_that_are_alike_in_words_are_paired_in_their_order():
    before = {"items": [["Tea", "1"], ["Tea", "2"]]}
    after = {"items": [["Tea", "1"], ["Tea", "3"], ["Tea", "4"]]}
    [items] = changes(before, after).lists
    assert (items.added_count, items.removed_count, items.changed_count) == (1, 0, 1)


def test_a_list_that_was_not_there_before_is_all_added():
    [items] = changes({}, {"items": [["Tea", "1"]]}).lists
    assert items.added_count == 1


def test_thousands_of_changed_lines_stay_a_short_page_and_are_all_counted():
    before = statement(5000)
    after = copy.deepcopy(before)
    for row in after["lines"]:
        row[6] = "0.01"
    began = time.monotonic()
    [lines] = changes(before, after).lists
    assert time.monotonic() - began < 5
    assert (len(lines.changed), lines.changed_count) == (MOST_ROWS, 5000)
    assert lines.unshown == 5000 - MOST_ROWS


def test_a_long_text_is_cut():
    [change] = changes({"notes": ""}, {"notes": "x" * 10_000}).fields
    assert len(change.after) < MOST_TEXT + 5


@pytest.fixture
def pair(company):
    after = {**statement(2), "party": {**statement(2)["party"], "name": "Acme <b>"}}
    return versions(statement(2), after, company=company)


def test_the_page_compares_with_the_version_before(client, pair):
    first, second = pair
    body = client.get(reverse("documents:changes", args=[second.pk])).content.decode()
    assert "Harbour &amp; Hill" in body
    assert "Acme &lt;b&gt;" in body
    assert first.get_absolute_url() in body


def test_from_the_first_version_it_compares_with_the_newest(client, pair):
    body = client.get(reverse("documents:changes", args=[pair[0].pk])).content.decode()
    assert "Acme &lt;b&gt;" in body


def test_any_two_can_be_compared(client, pair):
    url = reverse("documents:changes", args=[pair[1].pk])
    assert client.get(url, {"with": "1"}).status_code == 200
    assert client.get(url, {"with": "9"}).status_code == 404
    assert client.get(url, {"with": "x"}).status_code == 404


def test_a_paper_of_one_version_says_so(client, company):
    document = DocumentFactory.create(company=company)
    body = client.get(reverse("documents:changes", args=[document.pk])).content.decode()
    assert "There is only this version." in body


def test_a_stranger_finds_nothing(stranger_client, pair):
    assert stranger_client.get(reverse("documents:changes", args=[pair[1].pk])).status_code == 404


def test_it_takes_five_queries(client, pair, django_assert_num_queries):
    with django_assert_num_queries(5):  # session, user, the two, the versions
        client.get(reverse("documents:changes", args=[pair[1].pk]))
