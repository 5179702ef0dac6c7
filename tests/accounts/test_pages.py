"""Signing in and out, choosing a company, and the pages for when something is in the way."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Role
from tests.factories import PASSWORD, CompanyFactory, UserFactory, member

SIGN_IN = reverse("account_login")
LIST = reverse("documents:list")

pytestmark = pytest.mark.django_db


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def test_the_right_password_leads_to_the_start():
    user, client = member().user, Client()
    response = client.post(SIGN_IN, {"login": user.email, "password": PASSWORD})
    assert response["Location"] == reverse("home")
    assert client.get(LIST).status_code == 200


def test_signing_in_leads_back_to_where_one_was_going():
    user = member().user
    response = Client().post(
        SIGN_IN, {"login": user.email, "password": PASSWORD, "next": "/documents/runs/"}
    )
    assert response["Location"] == "/documents/runs/"


def test_nobody_is_led_to_another_site():
    user = member().user
    response = Client().post(
        SIGN_IN, {"login": user.email, "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert response["Location"] == reverse("home")


def test_the_wrong_password_says_so():
    user = member().user
    body = Client().post(SIGN_IN, {"login": user.email, "password": "no"}).content.decode()
    assert 'role="alert"' in body
    assert "<h1" in body


def test_signing_out_takes_a_post():
    client = signed_in(member().user)
    client.get(reverse("account_logout"))
    assert client.get(LIST).status_code == 200
    assert client.post(reverse("account_logout"))["Location"] == SIGN_IN
    assert client.get(LIST).status_code == 302


def test_one_company_needs_no_switch():
    body = signed_in(member().user).get(LIST).content.decode()
    assert reverse("accounts:choose_company") not in body


def test_several_can_be_switched():
    user = UserFactory.create()
    first, second = (
        member(user=user, company=CompanyFactory.create(legal_name=name)).company
        for name in ("Alpha Ltd", "Beta Ltd")
    )
    client = signed_in(user)
    response = client.get(LIST)
    assert response.wsgi_request.company == first
    assert str(second.pk) in response.content.decode()
    client.post(reverse("accounts:choose_company"), {"company": str(second.pk)})
    assert client.get(LIST).wsgi_request.company == second


def test_what_another_tab_drew_for_the_company_before_is_refused():
    """It would act in the other company, and nothing on it says so."""
    user = UserFactory.create()
    first, second = (
        member(user=user, company=CompanyFactory.create(legal_name=name)).company
        for name in ("Alpha Ltd", "Beta Ltd")
    )
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    page = client.get(LIST).content.decode()
    drawn = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    sent = {"company": str(second.pk), "csrfmiddlewaretoken": drawn}
    address = reverse("accounts:choose_company")
    assert client.post(address, sent).status_code == 302
    refused = client.post(address, sent | {"company": str(first.pk)})
    assert refused.status_code == 403
    assert "chose another company in another tab" in refused.content.decode()
    assert client.get(LIST).wsgi_request.company == second


def test_nobody_switches_to_a_company_of_others():
    client = signed_in(member().user)
    other = CompanyFactory.create()
    response = client.post(reverse("accounts:choose_company"), {"company": str(other.pk)})
    assert response.status_code == 404


def test_who_belongs_to_no_company_is_told_what_to_do():
    response = signed_in(UserFactory.create()).get(LIST)
    assert response.status_code == 403
    assert "You belong to no company yet" in response.content.decode()


def test_a_membership_that_is_gone_is_gone_at_once():
    membership = member(Role.OWNER)
    client = signed_in(membership.user)
    assert client.get(LIST).status_code == 200
    Membership.objects.all().delete()
    assert client.get(LIST).status_code == 403


def test_a_form_from_elsewhere_is_refused_with_a_page():
    client = Client(enforce_csrf_checks=True)
    client.force_login(member().user)
    response = client.post(reverse("account_logout"))
    assert response.status_code == 403
    assert "The form was too old" in response.content.decode()


def test_what_is_not_there_has_a_page_for_everybody():
    for client in (Client(), signed_in(member().user), signed_in(UserFactory.create())):
        response = client.get("/nowhere/")
        assert response.status_code == 404
        assert "There is nothing here" in response.content.decode()


def test_a_broken_page_says_so_without_the_database(client, monkeypatch, settings):
    user = member().user
    client.force_login(user)
    client.raise_request_exception = False
    monkeypatch.setattr("documents.views.documents.listed_documents", lambda company: 1 / 0)
    response = client.get(LIST)
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


def test_only_staff_are_shown_the_administration():
    membership = member()
    assert reverse("admin:index") not in signed_in(membership.user).get(LIST).content.decode()
    membership.user.is_staff = True
    membership.user.save()
    assert reverse("admin:index") in signed_in(membership.user).get(LIST).content.decode()
