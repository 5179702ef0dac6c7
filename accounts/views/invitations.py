"""The page behind an invitation's link: sign in, or make an account, and join."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.access import SESSION_COMPANY
from accounts.forms import JoinForm
from accounts.models import Invitation, User
from accounts.services import accept_invitation, find_invitation, join


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class InvitationView(View):
    """GET shows what one is invited to; only a POST accepts it."""

    http_method_names = ["get", "head", "post", "options"]
    invitation: Invitation

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        found = find_invitation(kwargs["token"])
        if found is None:
            return render(request, "accounts/invitation_gone.html", status=404)
        self.invitation = found
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self._show(JoinForm(email=self.invitation.email))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if isinstance(request.user, User):
            return self._accept(request, request.user)
        if self._known_user() is not None:
            return self._show(JoinForm(email=self.invitation.email))  # which asks to sign in
        form = JoinForm(request.POST, email=self.invitation.email)
        if not form.is_valid():
            return self._show(form)
        return self._join(request, form)

    def _accept(self, request: HttpRequest, user: User) -> HttpResponse:
        try:
            accept_invitation(invitation=self.invitation, user=user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return self._show(JoinForm(email=self.invitation.email))
        return self._welcome(request)

    def _join(self, request: HttpRequest, form: JoinForm) -> HttpResponse:
        name, password = form.cleaned_data["name"], form.cleaned_data["password"]
        try:
            user = join(invitation=self.invitation, name=name, password=password)
        except ValidationError as error:
            form.add_error(None, error.messages)
            return self._show(form)
        login(request, user)
        return self._welcome(request)

    def _welcome(self, request: HttpRequest) -> HttpResponse:
        request.session[SESSION_COMPANY] = str(self.invitation.company_id)
        rotate_token(request)  # as whoever chooses a company
        messages.success(request, f"Welcome to {self.invitation.company}.")
        return redirect("home")

    def _known_user(self) -> User | None:
        return User.objects.filter(email__iexact=self.invitation.email).first()

    def _show(self, form: JoinForm) -> HttpResponse:
        user = self.request.user
        context = {
            "invitation": self.invitation,
            "form": form,
            "is_for_me": isinstance(user, User)
            and user.email.lower() == self.invitation.email.lower(),
            "has_account": not user.is_authenticated and self._known_user() is not None,
        }
        return render(self.request, "accounts/invitation.html", context)
