from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Company
from documents.models import Delivery, DeliveryState
from documents.tables.columns import CompanyTable, clipped, column
from documents.templatetags import display


class DeliveryTable(CompanyTable):
    state = column("State", css="tight")
    recipient_name = column("Party", css="wide", empty_values=())
    address = column("Address", css="address", empty_values=())
    paper = column("Paper", css="paper", empty_values=())
    remark = column("Remark", css="remark", empty_values=())
    created_at = column("Asked for", css="tight")
    requested_by = column("By", css="name", empty_values=())

    class Meta(CompanyTable.Meta):
        pass

    def __init__(self, rows: list[Any], *, company: Company, choosable: bool) -> None:
        self.choosable = choosable
        super().__init__(rows, company=company)

    def render_state(self, record: Delivery) -> SafeString:
        return delivery_state(record)

    def render_recipient_name(self, record: Delivery) -> SafeString:
        name = record.recipient_name or "–"
        return format_html(
            '<a id="m-{}" href="{}" title="{}" class="clip row-link"><bdi>{}</bdi></a>',
            record.pk,
            record.get_absolute_url(),
            name,
            name,
        )

    def render_address(self, record: Delivery) -> SafeString:
        return clipped(record.address)

    def render_paper(self, record: Delivery) -> SafeString:
        return format_html(
            '<a class="clip plain-link" href="{}" title="{}">{}</a>',
            record.document.get_absolute_url(),
            record.document.title,
            record.document.title,
        )

    def render_remark(self, record: Delivery) -> str:
        return remark(record)

    def render_created_at(self, record: Delivery) -> SafeString:
        return display.moment(record.created_at, self.company)

    def render_requested_by(self, record: Delivery) -> SafeString:
        return clipped(record.requested_by)


def delivery_state(delivery: Delivery) -> SafeString:
    if delivery.state == DeliveryState.QUEUED and delivery.held:
        return display.state_mark("held", "waiting for its paper")
    return display.state_mark(delivery.state, delivery.get_state_display())


def remark(delivery: Delivery) -> str:
    """Why it is not sent, or what the server said; nothing where there is nothing to say."""
    if delivery.state == DeliveryState.QUEUED and delivery.failure:
        return f"Tried {delivery.attempts} of {delivery.max_attempts} times: {delivery.failure}"
    return delivery.failure
