"""`manage.py move_archive --to PLACE`: copy the archive to another place while papers are made."""

import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from documents.archive import Archive, archive_place, open_archive
from documents.services.moving import Moved, check_named, copy_files, remove_copied

_TELL_EVERY = 1000


class Command(BaseCommand):
    help = (
        "Copy every file of the archive to another place, each checked against its hash. Safe to "
        "interrupt and to repeat. Then set STORAGE_URL (or PRESSROOM_ARCHIVE_DIR) to the new place "
        "and PRESSROOM_ARCHIVE_FALLBACK to the former, restart, and run it once more without --to: "
        "that fetches what was made meanwhile. Exits with 1 if a file is damaged or missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to",
            metavar="PLACE",
            help="a folder, or s3://KEY:SECRET@host/bucket; without it, from the fallback to the "
            "place in use",
        )
        parser.add_argument(
            "--verify", action="store_true", help="hash what is in the new place already, too"
        )
        parser.add_argument(
            "--remove-old",
            action="store_true",
            help="after the switch: take from the former place what the new one has whole",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source, target = self._places(options["to"])
        if options["remove_old"] and options["to"]:
            raise CommandError(
                "--remove-old is for after the switch: the place in use would be emptied. Set the "
                "new place and PRESSROOM_ARCHIVE_FALLBACK first, and leave --to out."
            )
        if not target.is_writable():
            raise CommandError("The new place can't be written to.")
        try:
            moved = self._moved(source, target, **options)
        except OSError as error:
            raise CommandError(f"It stopped, and can be gone on with: {error}") from error
        for problem in moved.named:
            self.stderr.write(problem)
        if moved.problems:
            self.stderr.write(f"{moved.problems:,} files are damaged or missing: nothing removed.")
            sys.exit(1)

    def _moved(self, source: Archive, target: Archive, **options: Any) -> Moved:
        moved = Moved()
        for number, moved in enumerate(copy_files(source, target, verify=options["verify"]), 1):
            if number % _TELL_EVERY == 0:
                self.stdout.write(f"{number:,} files, {moved.copied:,} copied")
        if options["verify"] or not options["to"]:
            check_named(target, moved)
        if options["remove_old"] and not moved.problems:
            remove_copied(source, target, moved)
            self.stdout.write(f"{moved.removed:,} removed from the former place.")
        self.stdout.write(
            f"{moved.copied:,} files copied ({moved.size:,} bytes), {moved.there:,} were there."
        )
        return moved

    def _places(self, to: str | None) -> tuple[Archive, Archive]:
        source, target = (archive_place(), to) if to else self._from_fallback()
        if source == target:
            raise CommandError("That is the place in use.")
        try:
            return open_archive(source), open_archive(target)
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error

    def _from_fallback(self) -> tuple[str, str]:
        if not settings.ARCHIVE_FALLBACK:
            raise CommandError("Say --to where, or set PRESSROOM_ARCHIVE_FALLBACK.")
        return settings.ARCHIVE_FALLBACK, archive_place()
