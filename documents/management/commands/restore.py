"""`manage.py restore DIR`: a backup into an empty database, checked afterwards."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from documents.archive import Damaged
from documents.backups.manifest import Manifest, NoBackup, newest, read_manifest
from documents.backups.restoring import OnlyLoaded, Restored, restore_backup
from documents.backups.sealing import (
    OPEN,
    CannotOpen,
    Seal,
    seal_by_identity,
    seal_by_passphrase,
)
from documents.management.commands.backup import read_secret
from documents.management.confirming import require_word

_MOST_NAMED = 50


class Command(BaseCommand):
    help = (
        "Restore the newest backup of a folder: all or nothing, then every file, counter and "
        "balance is looked at. Stop web, workers and dispatcher first. Exits with 1 if something "
        "is not sound."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--backup", metavar="NAME", help="this one instead of the newest")
        parser.add_argument("--replace", action="store_true", help="also where there are rows")
        parser.add_argument("--no-input", action="store_true", help="do not ask")
        key = parser.add_mutually_exclusive_group()
        key.add_argument("--identity", type=Path, metavar="FILE", help="an age identity")
        key.add_argument("--passphrase-file", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        try:
            backup = folder / options["backup"] if options["backup"] else newest(folder)
            manifest = read_manifest(backup)
            seal = _seal(manifest, options)
            self._confirm(backup, options)
            restored = restore_backup(
                backup=backup,
                manifest=manifest,
                seal=seal,
                replace=options["replace"],
                say=self.stdout.write,
            )
        except (NoBackup, CannotOpen, Damaged) as error:
            raise CommandError(str(error)) from error
        except OnlyLoaded as error:
            raise CommandError(
                f"The rows are in, but not everything was looked at: {error}. Start it again with "
                "--replace."
            ) from error
        except OSError as error:
            raise CommandError(f"Nothing was loaded: {error}") from error
        self._report(backup, manifest, restored)

    def _confirm(self, backup: Path, options: dict[str, Any]) -> None:
        if not options["replace"] or options["no_input"]:
            return
        self.stdout.write(f"Everything in this database goes, and {backup.name} takes its place.")
        require_word("replace", "go on")

    def _report(self, backup: Path, manifest: Manifest, restored: Restored) -> None:
        self.stdout.write(
            f"{backup.name}: {restored.rows:,} rows, {restored.files:,} files, as of "
            f"{manifest.made_at}."
        )
        for name, count in restored.waiting.items():
            self.stdout.write(f"waiting to be done: {count:,} {name}")
        if restored.waiting.get("deliveries"):
            self.stdout.write(
                "E-mails that wait may have been sent after the backup was made: look at them "
                "before the dispatcher starts."
            )
        for problem in restored.problems[:_MOST_NAMED]:
            self.stderr.write(problem)
        if restored.problems:
            self.stderr.write(f"{len(restored.problems):,} problems.")
            sys.exit(1)
        self.stdout.write("Everything is sound.")


def _seal(manifest: Manifest, options: dict[str, Any]) -> Seal:
    if not manifest.sealed:
        return OPEN
    if options["identity"]:
        return seal_by_identity(read_secret(options["identity"]))
    if options["passphrase_file"]:
        passphrase = read_secret(options["passphrase_file"])
        return seal_by_passphrase(options["folder"], passphrase, is_first=False)
    raise CannotOpen("The backup is encrypted: give --identity FILE or --passphrase-file FILE.")
