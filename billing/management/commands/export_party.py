"""`manage.py export_party CODE --company SLUG`: all that is kept of a party, as a ZIP."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.audit import note
from billing.management.parties import add_party_arguments, operator, party_meant
from billing.selectors.party_export import write_export


class Command(BaseCommand):
    help = "Write all facts of a party (JSON) and all its papers (PDF) into a ZIP."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_party_arguments(parser)
        parser.add_argument("--to", type=Path, metavar="FILE", help="default: party-ID.zip")

    def handle(self, *args: Any, **options: Any) -> None:
        party = party_meant(options)
        path = options["to"] or Path(f"party-{party.pk}.zip")
        try:
            problems = write_export(party, path)
        except OSError as error:
            raise CommandError(f"The export was not finished: {error}") from error
        told = f"exported at the command line by {operator()}"
        note([party], {"personal data": ("", told)}, None)
        self.stdout.write(f"{party} is in {path}.")
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            sys.exit(1)
