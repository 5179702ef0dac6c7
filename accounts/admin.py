from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import BaseUserCreationForm
from django.http import HttpRequest

from accounts.models import Company, Invitation, Membership, User


class UserCreationForm(BaseUserCreationForm[User]):
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes = {"email": forms.EmailField}


class MembershipInline(admin.TabularInline[Membership, User]):
    model = Membership
    extra = 0


@admin.register(User)
class PressroomUserAdmin(UserAdmin[User]):
    add_form = UserCreationForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff")
    search_fields = ("email", "name")
    inlines = [MembershipInline]
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "password1", "password2")}),)


@admin.register(Company)
class CompanyAdmin(admin.ModelAdmin[Company]):
    list_display = ("legal_name", "slug", "country", "currency")
    search_fields = ("legal_name", "slug")


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin[Membership]):
    list_display = ("user", "company", "role", "created_at")
    list_filter = ("role", "company")
    list_select_related = ("user", "company")
    search_fields = ("user__email", "company__legal_name")


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin[Invitation]):
    """To be looked at: invitations are made and withdrawn on the company's own page."""

    list_display = ("email", "company", "role", "created_at", "expires_at", "accepted_at")
    list_filter = ("company", "accepted_at")
    list_select_related = ("company",)
    search_fields = ("email",)
    exclude = ("token_hash",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False
