"""The company's letterhead and logo: owners change them, others don't."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Company, Role
from tests.accounts.test_logos import SVG, picture
from tests.factories import CompanyFactory, member

URL = reverse("accounts:company")
UPLOAD = reverse("accounts:upload_logo")
LOGO = reverse("accounts:logo")

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return CompanyFactory.create(legal_name="Northgate Giftware Ltd")


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    storage = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    return tmp_path


def as_role(role, company):
    client = Client()
    client.force_login(member(role, company=company).user)
    return client


@pytest.fixture
def owner(company):
    return as_role(Role.OWNER, company)


def facts(**changes):
    return {
        "legal_name": "Northgate Ltd",
        "address": "1 Quay\nBristol",
        "country": "gb",
        "tax_id": "GB 1",
        "email": "a@b.example",
        "phone": "1",
        "payment_details": "IBAN",
        "locale": "de",
        "time_zone": "Europe/Berlin",
    } | changes


def body(response):
    return response.content.decode()


def test_an_owner_changes_the_letterhead(owner, company):
    assert owner.post(URL, facts()).status_code == 302
    company.refresh_from_db()
    assert (company.legal_name, company.country, company.locale) == ("Northgate Ltd", "GB", "de")


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("legal_name", "", "required"),
        ("legal_name", "x" * 201, "at most 200"),
        ("country", "GBR", "at most 2"),
        ("country", "1!", "ISO 3166"),
        ("email", "nobody", "valid email"),
        ("locale", "xx_YY_zz", "not a known locale"),
        ("time_zone", "Mars/Base", "Select a valid choice"),
        ("address", "w" * 200_000, "at most 1000"),
        ("phone", "1\x002", "Null characters"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(owner, company, field, value, error):
    answer = owner.post(URL, facts(**{field: value}))
    assert answer.status_code == 200
    assert error in body(answer)
    assert 'class="field-error"' in body(answer)
    company.refresh_from_db()
    assert company.legal_name == "Northgate Giftware Ltd"


def test_nothing_else_can_be_slipped_in(owner, company):
    owner.post(URL, facts(slug="stolen", currency="USD", books_closed_until="2030-01-01"))
    before = company.slug
    company.refresh_from_db()
    assert (company.slug, company.currency, company.books_closed_until) == (before, "GBP", None)


def test_a_logo_is_stored_shown_and_replaced(owner, company, media):
    answer = owner.post(UPLOAD, {"logo": SimpleUploadedFile("l.jpg", picture("JPEG"))})
    assert answer.status_code == 302
    company.refresh_from_db()
    first = company.logo.name
    shown = owner.get(LOGO)
    assert shown["Content-Type"] == "image/png"
    assert shown.content.startswith(b"\x89PNG")
    assert LOGO in body(owner.get(URL))
    owner.post(UPLOAD, {"logo": SimpleUploadedFile("l.png", picture(size=(10, 10)))})
    company.refresh_from_db()
    assert company.logo.name != first


@pytest.mark.django_db(transaction=True)
def test_the_old_file_goes_once_the_new_one_is_committed(owner, company, media):
    owner.post(UPLOAD, {"logo": SimpleUploadedFile("l.png", picture())})
    owner.post(UPLOAD, {"logo": SimpleUploadedFile("l.png", picture(size=(10, 10)))})
    assert len([path for path in media.rglob("*") if path.is_file()]) == 1
    owner.post(reverse("accounts:remove_logo"))
    assert not [path for path in media.rglob("*") if path.is_file()]
    assert owner.get(LOGO).status_code == 404


@pytest.mark.parametrize(
    ("content", "name"), [(SVG, "l.svg"), (picture("JPEG"), "l.png"), (b"no", "l.png")]
)
def test_a_hostile_logo_is_refused_on_the_page(owner, company, content, name):
    answer = owner.post(UPLOAD, {"logo": SimpleUploadedFile(name, content)})
    assert answer.status_code == 200
    assert 'class="field-error"' in body(answer)
    company.refresh_from_db()
    assert not company.logo


def test_no_file_is_no_500(owner):
    assert "required" in body(owner.post(UPLOAD, {}))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CLERK, Role.ACCOUNTANT])
def test_lower_roles_are_refused_but_see_the_logo(company, owner, role):
    owner.post(UPLOAD, {"logo": SimpleUploadedFile("l.png", picture())})
    client = as_role(role, company)
    assert client.get(URL).status_code == 403
    assert client.post(URL, facts()).status_code == 403
    assert client.post(UPLOAD, {}).status_code == 403
    assert client.post(reverse("accounts:remove_logo")).status_code == 403
    assert client.get(LOGO).status_code == 200


def test_a_stranger_changes_their_own(company):
    stranger = as_role(Role.OWNER, CompanyFactory.create())
    stranger.post(URL, facts(legal_name="Elsewhere"))
    assert Company.objects.get(pk=company.pk).legal_name == "Northgate Giftware Ltd"


@pytest.mark.parametrize("name", ["company", "members", "logo"])
def test_anonymous_signs_in(name):
    assert Client().get(reverse(f"accounts:{name}")).status_code == 302
