"""Recomputations and what they found, as rows."""

from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Company
from billing.models import BalanceDrift, Recomputation
from billing.selectors.recomputations import ChunkProgress
from billing.templatetags import office
from documents.tables.columns import CompanyTable, clipped
from documents.tables.columns import column as text
from documents.tables.columns import number as figure
from documents.templatetags import display


class RecomputationTable(CompanyTable):
    """Give it the progress of each open row beside the rows."""

    state = text("State", css="tight")
    number = text("Recomputation", css="wide")
    mode = text("Kind", css="tight", empty_values=())
    done = text("Progress", css="tight meter-cell", empty_values=())
    parties = figure("Parties", empty_values=())
    drifting = figure("Drifting", empty_values=())
    corrected = figure("Corrected", empty_values=())
    created_at = text("Requested", css="tight")
    requested_by = text("By", css="name", empty_values=())

    class Meta(CompanyTable.Meta):
        pass

    def __init__(
        self, rows: list[Any], *, company: Company, progress: dict[UUID, ChunkProgress]
    ) -> None:
        super().__init__(rows, company=company)
        self.progress = progress

    def render_state(self, record: Recomputation) -> SafeString:
        return display.state_mark(record.state, record.get_state_display())

    def render_number(self, record: Recomputation) -> SafeString:
        return format_html(
            '<a id="r-{}" href="{}" class="clip">{}</a>',
            record.pk,
            record.get_absolute_url(),
            record,
        )

    def render_mode(self, record: Recomputation) -> str:
        return (
            f"corrects {record.corrects.number}" if record.corrects else record.get_mode_display()
        )

    def render_done(self, record: Recomputation) -> str:
        progress = self.progress.get(record.pk)
        if record.is_final or progress is None:
            return ""
        return render_to_string(
            "billing/balances/recompute_meter.html", {"run": record, "progress": progress}
        )

    def render_parties(self, record: Recomputation) -> str:
        return self._count(record.parties)

    def render_drifting(self, record: Recomputation) -> SafeString | str:
        many = self._count(record.drifting)
        if record.corrected == record.drifting:
            return many
        return format_html('<strong class="bad">{}</strong>', many)

    def render_corrected(self, record: Recomputation) -> str:
        return self._count(record.corrected)

    def render_created_at(self, record: Recomputation) -> SafeString:
        return display.moment(record.created_at, self.company)

    def render_requested_by(self, record: Recomputation) -> SafeString | str:
        return "nightly" if record.night_of else clipped(record.requested_by)

    def _count(self, value: int) -> str:
        """Nothing for none, so that a drift stands out."""
        return display.number_for(value or None, self.company)


class DriftTable(CompanyTable):
    """A row a column of a balance: what it was, what its documents come to, and why."""

    state = text("State", css="tight", empty_values=())
    party = text("Party", css="wide")
    column = text("Column", css="tight")
    before = figure("Balance says", empty_values=())
    after = figure("Documents say", empty_values=())
    difference = figure("Difference", empty_values=())
    cause = text("Cause", css="remark")

    class Meta(CompanyTable.Meta):
        pass

    def render_state(self, record: BalanceDrift) -> SafeString:
        if record.is_applied:
            return display.state_mark("done", "corrected")
        return display.state_mark("failed", "differs")

    def render_party(self, record: BalanceDrift) -> SafeString:
        return format_html(
            '<a id="d-{}" href="{}" class="clip" title="{}"><bdi>{}</bdi> '
            '<span class="code">{}</span></a>',
            record.pk,
            record.party.get_absolute_url(),
            record.party.name,
            record.party.name,
            record.party.code,
        )

    def render_column(self, record: BalanceDrift) -> str:
        return record.get_column_display()

    def render_before(self, record: BalanceDrift) -> str:
        return office.money_for(record.before, self.company)

    def render_after(self, record: BalanceDrift) -> str:
        return office.money_for(record.after, self.company)

    def render_difference(self, record: BalanceDrift) -> str:
        return office.money_for(record.after - record.before, self.company)
