"""`manage.py run_statements --company SLUG --period YYYY-MM`: a month's statements for all."""

import csv
import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Company
from billing.dates import Period
from billing.management.watching import RunWatcher
from billing.money import as_text
from billing.selectors.statement_runs import Selection, Who, parties_by_code
from billing.selectors.statements import Account, read_sums
from billing.services import start_statement_run
from documents.consistency import consistent_read

COLUMNS = (
    "code",
    "name",
    "email",
    "opening",
    "invoiced",
    "returned",
    "paid",
    "closing",
    "included",
    "reason",
)


class Command(BaseCommand):
    help = "Make the statements of a month, or show with --dry-run which would be made."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--period", required=True, metavar="YYYY-MM")
        parser.add_argument("--dry-run", action="store_true", help="only say who would get one")
        parser.add_argument("--csv", type=Path, metavar="FILE", help="write the parties' table")
        parser.add_argument(
            "--party",
            action="append",
            metavar="CODE",
            help="only this party; may be given several times",
        )
        parser.add_argument(
            "--who",
            choices=Who.values,
            default=Who.MOVED.value,
            help="whoever has movement or a balance (moved), only a balance, or all",
        )
        parser.add_argument(
            "--send", action="store_true", help="e-mail each statement to its party"
        )
        parser.add_argument("--wait", action="store_true", help="show the progress until it ends")
        parser.add_argument("--json", action="store_true", help="say everything as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        company = _company(options["company"])
        period = _period(options["period"])
        selection = Selection(Who(options["who"]), _parties(company, options["party"]))
        if options["dry_run"] or options["csv"]:
            self._table(company, period, selection, options)
        if options["dry_run"]:
            return
        batch = start_statement_run(
            company=company,
            period=period,
            by=None,
            send=options["send"],
            parties=selection.parties,
            who=selection.who,
        )
        watcher = RunWatcher(batch, self.stdout, self.stderr, as_json=options["json"])
        if options["wait"]:
            watcher.wait()
        else:
            watcher.say_started()

    def _table(
        self, company: Company, period: Period, selection: Selection, options: dict[str, Any]
    ) -> None:
        with consistent_read():
            accounts = read_sums(company, period, selection.parties).values()
        rows = list(_rows(accounts, selection, company.currency))
        if options["csv"]:
            _write_csv(options["csv"], rows)
        if not options["dry_run"]:
            return
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(company, period, rows), indent=2))
        elif not options["csv"]:
            self._print(rows)
            self._print_summary(rows)
        else:
            self._print_summary(rows)

    def _print(self, rows: list[dict[str, str]]) -> None:
        for row in rows:
            self.stdout.write(
                f"{row['code']:<12} {row['name'][:28]:<28} {row['opening']:>12} "
                f"{row['invoiced']:>12} {row['returned']:>12} {row['paid']:>12} "
                f"{row['closing']:>12}  {row['reason'] or 'included'}"
            )

    def _print_summary(self, rows: list[dict[str, str]]) -> None:
        included = sum(row["included"] == "yes" for row in rows)
        no_email = sum(row["included"] == "yes" and not row["email"] for row in rows)
        self.stdout.write(
            f"{included} of {len(rows)} parties get a statement; "
            f"{no_email} of them have no e-mail address."
        )


def _company(slug: str) -> Company:
    company = Company.objects.filter(slug=slug).first()
    if company is None:
        raise CommandError(f"--company: there is no company {slug!r}.")
    return company


def _period(text: str) -> Period:
    try:
        return Period.month(text)
    except ValueError as error:
        raise CommandError(
            f"--period {text}: write a month as YYYY-MM, such as 2011-01."
        ) from error


def _parties(company: Company, codes: list[str] | None) -> tuple[UUID, ...] | None:
    if codes is None:
        return None
    known = parties_by_code(company, codes)
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise CommandError(f"--party: there is no party with the code {', '.join(unknown)}.")
    return tuple(known[code] for code in dict.fromkeys(codes))


def _rows(
    accounts: Iterable[Account], selection: Selection, currency: str
) -> Iterator[dict[str, str]]:
    for account in accounts:
        reason = selection.left_out(account)
        amounts = {
            "opening": account.opening + account.taken_over,
            "invoiced": account.invoiced,
            "returned": account.returned,
            "paid": account.paid,
            "closing": account.closing,
        }
        yield {
            "code": account.party.code,
            "name": account.party.name,
            "email": account.party.email,
            **{name: as_text(amount, currency) for name, amount in amounts.items()},
            "included": "no" if reason else "yes",
            "reason": reason,
        }


def _as_json(company: Company, period: Period, rows: list[dict[str, str]]) -> dict[str, Any]:
    parties = [{**row, "included": row["included"] == "yes"} for row in rows]
    return {
        "company": company.slug,
        "period": str(period),
        "currency": company.currency,
        "parties": parties,
        "included": sum(party["included"] for party in parties),
        "left_out": sum(not party["included"] for party in parties),
    }


def _write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise CommandError(f"--csv {path}: {error.strerror}.") from error
