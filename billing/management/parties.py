"""How commands are told which party is meant."""

import getpass
import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from billing.models import Party


def add_party_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE")
    parser.add_argument("--company", metavar="SLUG", required=True)


def operator() -> str:
    """Whose shell it is: for the trail, since a command knows no user of ours."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number only
        return str(os.getuid())


def party_meant(options: dict[str, Any]) -> Party:
    """One that is out of use, too."""
    found = Party.all_objects.select_related("company").filter(
        company__slug=options["company"], code=options["code"]
    )
    party = found.first()
    if party is None:
        raise CommandError(f"{options['company']} has no party {options['code']!r}.")
    return party
