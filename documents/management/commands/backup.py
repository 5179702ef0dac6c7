"""`manage.py backup DIR`: the database at one moment, and every file that it names."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from documents.backups.making import make_backup
from documents.backups.sealing import OPEN, CannotOpen, Seal, seal_by_passphrase, seal_to

_MOST_NAMED = 50


class Command(BaseCommand):
    help = (
        "Back the database, the archive and the logos up into a folder, while people work. A "
        "second backup into the same folder copies only new files. Exits with 1 if a file that "
        "belongs to it is damaged or missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        seal = parser.add_mutually_exclusive_group()
        seal.add_argument("--encrypt-to", metavar="RECIPIENT", help="an age recipient: age1...")
        seal.add_argument(
            "--passphrase-file", type=Path, metavar="FILE", help="encrypt with its content"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            seal = _seal(options)
            made = make_backup(folder=options["folder"], seal=seal, say=self.stdout.write)
        except CannotOpen as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The backup was not finished: {error}") from error
        found = made.manifest
        rows = sum(table.rows for table in found.tables)
        self.stdout.write(
            f"{made.folder}: {rows:,} rows, {found.files:,} files, of which {made.copied:,} are "
            f"new ({found.file_bytes:,} bytes)."
        )
        for problem in found.lacking[:_MOST_NAMED]:
            self.stderr.write(problem)
        if found.lacking:
            self.stderr.write(
                f"{len(found.lacking):,} files are damaged or missing in the archive."
            )
            sys.exit(1)


def _seal(options: dict[str, Any]) -> Seal:
    if options["encrypt_to"]:
        return seal_to(options["encrypt_to"])
    if options["passphrase_file"]:
        passphrase = read_secret(options["passphrase_file"])
        return seal_by_passphrase(options["folder"], passphrase, is_first=True)
    return OPEN


def read_secret(path: Path) -> str:
    """The passphrase or identity that a file holds."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is no text in UTF-8.") from error
    if not secret:
        raise CommandError(f"{path} is empty.")
    return secret
