"""`manage.py demo`: a month's statements of made-up data, through a real broker and workers."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.models import Company
from billing.demo import EMAIL, PASSWORD, PERIOD, demo_company
from billing.management.watching import RunWatcher
from billing.services import start_statement_run
from documents.models import Batch, BatchItem
from worker.embedded import BrokerFailedError, EmbeddedBroker
from worker.processes import dispatcher_process, worker_processes
from worker.supervisor import running


class Command(BaseCommand):
    help = "Make the demo company's statements on this machine, from nothing, and end."

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("django_structlog").setLevel(logging.WARNING)  # a bar is drawn there
        call_command("migrate", interactive=False, verbosity=0)
        company = self._data()
        try:
            with self._broker():
                batch = self._run(company)
        except BrokerFailedError as error:
            raise CommandError(str(error)) from error
        self._say_where(batch)

    def _data(self) -> Company:
        with tqdm(desc="demo data", unit=" invoices", disable=not sys.stderr.isatty()) as bar:

            def show(done: int, of: int) -> None:
                bar.total = of
                bar.update(done - bar.n)

            return demo_company(show)

    def _run(self, company: Company) -> Batch:
        processes = [dispatcher_process(), *worker_processes(batch=2)]
        with running(processes, log_dir=settings.VAR_DIR / "logs", grace=10):
            batch = start_statement_run(company=company, period=PERIOD, by=None)
            RunWatcher(batch, self.stdout, self.stderr, as_json=False).wait()
        return batch

    @contextmanager
    def _broker(self) -> Iterator[None]:
        """The embedded broker, unless CELERY_BROKER_URL names another."""
        if settings.EMBEDDED_BROKER_SOCKET is None:
            yield
            return
        with EmbeddedBroker(settings.VAR_DIR / "broker", settings.EMBEDDED_BROKER_SOCKET):
            yield

    def _say_where(self, batch: Batch) -> None:
        papers = BatchItem.objects.filter(batch=batch, document__state="ready")
        longest = papers.order_by("-document__pages").select_related("document").first()
        self.stdout.write(f"The PDFs are in {settings.ARCHIVE_DIR}/documents/{batch.company_id}")
        if longest and longest.document:
            self.stdout.write(
                f"The longest, {longest.name}, {longest.document.pages} pages: "
                f"{settings.ARCHIVE_DIR}/{longest.document.storage_key}"
            )
        self.stdout.write(
            f"'make run' serves them at http://localhost:8000; sign in as {EMAIL} with {PASSWORD}"
        )
