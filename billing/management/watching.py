"""Watching a run from a terminal: a progress bar with rate and time left, and a last word."""

import json
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import OutputWrapper
from tqdm import tqdm

from documents.models import Batch, BatchJob, BatchState
from documents.selectors import SKIPPED, Progress, progress_of

_EVERY = 0.5


class RunWatcher:
    """Says on `out` how a batch goes. The run itself needs nobody who watches."""

    def __init__(
        self, batch: Batch, out: OutputWrapper, errors: OutputWrapper, *, as_json: bool
    ) -> None:
        self.batch = batch
        self.out = out
        self.errors = errors
        self.as_json = as_json

    def say_started(self) -> None:
        if self.as_json:
            self.out.write(json.dumps(self._result(self._progress()), indent=2))
        else:
            self.out.write(f"{self.batch} is queued. {self._where()}")

    def wait(self) -> Progress:
        """Until the run is over. Ctrl-C stops the watching, not the run."""
        try:
            self._watch()
        except KeyboardInterrupt:
            self.errors.write(f"\nThe run goes on. {self._where()}")
            sys.exit(130)
        progress = self._progress()
        self._say_ended(progress)
        if self.batch.state == BatchState.CANCELLED or progress.counts["failed"]:
            sys.exit(1)
        return progress

    def _watch(self) -> None:
        with tqdm(
            desc="planning", unit=" statements", disable=not sys.stderr.isatty(), leave=True
        ) as bar:
            while not self.batch.is_final:
                time.sleep(_EVERY)
                self.batch.refresh_from_db()
                progress = self._progress()
                if progress.papers:
                    bar.set_description(str(self.batch), refresh=False)
                    bar.total = progress.papers
                    bar.update(progress.finished - bar.n)

    def _say_ended(self, progress: Progress) -> None:
        if self.as_json:
            self.out.write(json.dumps(self._result(progress), indent=2))
            return
        counts = progress.counts
        if self.batch.state == BatchState.CANCELLED:
            self.out.write(f"{self.batch} was cancelled. {self._why_cancelled()}")
            return
        self.out.write(
            f"{self.batch}: {counts['ready']} ready ({counts['ready'] - progress.made} of them "
            f"from before), {counts['failed']} failed, {counts[SKIPPED]} left out; "
            f"{self._seconds():.1f} s, {_per_second(progress):.1f} a second. {self._where()}"
        )

    def _result(self, progress: Progress) -> dict[str, Any]:
        return {
            "batch": str(self.batch.pk),
            "title": self.batch.title,
            "state": self.batch.state,
            "cancelled_because": self._why_cancelled(),
            **progress.counts,
            "made": progress.made,
            "seconds": round(self._seconds(), 2),
            "per_second": round(_per_second(progress), 2),
            "page": self._page(),
        }

    def _progress(self) -> Progress:
        return progress_of([self.batch])[self.batch.pk]

    def _seconds(self) -> float:
        end = self.batch.finished_at
        return (end - self.batch.created_at).total_seconds() if end else 0.0

    def _why_cancelled(self) -> str:
        if self.batch.state != BatchState.CANCELLED:
            return ""
        job = BatchJob.objects.filter(batch=self.batch, step=BatchJob.Step.PLAN).first()
        return job.failure if job else ""

    def _where(self) -> str:
        return f"Look at it at {self._page()}"

    def _page(self) -> str:
        return f"{settings.SITE_URL}{self.batch.get_absolute_url()}"


def _per_second(progress: Progress) -> float:
    """Papers made a second, from the first one's start to the last one's end."""
    if not progress.elapsed or progress.made < 2:
        return 0.0
    return progress.made / progress.elapsed.total_seconds()
