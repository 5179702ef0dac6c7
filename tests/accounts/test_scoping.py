"""The guard: while a request is answered, no query on a company's rows names no company."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Count

from accounts.models import Company
from accounts.scoping import UnscopedQuery, company_scope_required
from documents.models import Batch, Document
from tests.factories import BatchFactory, CompanyFactory, DocumentFactory

Ask = Callable[[Any], object]

QUESTIONS: dict[str, Ask] = {
    "list": list,
    "iteration": lambda rows: [row for row in rows],  # noqa: C416
    "bool": bool,
    "len": len,
    "contains": lambda rows: "nothing" in rows,
    "index": lambda rows: rows.order_by("pk")[0:1][0] if rows else None,
    "slice": lambda rows: list(rows[:1]),
    "iterator": lambda rows: list(rows.iterator()),
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "aggregate": lambda rows: rows.aggregate(Count("pk")),
    "get": lambda rows: rows.get(title="One"),
    "first": lambda rows: rows.first(),
    "last": lambda rows: rows.last(),
    "earliest": lambda rows: rows.earliest("created_at"),
    "latest": lambda rows: rows.latest("created_at"),
    "in_bulk": lambda rows: rows.in_bulk(),
    "values": lambda rows: list(rows.values("title")),
    "values_list": lambda rows: list(rows.values_list("title", flat=True)),
    "dates": lambda rows: list(rows.datetimes("created_at", "day")),
    "filter": lambda rows: list(rows.filter(title="One")),
    "exclude": lambda rows: list(rows.exclude(title="Two")),
    "annotate": lambda rows: list(rows.annotate(Count("items"))),
    "order_by": lambda rows: list(rows.order_by("-title")),
    "only": lambda rows: list(rows.only("title")),
    "select_related": lambda rows: list(rows.select_related("company")),
    "prefetch_related": lambda rows: list(rows.prefetch_related("items")),
    "select_for_update": lambda rows: list(rows.select_for_update()),
    "union": lambda rows: list(rows.union(rows.all())),
    "update": lambda rows: rows.update(title="One"),
    "get_or_create": lambda rows: rows.get_or_create(title="One"),
    "update_or_create": lambda rows: rows.update_or_create(title="One"),
    "delete": lambda rows: rows.delete(),
}


@pytest.fixture
def company() -> Company:
    return BatchFactory.create(title="One", kind="statement").company


@pytest.mark.django_db
@pytest.mark.parametrize("question", QUESTIONS)
class TestEveryQuestion:
    def test_without_a_company_is_refused_while_a_request_is_answered(self, company, question):
        with company_scope_required(), pytest.raises(UnscopedQuery, match="Batch was queried"):
            QUESTIONS[question](Batch.objects.all())
        assert Batch.objects.get().title == "One"

    def test_of_one_company_is_answered(self, company, question):
        with company_scope_required():
            QUESTIONS[question](Batch.objects.for_company(company))

    def test_of_every_company_on_purpose_is_answered(self, company, question):
        with company_scope_required():
            QUESTIONS[question](Batch.objects.across_companies())

    def test_is_free_for_commands_and_tasks(self, company, question):
        QUESTIONS[question](Batch.objects.all())


@pytest.mark.django_db
class TestTheGuard:
    def test_ends_with_the_request(self, company):
        with company_scope_required():
            pass
        assert Batch.objects.count() == 1

    def test_ends_with_a_request_that_failed(self, company):
        with pytest.raises(ZeroDivisionError), company_scope_required():
            _ = 1 / 0
        assert Batch.objects.count() == 1

    def test_refuses_before_anything_reaches_the_database(self, company, django_assert_num_queries):
        with (
            django_assert_num_queries(0),
            company_scope_required(),
            pytest.raises(UnscopedQuery),
        ):
            Batch.objects.filter(title="One").delete()

    def test_stays_with_a_queryset_that_was_made_before_the_request(self, company):
        rows = Batch.objects.filter(title="One")
        with company_scope_required(), pytest.raises(UnscopedQuery):
            list(rows)

    def test_lets_through_what_is_reached_from_a_row_in_scope(self, company):
        document = DocumentFactory.create(company=company)
        successor = DocumentFactory.create(company=company, supersedes=document)
        with company_scope_required():
            found = Document.objects.for_company(company).get(pk=document.pk)
            assert list(found.successors.all()) == [successor]

    def test_a_company_and_anything_is_anything_and_refused(self, company):
        mine = Batch.objects.for_company(company)
        with company_scope_required():
            for both in (mine | Batch.objects.all(), Batch.objects.all() | mine):
                with pytest.raises(UnscopedQuery):
                    list(both)

    def test_two_questions_of_the_same_company_are_one(self, company):
        mine = Batch.objects.for_company(company)
        with company_scope_required():
            assert len(mine.filter(title="One") | mine.filter(title="Two")) == 1
            assert len(mine | mine.none()) == 1
            assert len(mine.none() | mine) == 1
            assert len(mine & mine.filter(title="One")) == 1


@pytest.mark.django_db
class TestTheScope:
    def test_holds_the_companys_rows_only(self, company):
        stranger = BatchFactory.create()
        assert list(Batch.objects.for_company(stranger.company)) == [stranger]
        assert Batch.objects.for_company(company).get().title == "One"

    def test_can_be_named_by_the_companys_id(self, company):
        with company_scope_required():
            assert Batch.objects.for_company(company.pk).count() == 1

    def test_of_a_company_without_rows_is_empty(self, company):
        assert not Batch.objects.for_company(CompanyFactory.create()).exists()
