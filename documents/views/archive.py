"""Is every paper that was made still there? What is not, and what to do about it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from accounts.access import CompanyRequest, MemberMixin
from accounts.models import Role
from documents.selectors import Edge, all_documents, newest_first
from documents.selectors.archive import damaged_documents, sweep_times
from documents.services.sweeping import recheck_damaged
from documents.tables.damage import DamageTable

PAGE_SIZE = 50


class ArchiveView(MemberMixin, View):
    """POST looks at the damaged files again, as after a backup was brought back."""

    http_method_names = ["get", "head", "post", "options"]
    required_role = Role.ACCOUNTANT

    def get(self, request: CompanyRequest) -> HttpResponse:
        company = request.company
        page = newest_first(
            damaged_documents(company),
            all_rows=all_documents(company),
            edge=Edge.of(request.GET),
            size=PAGE_SIZE,
        )
        context = {
            "company": company,
            "section": "verify",
            "page": page,
            "table": DamageTable(page.rows, company=company),
            "sweep": sweep_times(),
        }
        return render(request, "documents/verify/archive.html", context)

    def post(self, request: CompanyRequest) -> HttpResponse:
        healed = recheck_damaged(company=request.company)
        if healed:
            files = "1 file is" if healed == 1 else f"{healed} files are"
            messages.success(request, f"{files} whole again.")
        else:
            messages.warning(request, "No file is whole again yet.")
        return redirect("documents:archive")
