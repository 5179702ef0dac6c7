"""A party's account over a period."""

from typing import Any

from django.utils.translation import gettext

from accounts.models import Company
from billing.dates import Period
from billing.money import ZERO, as_text, total
from billing.selectors.statements import BUCKETS, Account, Movement
from billing.snapshots.facts import paper_links, party_facts
from documents.formatting import date as format_date
from documents.languages import speaking
from documents.papers import Snapshot


def statement_snapshot(
    *,
    company: Company,
    issuer: dict[str, Any],
    account: Account,
    movements: list[Movement],
    period: Period,
) -> Snapshot:
    """`issuer` is `company_facts(company)`, read once for a whole run."""
    currency = company.currency
    locale = account.party.locale or company.locale
    lines = _with_taken_over(account, movements)
    return {
        "schema": 1,
        "locale": locale,
        "page_size": str(company.page_size),
        "currency": currency,
        "links": paper_links(),
        "company": issuer,
        "party": party_facts(account.party),
        "period": {"start": period.start.isoformat(), "end": period.end.isoformat()},
        "opening": as_text(account.opening, currency),
        "lines": _lines(account, lines, currency, locale),
        "totals": {
            "debit": as_text(total(max(line.signed, ZERO) for line in lines), currency),
            "credit": as_text(total(max(-line.signed, ZERO) for line in lines), currency),
        },
        "closing": as_text(account.closing, currency),
        "ageing": {
            **{name: as_text(account.ageing[name], currency) for name in BUCKETS},
            "unapplied": as_text(account.unapplied, currency),
            "total": as_text(account.closing, currency),
        },
    }


def _with_taken_over(account: Account, movements: list[Movement]) -> list[Movement]:
    """A balance taken over within the period stands first on its day."""
    if not account.taken_over or account.taken_over_on is None:
        return movements
    taken_over = Movement(account.taken_over_on, "adjustment", "", None, account.taken_over)
    return sorted([taken_over, *movements], key=lambda line: line.day)


def _lines(
    account: Account, movements: list[Movement], currency: str, locale: str
) -> list[list[str]]:
    """[date, kind, reference, description, debit, credit, running balance] a movement."""
    balance = account.opening
    lines = []
    with speaking(locale):
        for line in movements:
            balance += line.signed
            lines.append(
                [
                    line.day.isoformat(),
                    line.kind,
                    line.reference,
                    _description(line, locale),
                    as_text(line.signed, currency) if line.signed >= 0 else "",
                    as_text(-line.signed, currency) if line.signed < 0 else "",
                    as_text(balance, currency),
                ]
            )
    return lines


def _description(line: Movement, locale: str) -> str:
    if line.kind == "adjustment":
        return gettext("Balance taken over")
    if line.due is None:
        return ""
    return gettext("Due %(date)s") % {"date": format_date(line.due, locale)}
