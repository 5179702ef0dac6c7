"""`manage.py audit_numbers --company SLUG`: gaps and duplicates of numbers, if there were any."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Company
from billing.selectors.numbering import SeriesReport, audit_numbers


class Command(BaseCommand):
    help = "Look for gaps and duplicates in a company's numbers. Exits with 1 if there is one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", required=True, metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        company = Company.objects.filter(slug=options["company"]).first()
        if company is None:
            raise CommandError(f"There is no company {options['company']!r}.")
        report = audit_numbers(company)
        for series in report.series:
            self.stdout.write(_line(series))
            for gap in series.gaps:
                self.stdout.write(f"  missing: {gap}")
        for duplicate in report.duplicates:
            self.stdout.write(f"duplicate: {duplicate}")
        if not report.is_sound:
            raise CommandError("The numbers have gaps or duplicates, see above.")
        self.stdout.write("No gap and no duplicate.")


def _line(report: SeriesReport) -> str:
    return (
        f"{report.series.label} {report.year}: {report.taken:,} taken, {report.missing:,} missing"
    )
