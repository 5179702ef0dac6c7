"""`manage.py recompute_balances`: add all balances up again; report what drifts, or correct it."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.models import Company
from billing.models import Recomputation, RecomputationMode, RecomputationState
from billing.money import as_text
from billing.selectors.recomputations import drifts_in_order, parties_done
from billing.services.recomputing import finish_here, start_recomputation

_MOST_LINES = 200
DRIFTS, BROKEN = 1, 2


class Command(BaseCommand):
    help = (
        "Compare each party's balance with the documents that it is the sum of. Reports only, "
        "unless --apply corrects. Works in its own process, beside the workers if there are any, "
        "and needs no broker. Exits with 0 if every balance is right, with 1 if a drift was found "
        "and is still there, and with 2 if a recomputation did not come to its end."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--company", metavar="SLUG", help="only this one, instead of all")
        mode = parser.add_mutually_exclusive_group()
        mode.add_argument("--apply", action="store_true", help="correct what drifts")
        mode.add_argument("--report", action="store_true", help="change nothing (the default)")

    def handle(self, *args: Any, **options: Any) -> None:
        mode = RecomputationMode.APPLY if options["apply"] else RecomputationMode.REPORT
        worst = 0
        for company in _companies(options["company"]):
            try:
                run = self._recompute(company, mode)
            except KeyboardInterrupt:
                self.stderr.write("\nWorkers go on with it, if there are any.")
                sys.exit(130)
            self._say(run)
            worst = max(worst, _verdict(run))
        if worst:
            sys.exit(worst)

    def _recompute(self, company: Company, mode: RecomputationMode) -> Recomputation:
        """A run of this mode. One that is open already, begun by somebody else, is helped first."""
        while True:
            started = start_recomputation(company=company, mode=mode, by=None)
            _watched(started.run)
            if started.is_new or (started.run.mode == mode and not started.run.corrects_id):
                return started.run
            self.stdout.write(f"{company.slug}: {started.run} was open, and is over now.")

    def _say(self, run: Recomputation) -> None:
        slug, currency = run.company.slug, run.company.currency
        for drift in drifts_in_order(run)[:_MOST_LINES]:
            did = "was" if drift.is_applied else "is"
            before, after = as_text(drift.before, currency), as_text(drift.after, currency)
            self.stdout.write(
                f"{slug} {drift.party.code}: {drift.column} {did} {before}, its documents come to "
                f"{after}. {drift.cause}"
            )
        self.stdout.write(f"{slug}: {_result(run)} {settings.SITE_URL}{run.get_absolute_url()}")


def _companies(slug: str | None) -> list[Company]:
    companies = Company.objects.order_by("slug")
    if slug is None:
        return list(companies)
    found = list(companies.filter(slug=slug))
    if not found:
        raise CommandError(f"--company: there is no company {slug!r}.", returncode=BROKEN)
    return found


def _watched(run: Recomputation) -> None:
    """Work on it, with a progress bar on a terminal."""
    with tqdm(desc=f"{run.company.slug}: {run}", unit=" parties", disable=_quiet()) as bar:

        def watch() -> None:
            done, bar.total = parties_done(run)
            bar.update(done - bar.n)

        finish_here(run, watch if not _quiet() else lambda: None)


def _quiet() -> bool:
    return not sys.stderr.isatty()


def _result(run: Recomputation) -> str:
    if run.state != RecomputationState.DONE:
        return f"{run} is {run.get_state_display()}."
    compared = f"{run.parties:,} parties compared"
    if not run.drifting:
        return f"{compared}: every balance is right."
    corrected = f", {run.corrected:,} corrected" if run.applies else ""
    return f"{compared}, {run.drifting:,} drift{corrected}."


def _verdict(run: Recomputation) -> int:
    if run.state != RecomputationState.DONE:
        return BROKEN
    return DRIFTS if run.drifting > run.corrected else 0
