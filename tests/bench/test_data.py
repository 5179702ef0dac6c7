"""The books that are measured: seeded, skewed as real ones are, and right to the last penny."""

import pytest
from django.db.models import Count, F, Sum
from psycopg2 import IntegrityError

from bench.data import books
from billing.models import Invoice, Party, RecomputationChunk, RecomputationMode
from billing.services.recomputing import recompute_chunk, start_recomputation
from worker.running import work_on

# Written by PostgreSQL's COPY, and vacuumed, which no transaction allows.
pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]


def _sizes(company):
    counted = Party.objects.for_company(company).annotate(count=Count("invoices"))
    return sorted(counted.values_list("count", flat=True))


def test_most_parties_have_three_invoices_and_a_few_have_hundreds():
    sizes = _sizes(books(300, each=10))
    assert sizes[:297] == [3] * 297
    assert all(size > 100 for size in sizes[297:])
    assert sum(sizes) == pytest.approx(3_000, abs=3)


def test_the_same_seed_gives_the_same_books():
    totals = [
        list(Invoice.objects.for_company(books(20, seed=seed)).order_by("pk").values_list("total"))
        for seed in (1, 2)
    ]
    assert totals[0] != totals[1]
    with pytest.raises(IntegrityError):
        books(20, seed=1)  # with the same ids


def test_an_invoice_has_as_many_items_as_it_is_asked_to():
    company = books(5, items=10)
    counts = Invoice.objects.for_company(company).annotate(count=Count("items"))
    assert set(counts.values_list("count", flat=True)) == {10}
    wrong = counts.annotate(lines=Sum("items__net")).exclude(lines=F("subtotal"))
    assert not wrong.exists()


def test_a_recomputation_finds_no_drift_in_them():
    run = start_recomputation(company=books(200), mode=RecomputationMode.REPORT, by=None).run
    for chunk in run.chunks.all():
        assert work_on(RecomputationChunk, chunk.pk, recompute_chunk) == "done"
    run.refresh_from_db()
    assert (run.is_final, run.drifting) == (True, 0)
