"""`manage.py erase_party CODE --company SLUG`: personal data goes, what the tax law wants stays."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from billing.management.parties import add_party_arguments, party_meant
from billing.services.erasing import Erased, erase_party
from documents.management.confirming import require_word


class Command(BaseCommand):
    help = (
        "Erase a party's contact data, cancel its unsent e-mails and say what must stay and until "
        "when. It can't be undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_party_arguments(parser)
        parser.add_argument(
            "--apply-retention", action="store_true", help="also remove papers that are old enough"
        )
        parser.add_argument("--no-input", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        party = party_meant(options)
        if not options["no_input"]:
            require_word("erase", f"erase {party}")
        try:
            erased = erase_party(party=party, by=None, apply_retention=options["apply_retention"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self._report(erased)

    def _report(self, erased: Erased) -> None:
        self.stdout.write(
            f"{erased.deliveries:,} e-mails cancelled, {erased.papers:,} papers removed, "
            f"{erased.entries:,} entries of the trail blanked."
        )
        if erased.is_anonymous:
            self.stdout.write("Name and address went, too: nothing that names them must be kept.")
        for held in erased.held:
            self.stdout.write(f"stays: {held.count:,} {held.label}, until {held.until} at the most")
        if erased.held:
            self.stdout.write("Name, address and tax id stay with them: run this again afterwards.")
