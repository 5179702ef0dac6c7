"""Compare a company's balances with the rows that they are the sums of; changes nothing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from accounts.models import Company
from billing.selectors.drift import drifts_of


class Command(BaseCommand):
    help = "Reports each balance that is not the sum of its rows. Changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--company", required=True, help="The company's short name (slug).")

    def handle(self, *args: Any, **options: Any) -> None:
        company = Company.objects.filter(slug=options["company"]).first()
        if company is None:
            raise CommandError(f"There is no company {options['company']!r}.")
        count = 0
        with transaction.atomic():
            _read_consistently()
            for drift in drifts_of(company):
                count += 1
                self.stdout.write(
                    f"{drift.code}: {drift.column} is {drift.kept}, its rows come to "
                    f"{drift.counted}"
                )
        if count:
            raise CommandError(f"{count} amounts differ from their rows.")
        self.stdout.write("Every balance is the sum of its rows.")


def _read_consistently() -> None:
    if connection.vendor == "postgresql" and not connection.savepoint_ids:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
