from django.utils.html import format_html
from django.utils.safestring import SafeString

from documents.models import Document
from documents.tables.columns import CompanyTable, column
from documents.templatetags import display


class DamageTable(CompanyTable):
    damage = column("File", css="tight")
    title = column("Document", css="wide")
    kind = column("Kind", css="tight")
    recipient_name = column("Party", css="wide")
    damaged_at = column("Found", css="tight")
    checked_at = column("Last checked", css="tight")

    class Meta(CompanyTable.Meta):
        pass

    def render_title(self, record: Document) -> SafeString:
        return format_html(
            '<a id="d-{}" href="{}" title="{}" class="clip">{}</a> <span class="tag">v{}</span>',
            record.pk,
            record.get_absolute_url(),
            record.title,
            record.title,
            record.version,
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

    def render_damage(self, record: Document) -> SafeString:
        return format_html(
            '<span class="state state-failed">{}</span>', record.get_damage_display()
        )

    def render_damaged_at(self, record: Document) -> SafeString:
        return display.moment(record.damaged_at, self.company)

    def render_checked_at(self, record: Document) -> SafeString:
        return display.moment(record.checked_at, self.company)
