"""`manage.py import_sales FILE --company SLUG`: another system's sales into the books."""

import csv
import json
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.models import Company
from billing.imports import (
    FIELDS,
    ColumnError,
    ImportOptions,
    ImportSummary,
    UnreadableFile,
    import_sales,
)


class Command(BaseCommand):
    help = (
        "Import sales from .csv or .csv.gz. A document is taken whole or not at all; lines that "
        "can't be taken go to the report with their number and the reason. Running it again "
        "imports nothing twice. Ends with a summary as JSON."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--company", required=True, metavar="SLUG")
        parser.add_argument("--create-company", action="store_true")
        parser.add_argument("--currency", default="GBP", help="of a company that is created")
        parser.add_argument("--locale", default="en_GB", help="of a company that is created")
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="FIELD=HEADER",
            help=f"which column holds a field; the fields are {', '.join(FIELDS)}",
        )
        parser.add_argument(
            "--returns-prefix", default="", metavar="C", help="numbers that begin so are returns"
        )
        parser.add_argument("--report", type=Path, help="CSV of the lines that were refused")

    def handle(self, *args: Any, **options: Any) -> None:
        imported = ImportOptions(
            columns=_columns(options["column"]), returns_prefix=options["returns_prefix"]
        )
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        _check_report(options["report"], options["file"])
        company = _company(options)
        with ExitStack() as stack:
            report = stack.enter_context(_Report(options["report"]))
            watch = stack.enter_context(_Bar(sys.stderr.isatty()))
            try:
                summary = import_sales(
                    company=company,
                    path=options["file"],
                    options=imported,
                    watch=watch,
                    report=report,
                )
            except (ColumnError, UnreadableFile) as error:
                raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(_result(summary, company, options), indent=2))


def _check_report(report: Path | None, file: Path) -> None:
    """Before anything is opened for writing: that would empty it."""
    if report and not report.parent.is_dir():
        raise CommandError(f"--report {report}: there is no folder {report.parent}.")
    if report and report.exists() and report.samefile(file):
        raise CommandError(f"--report {report}: this is the file that is imported.")


def _result(summary: ImportSummary, company: Company, options: dict[str, Any]) -> dict[str, Any]:
    report = options["report"]
    return {
        "file": str(options["file"]),
        "company": company.slug,
        **summary.as_dict(),
        "report": str(report) if report else None,
    }


def _columns(pairs: list[str]) -> dict[str, str]:
    columns = {}
    for pair in pairs:
        name, equals, header = pair.partition("=")
        if not equals or name not in FIELDS or not header.strip():
            raise CommandError(
                f"--column {pair}: write FIELD=HEADER, with a field of {', '.join(FIELDS)}."
            )
        columns[name] = header.strip()
    return columns


def _company(options: dict[str, Any]) -> Company:
    slug = options["company"]
    company = Company.objects.filter(slug=slug).first()
    if company:
        return company
    if not options["create_company"]:
        raise CommandError(f"There is no company {slug!r}. Add --create-company to make it.")
    company = Company(
        slug=slug,
        legal_name=slug.replace("-", " ").title(),
        currency=options["currency"],
        locale=options["locale"],
        country=_territory(options["locale"]),
    )
    try:
        company.full_clean()
    except ValidationError as error:
        problems = "; ".join(
            f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items()
        )
        raise CommandError(f"The company can't be made: {problems}") from error
    company.save()
    return company


def _territory(locale: str) -> str:
    """The country in a locale such as en_GB: what decides on A4 or Letter."""
    last = locale.replace("-", "_").rpartition("_")[2]
    return last if len(last) == 2 and last.isupper() else ""


class _Report:
    """The refused lines as CSV: line, document, reason, content (a JSON list)."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __enter__(self) -> "_Report":
        try:
            self._file = self._path.open("w", encoding="utf-8", newline="") if self._path else None
        except OSError as error:
            raise CommandError(f"--report {self._path}: {error.strerror}.") from error
        self._writer = csv.writer(self._file) if self._file else None
        if self._writer:
            self._writer.writerow(["line", "document", "reason", "content"])
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def __call__(self, line: int, document: str, reason: str, content: str) -> None:
        if self._writer:
            self._writer.writerow([line, document, reason, content])


class _Bar:
    """A progress bar a step, on a terminal; nothing elsewhere."""

    def __init__(self, on_terminal: bool) -> None:
        self._on_terminal = on_terminal
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.close()

    def __call__(self, step: str, done: int, of: int) -> None:
        if not self._on_terminal:
            return
        if self._bar is None or self._bar.desc.removesuffix(": ") != step:
            if self._bar:
                self._bar.close()
            in_bytes = step == "reading"
            self._bar = tqdm(
                desc=step, total=of, unit="B" if in_bytes else " documents", unit_scale=in_bytes
            )
        self._bar.update(done - self._bar.n)
