from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from documents.models import Document
from documents.tables.columns import CompanyTable, clipped, column, number
from documents.templatetags import display


class DocumentTable(CompanyTable):
    state = column("State", css="tight")
    title = column("Document", css="wide")
    kind = column("Kind", css="tight")
    recipient_name = column("Party", css="wide")
    period = column("Period", css="tight", empty_values=())
    amount = number("Amount")
    size = number("Size", css="spare")
    created_at = column("Requested", css="tight")
    requested_by = column("By", css="name", empty_values=())
    download = column("", css="action", empty_values=())

    class Meta(CompanyTable.Meta):
        pass

    def render_state(self, record: Document) -> SafeString:
        return display.document_state(record)

    def render_title(self, record: Document) -> SafeString:
        version = format_html(' <span class="tag">v{}</span>', record.version)
        return format_html(
            '<a id="d-{}" href="{}" title="{}" class="clip">{}</a>{}',
            record.pk,
            record.get_absolute_url(),
            record.title,
            record.title,
            version if record.version > 1 else "",
        )

    def render_kind(self, record: Document) -> str:
        return display.paper_label(record.kind)

    def render_recipient_name(self, record: Document) -> SafeString:
        return format_html(
            '<span class="clip" title="{}"><span class="code">{}</span> <bdi>{}</bdi></span>',
            record.recipient_name,
            record.recipient_code,
            record.recipient_name,
        )

    def render_period(self, record: Document) -> str:
        return display.period_for(record, self.company)

    def render_amount(self, record: Document) -> str:
        return display.amount_for(record, self.company)

    def render_size(self, record: Document) -> str:
        return display.size(record.size, self.company)

    def render_created_at(self, record: Document) -> SafeString:
        return display.moment(record.created_at, self.company)

    def render_requested_by(self, record: Document) -> SafeString:
        return clipped(record.requested_by)

    def render_download(self, record: Document) -> SafeString:
        return download_link(record)


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
