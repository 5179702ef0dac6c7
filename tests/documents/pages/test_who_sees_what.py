import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path, reverse
from django.views import View

from accounts.access import MemberMixin
from accounts.scoping import UnscopedQuery
from documents.models import Document
from tests.factories import BatchItemFactory, DocumentFactory

LISTS = ["list", "list_progress", "batches", "batches_progress"]
OF_A_DOCUMENT = ["detail", "progress", "download"]
OF_A_BATCH = ["batch", "batch_progress"]


@pytest.fixture
def urls(company):
    document = DocumentFactory.create(company=company, ready=True)
    item = BatchItemFactory.create(batch__company=company)
    return (
        {name: reverse(f"documents:{name}") for name in LISTS}
        | {name: reverse(f"documents:{name}", args=[document.pk]) for name in OF_A_DOCUMENT}
        | {name: reverse(f"documents:{name}", args=[item.batch.pk]) for name in OF_A_BATCH}
    )


def test_every_page_opens_for_the_owner_and_for_a_viewer(client, viewer_client, urls):
    for name, url in urls.items():
        assert client.get(url).status_code == 200, name
        assert viewer_client.get(url).status_code == 200, name


@pytest.mark.parametrize("name", OF_A_DOCUMENT + OF_A_BATCH)
def test_a_stranger_finds_nothing(stranger_client, urls, name):
    assert stranger_client.get(urls[name]).status_code == 404


@pytest.mark.parametrize("name", LISTS)
def test_a_stranger_sees_nothing_of_it_in_lists(stranger_client, urls, name):
    body = stranger_client.get(urls[name]).content.decode()
    assert 'class="empty"' in body
    assert 'class="table' not in body


def test_a_page_key_of_another_company_leads_nowhere(stranger_client, company):
    foreign = DocumentFactory.create(company=company)
    own = DocumentFactory.create(company=stranger_client_company(stranger_client))
    body = stranger_client.get(reverse("documents:list"), {"before": foreign.pk}).content.decode()
    assert own.title not in body


def stranger_client_company(client: Client):
    return client.get(reverse("documents:list")).wsgi_request.company


@pytest.mark.parametrize("name", ["list", "batches", "detail", "download", "batch"])
def test_the_anonymous_are_sent_to_sign_in(urls, name):
    response = Client().get(urls[name])
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('account_login')}?next={urls[name]}"


def test_a_fragment_has_its_page_reloaded_when_the_session_is_over(urls):
    for name in ("list_progress", "batches_progress", "progress", "batch_progress"):
        assert Client().get(urls[name])["HX-Refresh"] == "true"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_pages_only_answer_to_reading(client, urls, method):
    for name, url in urls.items():
        assert getattr(client, method)(url).status_code == 405, name


def test_reading_writes_nothing(client, urls):
    for name, url in urls.items():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(url)
        verbs = {query["sql"].lstrip("(").split()[0] for query in queries.captured_queries}
        assert verbs <= {"SELECT"}, name


class Careless(MemberMixin, View):
    def get(self, request):
        return str(list(Document.objects.all()))


urlpatterns = [path("careless/", Careless.as_view())]


@pytest.mark.urls(__name__)
def test_a_view_that_forgets_the_company_is_caught(client):
    with pytest.raises(UnscopedQuery):
        client.get("/careless/")
