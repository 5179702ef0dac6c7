"""The company to act in, its settings and its members. Signing in: see `doors`."""

from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("company/", views.ChooseCompanyView.as_view(), name="choose_company"),
    path("company/settings/", views.CompanySettingsView.as_view(), name="company"),
    path("company/logo/", views.LogoView.as_view(), name="logo"),
    path("company/logo/upload/", views.UploadLogoView.as_view(), name="upload_logo"),
    path("company/logo/remove/", views.RemoveLogoView.as_view(), name="remove_logo"),
    path("members/", views.MembersView.as_view(), name="members"),
    path("members/invite/", views.InviteView.as_view(), name="invite"),
    path("members/<int:pk>/role/", views.ChangeRoleView.as_view(), name="change_role"),
    path("members/<int:pk>/remove/", views.RemoveMemberView.as_view(), name="remove_member"),
    path(
        "invitations/<uuid:pk>/withdraw/",
        views.WithdrawInvitationView.as_view(),
        name="withdraw_invitation",
    ),
    path("invitation/<str:token>/", views.InvitationView.as_view(), name="invitation"),
]
