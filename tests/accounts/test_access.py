"""Who is let in, for which company, in which role: read afresh for every request."""

import json
import uuid

import pytest
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from accounts.access import SESSION_COMPANY, MemberMixin
from accounts.models import Membership, Role
from accounts.scoping import UnscopedQuery
from documents.models import Batch
from tests.factories import PASSWORD, BatchFactory, CompanyFactory, MembershipFactory, UserFactory


class Probe(MemberMixin):
    """Says as whom it was asked. Clerks may read, accountants may change."""

    required_role = Role.CLERK
    required_role_to_change = Role.ACCOUNTANT

    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(
            {"company": request.company.slug, "role": Role(request.membership.role).label}
        )

    post = get


class Leak(MemberMixin):
    """Forgets the company."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(Batch.objects.count())


urlpatterns = [
    path("", Probe.as_view(), name="home"),
    path("probe/", Probe.as_view()),
    path("leak/", Leak.as_view()),
    path("accounts/", include("accounts.doors")),
    path("accounts/", include("accounts.urls")),
]


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """In place of the site's page, which links to addresses that are not among these."""
    return HttpResponse(status=404 if isinstance(exception, Http404) else 403)


handler403 = handler404 = refused
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls(__name__),
    pytest.mark.filterwarnings("ignore:No directory at"),  # of collected static files
]


@pytest.fixture
def clerk() -> Membership:
    company = CompanyFactory.create(slug="middle", legal_name="Middle")
    return MembershipFactory.create(company=company, role=Role.CLERK)


@pytest.fixture
def ask(client, clerk):
    """`ask()`: what the probe says to the clerk, or the status that it refuses with."""
    client.force_login(clerk.user)

    def asked(method="get", **options):
        response = getattr(client, method)("/probe/", **options)
        return json.loads(response.content) if response.status_code == 200 else response.status_code

    return asked


def also_in(member, name, role=Role.VIEWER):
    company = CompanyFactory.create(slug=name.lower(), legal_name=name)
    return MembershipFactory.create(user=member.user, company=company, role=role)


class TestWhoIsLetIn:
    def test_a_member_with_the_role(self, ask):
        assert ask() == {"company": "middle", "role": "clerk"}

    def test_nobody_who_has_not_signed_in(self, client):
        response = client.get("/probe/")
        assert response.status_code == 302
        assert response.url == "/accounts/sign-in/?next=/probe/"

    def test_reading_needs_less_than_changing(self, ask, clerk):
        assert ask("post") == 403
        Membership.objects.filter(pk=clerk.pk).update(role=Role.ACCOUNTANT)
        assert ask("post")["role"] == "accountant"

    @pytest.mark.parametrize("role", Role)
    def test_every_role_may_do_what_those_below_it_may(self, ask, clerk, role):
        Membership.objects.filter(pk=clerk.pk).update(role=role)
        assert (ask() != 403) == (role >= Role.CLERK)
        assert (ask("post") != 403) == (role >= Role.ACCOUNTANT)

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_every_method_that_changes_counts_as_changing(self, ask, method, settings):
        """The site refuses them before; a view must not rely on it."""
        closed = "accounts.headers.HeadersMiddleware"
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != closed]
        assert ask(method) == 403

    def test_one_may_sign_in_with_any_case_of_ones_address(self, client):
        UserFactory.create(email="olive@example.org")
        assert client.login(username="Olive@Example.org", password=PASSWORD)
        assert not client.login(username="olive@example.org", password="wrong")


class TestTheNextRequest:
    """Nothing that was taken away lasts longer than the request that is being answered."""

    def test_knows_a_role_that_was_lowered(self, ask, clerk):
        assert ask() != 403
        Membership.objects.filter(pk=clerk.pk).update(role=Role.VIEWER)
        assert ask() == 403

    def test_knows_a_membership_that_was_ended(self, ask, clerk):
        other = also_in(clerk, "Other", Role.OWNER)
        assert ask()["company"] == "middle"
        clerk.delete()
        assert ask() == {"company": "other", "role": "owner"}
        other.delete()
        assert ask() == 403

    def test_knows_a_user_who_was_made_inactive(self, ask, clerk):
        assert ask() != 302
        clerk.user.is_active = False
        clerk.user.save()
        assert ask() == 302

    def test_knows_a_user_who_was_deleted(self, ask, clerk):
        clerk.user.delete()
        assert ask() == 302

    def test_knows_a_password_that_was_changed(self, ask, clerk):
        clerk.user.set_password("another long password")
        clerk.user.save()
        assert ask() == 302


class TestWhichCompany:
    def test_is_the_first_by_name_until_one_is_chosen(self, ask, clerk):
        also_in(clerk, "Zebra", Role.OWNER)
        also_in(clerk, "Alpha", Role.OWNER)
        assert ask()["company"] == "alpha"

    def test_is_the_one_that_was_chosen_in_the_role_that_one_has_there(self, ask, client, clerk):
        zebra = also_in(clerk, "Zebra", Role.OWNER)
        assert client.post("/accounts/company/", {"company": zebra.company_id}).status_code == 302
        assert ask() == {"company": "zebra", "role": "owner"}
        client.post("/accounts/company/", {"company": clerk.company_id})
        assert ask() == {"company": "middle", "role": "clerk"}

    def test_is_never_one_to_which_one_does_not_belong(self, ask, client, clerk):
        stranger = CompanyFactory.create()
        for chosen in (stranger.pk, uuid.uuid4(), "", "nonsense"):
            assert client.post("/accounts/company/", {"company": chosen}).status_code == 404
        assert ask()["company"] == "middle"

    def test_is_not_one_in_the_session_to_which_one_no_longer_belongs(self, ask, client, clerk):
        zebra, alpha = also_in(clerk, "Zebra", Role.OWNER), also_in(clerk, "Alpha", Role.OWNER)
        client.post("/accounts/company/", {"company": zebra.company_id})
        zebra.delete()
        assert ask()["company"] == alpha.company.slug

    @pytest.mark.parametrize("kept", ["nonsense", None, 7])
    def test_is_found_whatever_lies_in_the_session(self, ask, client, clerk, kept):
        also_in(clerk, "Alpha", Role.OWNER)
        session = client.session
        session[SESSION_COMPANY] = kept
        session.save()
        assert ask()["company"] == "alpha"

    def test_is_chosen_by_post_only(self, ask, client, clerk):
        zebra = also_in(clerk, "Zebra")
        assert client.get(f"/accounts/company/?company={zebra.company_id}").status_code == 405


class TestTheGuard:
    def test_a_view_that_forgets_the_company_fails_instead_of_leaking(self, client, clerk):
        BatchFactory.create()
        client.force_login(clerk.user)
        with pytest.raises(UnscopedQuery):
            client.get("/leak/")
        assert Batch.objects.count() == 1  # and it is off again


class TestTheQueries:
    def test_one_loads_the_user_the_memberships_and_the_companies(
        self, ask, client, clerk, django_assert_num_queries
    ):
        for number in range(5):
            also_in(clerk, f"Company {number}", Role.OWNER)
        with django_assert_num_queries(2) as captured:  # the session's is the other
            assert ask()["role"] == "owner"
        assert sum("accounts_user" in query["sql"] for query in captured) == 1

    def test_a_user_without_a_company_takes_one_more(self, client, django_assert_num_queries):
        client.force_login(UserFactory.create())
        with django_assert_num_queries(3):
            client.get("/leak/")
