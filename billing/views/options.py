"""What the party picker finds while somebody types: {"options": [{value, text, terms}]}."""

from typing import Any

from django.http import HttpResponse, JsonResponse

from accounts.access import CompanyRequest
from billing.selectors.lists import find_parties
from billing.views.shared import FragmentMixin

_LONGEST = 100


class PartyOptionsView(FragmentMixin):
    http_method_names = ["get", "head", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        text = " ".join(request.GET.get("q", "").replace("\0", "").split())[:_LONGEST]
        options = [
            {
                "value": str(party.pk),
                "text": f"{party.code} · {party.name}",
                "terms": party.payment_terms_days,
            }
            for party in find_parties(request.company, text)
        ]
        response = JsonResponse({"options": options})
        response["Cache-Control"] = "private, no-store"
        return response
