from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import Company
from documents.models import Delivery, Document
from documents.tables.columns import CompanyTable, clipped, column, number
from documents.templatetags import display

_SHORT_HASH = 8
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


class DocumentTable(CompanyTable):
    """`places` says how many papers come before one that waits, `sent` what became of the ready."""

    state = column("State", css="tight")
    title = column("Document", css="wide")
    recipient_name = column("Party", css="wide")
    period = column("Period", css="tight", empty_values=())
    amount = number("Amount")
    size = number("File", css="tight")
    sha256 = column("Hash", css="spare code tight")
    sent = column("E-mail", css="tight", empty_values=())
    created_at = column("Age", css="tight")
    requested_by = column("By", css="name spare", empty_values=())
    download = column("", css="action", empty_values=())

    class Meta(CompanyTable.Meta):
        attrs: dict[str, Any] = {**CompanyTable.Meta.attrs, "data-list": True}

    def __init__(
        self,
        rows: list[Document],
        *,
        company: Company,
        places: Mapping[UUID, int],
        sent: Mapping[UUID, list[Delivery]],
        choosable: bool,
    ) -> None:
        self.places, self.deliveries, self.choosable = places, sent, choosable
        super().__init__(rows, company=company)

    def render_state(self, record: Document) -> SafeString:
        place = self.places.get(record.pk)
        if record.cleared_at:
            return display.state_mark("cancelled", "put away")
        if record.damage:
            return display.state_mark("failed", f"file {record.get_damage_display()}")
        if place is None:
            return display.document_state(record)
        return format_html(
            '{} <span class="quiet" title="Papers that are made before it">{}</span>',
            display.document_state(record),
            f"· {display.number_for(place, self.company)} before" if place else "· next",
        )

    def render_title(self, record: Document) -> SafeString:
        version = format_html(
            ' <span class="tag" title="{}">v{}</span>',
            "Superseded by another version" if record.is_superseded else "The version that stands",  # type: ignore[attr-defined]
            record.version,
        )
        shown = record.version > 1 or record.is_superseded  # type: ignore[attr-defined]
        return format_html(
            '<a id="d-{}" href="{}" title="{}" class="clip row-link{}">{}</a>{}',
            record.pk,
            record.get_absolute_url(),
            record.failure or f"{display.paper_label(record.kind)}: {record.title}",
            " superseded" if record.is_superseded else "",  # type: ignore[attr-defined]
            record.title,
            version if shown else "",
        )

    def render_recipient_name(self, record: Document) -> SafeString:
        return format_html(
            '<a class="clip plain-link" title="Papers of {}" href="?party={}">'
            '<span class="code">{}</span> <bdi>{}</bdi></a>',
            record.recipient_name,
            record.recipient_id,
            record.recipient_code,
            record.recipient_name,
        )

    def render_period(self, record: Document) -> str:
        return display.period_for(record, self.company)

    def render_amount(self, record: Document) -> str:
        return display.amount_for(record, self.company)

    def render_size(self, record: Document) -> str:
        if not record.is_ready:
            return ""
        pages = display.number_for(record.pages, self.company)
        return f"{pages} p, {display.size(record.size, self.company)}"

    def render_sha256(self, record: Document) -> SafeString:
        return format_html('<span title="{}">{}</span>', record.sha256, record.sha256[:_SHORT_HASH])

    def render_sent(self, record: Document) -> SafeString:
        return sent_mark(self.deliveries.get(record.pk, []))

    def render_created_at(self, record: Document) -> SafeString:
        return age(record.created_at, self.company)

    def render_requested_by(self, record: Document) -> SafeString:
        return clipped(record.requested_by)

    def render_download(self, record: Document) -> SafeString:
        return download_link(record)


def sent_mark(deliveries: list[Delivery]) -> SafeString:
    """The state of the e-mails with a paper; with several, how many are in each."""
    if len(deliveries) == 1:
        [one] = deliveries
        return display.state_mark(one.state, one.get_state_display())
    counts: dict[tuple[str, str], int] = {}
    for each in deliveries:
        key = (each.state, each.get_state_display())
        counts[key] = counts.get(key, 0) + 1
    marks = ((display.state_mark(state, f"{n} {label}"),) for (state, label), n in counts.items())
    return format_html_join(" ", "{}", marks)


def age(moment: datetime, company: Company) -> SafeString:
    """`now`, `5 min`, `3 h`, `2 d`; after a month the day. The exact time stands in the title.

    By the minute at most, so that a page that is polled does not change each time.
    """
    seconds = (timezone.now() - moment).total_seconds()
    if seconds >= 30 * _DAY:
        return display.moment(moment, company)
    steps: list[tuple[int, str]] = [(_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")]
    text = next(
        (f"{int(seconds // size)} {unit}" for size, unit in steps if seconds >= size), "now"
    )
    exact: Any = display.exact_moment(moment, company)
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, text)


def download_link(document: Document) -> SafeString:
    if not document.is_ready:
        return SafeString("")
    return format_html(
        '<a id="f-{}" class="icon-link icon-download" href="{}" title="Download PDF" download>'
        '<span class="visually-hidden">Download {}</span></a>',
        document.pk,
        reverse("documents:download", args=[document.pk]),
        document.title,
    )
