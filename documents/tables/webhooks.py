from django.utils.html import format_html
from django.utils.safestring import SafeString

from documents.models import WebhookDelivery
from documents.tables.columns import CompanyTable, clipped, column, number
from documents.templatetags import display
from worker.leasing import WorkState


class WebhookDeliveryTable(CompanyTable):
    """What was sent to one endpoint, or is to be."""

    state = column("State", css="tight")
    event = column("Event", css="wide")
    attempts = number("Attempts")
    status = number("Status")
    answer = column("Answer", css="remark", empty_values=())
    milliseconds = number("ms", css="spare", empty_values=())
    created_at = column("Happened", css="tight")
    finished_at = column("Last or next attempt", css="tight", empty_values=())

    class Meta(CompanyTable.Meta):
        pass

    def render_state(self, record: WebhookDelivery) -> SafeString:
        return display.state_mark(record.state, record.state_in_words)

    def render_event(self, record: WebhookDelivery) -> SafeString:
        return format_html(
            '<a id="w-{}" href="{}">{}</a>{}',
            record.pk,
            record.get_absolute_url(),
            record.event,
            SafeString(' <span class="tag">again</span>') if record.replay_of_id else "",
        )

    def render_attempts(self, record: WebhookDelivery) -> str:
        return f"{record.attempts} of {record.max_attempts}" if record.attempts else ""

    def render_answer(self, record: WebhookDelivery) -> SafeString:
        return clipped(record.failure or record.answer)

    def render_milliseconds(self, record: WebhookDelivery) -> str:
        return display.number_for(record.milliseconds or "", self.company)

    def render_created_at(self, record: WebhookDelivery) -> SafeString:
        return display.moment(record.created_at, self.company)

    def render_finished_at(self, record: WebhookDelivery) -> SafeString:
        if record.state == WorkState.QUEUED and record.attempts:
            return format_html("next {}", display.moment(record.next_attempt_at, self.company))
        return display.moment(record.started_at, self.company)
