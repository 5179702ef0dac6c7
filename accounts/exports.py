"""What leaves by the hundred stands in the audit trail: who took it, when, and what it was."""

from accounts.access import CompanyRequest
from accounts.audit import Action, note_each

_LONGEST = 300
# What somebody searches for is often a name: the trail says that they searched, and not what for.
_UNTOLD = "q"
_NOT_A_FILTER = ("sort", "after", "before", "page")


def note_export(request: CompanyRequest, what: str) -> None:
    """An entry of the company's, when what is asked for is about to be sent."""
    if request.method != "GET":
        return
    # PostgreSQL keeps no NUL in JSON, and no half of a pair.
    told = f"{what}{_narrowed(request)}"[:_LONGEST].replace("\0", "").encode("utf-8", "replace")
    entry = (request.company, {"exported": ("", told.decode())})
    note_each([entry], by=request.user, action=Action.ACCESS)


def _narrowed(request: CompanyRequest) -> str:
    """`, party=..., state=open`: by what the list was narrowed."""
    given = [
        name if name == _UNTOLD else f"{name}={value}"
        for name, values in request.GET.lists()
        for value in values
        if value and name not in _NOT_A_FILTER
    ]
    return "".join(f", {each}" for each in given)
