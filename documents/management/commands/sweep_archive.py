"""`manage.py sweep_archive`: is every file of the archive there, and still what was stored?"""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from documents.models import ArchiveSweep
from documents.services.sweeping import start_sweep, sweep_piece
from worker.leasing import WorkState
from worker.running import work_on

_ENDED = (WorkState.DONE, WorkState.FAILED, WorkState.CANCELLED)


class Command(BaseCommand):
    help = "Check every stored file against its hash, and remove old files that belong to nobody."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--now", action="store_true", help="do it here, to its end")

    def handle(self, *args: Any, now: bool, **options: Any) -> None:
        sweep = start_sweep()
        if not now:
            self.stdout.write("The archive is being checked; the workers do it, in pieces.")
            return
        self._report(self._to_its_end(sweep))

    def _to_its_end(self, sweep: ArchiveSweep) -> ArchiveSweep:
        """Piece by piece. A worker may be at a piece of it as well: then wait for that."""
        while sweep.state not in _ENDED:
            if work_on(ArchiveSweep, sweep.pk, sweep_piece) != "done":
                time.sleep(0.5)
            sweep.refresh_from_db()
            self.stdout.write(f"{sweep.get_stage_display()}: {sweep}")
        return sweep

    def _report(self, sweep: ArchiveSweep) -> None:
        if sweep.state != WorkState.DONE:
            raise CommandError(f"The sweep came to no end: {sweep.failure}")
        self.stdout.write(
            f"{sweep.checked} documents checked: {sweep.missing} missing, {sweep.changed} changed."
        )
        self.stdout.write(
            f"{sweep.strays} files of nobody found; {sweep.orphans} files removed, drafts too"
            f" ({sweep.orphan_bytes} bytes)."
        )
        if sweep.missing or sweep.changed:
            raise CommandError("The archive has lost files: see the log, or the page Archive.")
