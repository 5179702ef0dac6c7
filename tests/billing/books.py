"""What the books come to, counted again from the rows, and races to break them."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Sum

from accounts.models import Company
from billing.models import Balance, Invoice, Payment, Return
from billing.models.invoices import POSTED_STATES

ROOT = Path(__file__).resolve().parents[2]


def recomputed(company: Company) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """(invoiced, returned, paid) by the party's code, straight from the documents."""
    sums: dict[str, list[Decimal]] = {}
    sources: list[tuple[Any, str]] = [
        (Invoice.objects.filter(state__in=POSTED_STATES), "total"),
        (Return.objects.all(), "total"),
        (Payment.objects.filter(voided_at=None), "amount"),
    ]
    for place, (rows, column) in enumerate(sources):
        of_company = rows.filter(company=company).order_by().values_list("party__code")
        for code, amount in of_company.annotate(Sum(column)):
            sums.setdefault(code, [Decimal(0)] * 3)[place] = round(Decimal(amount), 3)
    return {code: (found[0], found[1], found[2]) for code, found in sums.items()}


def kept(company: Company) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """The same as the balances have it."""
    columns = ("party__code", "opening", "invoiced", "returned", "paid", "current")
    found = {}
    for code, opening, *parts, current in Balance.objects.filter(company=company).values_list(
        *columns
    ):
        invoiced, returned, paid = (round(part, 3) for part in parts)
        assert current == opening + invoiced - returned - paid
        found[code] = (invoiced, returned, paid)
    return found


def assert_reconciled(company: Company) -> None:
    untouched = (Decimal(0),) * 3
    balances = {code: sums for code, sums in kept(company).items() if sums != untouched}
    rows = {code: sums for code, sums in recomputed(company).items() if sums != untouched}
    assert balances == rows


def race(*calls: Callable[[], object]) -> Counter[str]:
    """Run the calls at once, each on a connection of its own. How often each outcome came.

    An outcome is "done", or the name of the error.
    """
    outcomes: Counter[str] = Counter()
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        try:
            start.wait(timeout=30)
            call()
            outcomes["done"] += 1
        except ValidationError as error:
            outcomes[" ".join(getattr(error, "error_dict", ["ValidationError"]))] += 1
        except Exception as error:
            outcomes[type(error).__name__] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[call], daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    return outcomes


def database_url() -> str:
    """Where another process finds the tests' own PostgreSQL database."""
    found = connection.settings_dict
    return (
        f"postgres://{found['USER']}:{found['PASSWORD']}@{found['HOST']}:{found['PORT']}"
        f"/{found['NAME']}"
    )


def python(
    code: str, *arguments: str, url: str, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """A process of our own that runs `code` on the database at `url`."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            **(env or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output_of(process: subprocess.Popen[str], timeout: float = 120) -> str:
    out, errors = process.communicate(timeout=timeout)
    assert process.returncode == 0, errors[-3000:]
    return out
