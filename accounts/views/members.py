"""Who works for the company, and who is invited to. For owners."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now

from accounts.access import CompanyRequest, MemberMixin
from accounts.forms import InviteForm, RoleForm
from accounts.models import Invitation, Membership, Role
from accounts.services import change_role, invite, remove_member, withdraw_invitation


class _OwnersView(MemberMixin):
    required_role = Role.OWNER

    def show(self, form: InviteForm | None = None) -> HttpResponse:
        company = self.request.company
        members = company.memberships.select_related("user").order_by("-role", "user__email")
        open_ = company.invitations.filter(accepted_at=None, withdrawn_at=None)
        context = {
            "company": company,
            "section": "settings",
            "tab": "members",
            "form": form or InviteForm(),
            "members": members,
            "invitations": open_.select_related("invited_by").order_by("email"),
            "roles": Role.choices,
            "now": now(),
        }
        return render(self.request, "accounts/settings/members.html", context)

    def back(self, said: str) -> HttpResponse:
        messages.success(self.request, said)
        return redirect("accounts:members")

    def refuse(self, error: ValidationError) -> HttpResponse:
        messages.error(self.request, " ".join(error.messages))
        return redirect("accounts:members")

    def membership(self, pk: int) -> Membership:
        rows = Membership.objects.select_related("user", "company")
        return get_object_or_404(rows, pk=pk, company=self.request.company)


class MembersView(_OwnersView):
    http_method_names = ["get", "head", "options"]

    def get(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        return self.show()


class InviteView(_OwnersView):
    http_method_names = ["post", "options"]

    def post(self, request: CompanyRequest, **kwargs: Any) -> HttpResponse:
        form = InviteForm(request.POST)
        if not form.is_valid():
            return self.show(form)
        try:
            invitation = invite(company=request.company, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None if not hasattr(error, "error_dict") else "email", error.messages)
            return self.show(form)
        return self.back(f"{invitation.email} is invited: the message is on its way.")


class WithdrawInvitationView(_OwnersView):
    http_method_names = ["post", "options"]

    def post(self, request: CompanyRequest, pk: UUID, **kwargs: Any) -> HttpResponse:
        invitation = get_object_or_404(Invitation, pk=pk, company=request.company)
        withdraw_invitation(invitation=invitation)
        return self.back(f"The invitation of {invitation.email} is withdrawn.")


class ChangeRoleView(_OwnersView):
    http_method_names = ["post", "options"]

    def post(self, request: CompanyRequest, pk: int, **kwargs: Any) -> HttpResponse:
        membership, form = self.membership(pk), RoleForm(request.POST)
        try:
            if not form.is_valid():
                raise ValidationError("There is no such role.")
            changed = change_role(membership=membership, role=form.cleaned_data["role"])
        except ValidationError as error:
            return self.refuse(error)
        messages.success(request, f"{membership.user} is {changed.get_role_display()} now.")
        is_self_demoted = membership.user_id == request.user.pk and changed.role < Role.OWNER
        return redirect("home" if is_self_demoted else "accounts:members")


class RemoveMemberView(_OwnersView):
    http_method_names = ["post", "options"]

    def post(self, request: CompanyRequest, pk: int, **kwargs: Any) -> HttpResponse:
        membership = self.membership(pk)
        try:
            remove_member(membership=membership)
        except ValidationError as error:
            return self.refuse(error)
        messages.success(request, f"{membership.user} is no member any more.")
        is_self = membership.user_id == request.user.pk
        return redirect("home" if is_self else "accounts:members")
