from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Company
from documents.models import Batch, BatchItem, Delivery, DocumentState
from documents.selectors import SKIPPED, Progress
from documents.tables.columns import CompanyTable, clipped, column, number
from documents.tables.documents import download_link, sent_mark
from documents.templatetags import display


class BatchTable(CompanyTable):
    """Give it the progress of each row beside the rows."""

    state = column("State", css="tight")
    title = column("Run", css="wide")
    kind = column("Kind", css="tight")
    period = column("Period", css="tight", empty_values=())
    done = column("Progress", css="tight meter-cell", empty_values=())
    ready = number("Ready", empty_values=())
    failed = number("Failed", empty_values=())
    skipped = number("Skipped", empty_values=())
    created_at = column("Requested", css="tight")
    requested_by = column("By", css="name", empty_values=())

    class Meta(CompanyTable.Meta):
        pass

    def __init__(
        self, rows: list[Any], *, company: Company, progress: dict[UUID, Progress]
    ) -> None:
        super().__init__(rows, company=company)
        self.progress = progress

    def render_state(self, record: Batch) -> SafeString:
        return display.batch_state(record)

    def render_title(self, record: Batch) -> SafeString:
        return format_html(
            '<a id="b-{}" href="{}" title="{}" class="clip">{}</a>',
            record.pk,
            record.get_absolute_url(),
            record.title,
            record.title,
        )

    def render_kind(self, record: Batch) -> str:
        return display.run_label(record.kind)

    def render_period(self, record: Batch) -> str:
        return display.period_for(record, self.company)

    def render_done(self, record: Batch) -> str:
        progress = self._progress(record)
        if not progress.papers:
            return ""
        return render_to_string("documents/parts/meter.html", {"progress": progress})

    def render_ready(self, record: Batch) -> str:
        return self._count(record, DocumentState.READY)

    def render_failed(self, record: Batch) -> SafeString | str:
        text = self._count(record, DocumentState.FAILED)
        return format_html('<strong class="bad">{}</strong>', text) if text else ""

    def render_skipped(self, record: Batch) -> str:
        return self._count(record, SKIPPED)

    def render_created_at(self, record: Batch) -> SafeString:
        return display.moment(record.created_at, self.company)

    def render_requested_by(self, record: Batch) -> SafeString:
        return clipped(record.requested_by)

    def _count(self, batch: Batch, state: str) -> str:
        """Nothing for none, so that what went wrong stands out."""
        return display.number_for(self._progress(batch).counts[state] or None, self.company)

    def _progress(self, batch: Batch) -> Progress:
        return self.progress.get(batch.pk) or Progress()


class ItemTable(CompanyTable):
    """A row a party: its paper, or why there is none."""

    state = column("State", css="tight", empty_values=())
    code = column("Code", css="tight code")
    name = column("Party", css="wide")
    reason = column("Remark", css="remark", empty_values=())
    amount = number("Amount", empty_values=())
    pages = number("Pages", empty_values=())
    size = number("Size", empty_values=())
    sent = column("E-mail", css="tight", empty_values=())
    download = column("", css="action", empty_values=())

    class Meta(CompanyTable.Meta):
        pass

    def __init__(
        self,
        rows: list[Any],
        *,
        company: Company,
        deliveries: Mapping[UUID, list[Delivery]] | None = None,
    ) -> None:
        """`deliveries` of the rows' papers; without them, the run sends no e-mails."""
        self.deliveries = deliveries or {}
        super().__init__(rows, company=company)
        if deliveries is None:
            self.columns.hide("sent")

    def render_state(self, record: BatchItem) -> SafeString:
        if record.document is None:
            return display.state_mark(SKIPPED, "skipped")
        return display.document_state(record.document)

    def render_name(self, record: BatchItem) -> SafeString:
        if record.document is None:
            return clipped(record.name)
        return format_html(
            '<a id="d-{}" href="{}" class="clip" title="{}">{}</a>',
            record.document_id,
            record.document.get_absolute_url(),
            record.name,
            record.name or record.document.title,
        )

    def render_reason(self, record: BatchItem) -> str:
        if record.document is None:
            return record.skipped_reason
        return record.document.failure or self._why_unsent(record)

    def render_sent(self, record: BatchItem) -> SafeString:
        return sent_mark(self._sent(record))

    def render_amount(self, record: BatchItem) -> str:
        return display.amount_for(record.document, self.company) if record.document else ""

    def render_pages(self, record: BatchItem) -> str:
        return (
            display.number_for(record.document.pages or "", self.company)
            if (record.document)
            else ""
        )

    def render_size(self, record: BatchItem) -> str:
        return display.size(record.document.size, self.company) if record.document else ""

    def render_download(self, record: BatchItem) -> SafeString | str:
        return download_link(record.document) if record.document else ""

    def _sent(self, record: BatchItem) -> list[Delivery]:
        return self.deliveries.get(record.document_id, []) if record.document_id else []

    def _why_unsent(self, record: BatchItem) -> str:
        return next((mail.failure for mail in self._sent(record) if mail.failure), "")
