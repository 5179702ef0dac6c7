"""How e-mails go out and what they say, as owners set it."""

from smtplib import SMTPServerDisconnected

import pytest
from auditlog.models import LogEntry
from django.core import mail

from accounts.models import Role
from documents.models import MailSettings, MailTemplate
from documents.services import mailing
from tests.documents.mail_server import mail_server, use
from tests.documents.pages.conftest import signed_in
from tests.factories import DocumentFactory, member

URL = "/documents/deliveries/settings/"
TEST = f"{URL}test/"
WORDS = "/documents/deliveries/wording/statement/"
GOOD = {
    "from_name": "Thornbury Billing",
    "from_address": "billing@thornbury.example",
    "reply_to": "ledger@thornbury.example",
    "per_minute": "30",
}


@pytest.fixture(autouse=True)
def _nowhere(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def test_an_owner_sets_how_they_go_out(client, company):
    assert client.get(URL).status_code == 200
    assert not MailSettings.objects.exists()
    assert client.post(URL, GOOD).status_code == 302
    row = MailSettings.objects.get(company=company)
    assert (row.from_name, row.from_address) == ("Thornbury Billing", "billing@thornbury.example")
    assert (row.reply_to, row.per_minute) == ("ledger@thornbury.example", 30)
    assert "billing@thornbury.example" in client.get(URL).content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("per_minute", "0"),
        ("per_minute", "6001"),
        ("from_address", "nobody"),
        ("reply_to", "a@example.org, b@example.org"),
        ("from_name", "Ann\nBcc: x@example.org"),
        ("from_name", "Ann\u2028Ben"),
    ],
)
def test_what_makes_no_sense_is_told_beside_its_field(client, field, value):
    response = client.post(URL, GOOD | {field: value})
    assert f'id="id_{field}_error"' in response.content.decode()
    assert not MailSettings.objects.filter(from_name="Thornbury Billing").exists()


def test_a_test_goes_to_oneself_as_the_company_sends(client, owner):
    client.post(URL, GOOD)
    assert client.post(TEST).status_code == 302
    [message] = mail.outbox
    assert owner.user.email in message.to[0]
    assert message.from_email == "Thornbury Billing <billing@thornbury.example>"
    assert client.get(TEST).status_code == 405


def test_a_server_that_is_away_is_said(client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert "could not be reached" in client.post(TEST, follow=True).content.decode()


def test_a_server_that_hangs_up_is_said(client, settings, monkeypatch):
    def hang_up(self, message):
        raise SMTPServerDisconnected("gone")

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    monkeypatch.setattr(mailing._Line, "_try", hang_up)
    assert "could not be reached" in client.post(TEST, follow=True).content.decode()


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("550 at rcpt", "refused it: 550 No such user here"),
        ("hang at data", "did not answer"),
        ("accept", "250 Taken as 42"),
    ],
)
def test_what_the_server_made_of_it_is_said(client, settings, tmp_path, mode, said):
    with mail_server(tmp_path / "mail") as server:
        use(settings, server)
        server.set(mode)
        assert said in client.post(TEST, follow=True).content.decode()


def test_saved_as_they_were_they_leave_no_trace_in_the_history(client, company):
    client.post(URL, GOOD)
    client.post(URL, GOOD)
    row = MailSettings.objects.get(company=company)
    assert LogEntry.objects.get_for_object(row).count() == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CLERK, Role.ACCOUNTANT])
def test_only_owners(company, role):
    client = signed_in(member(role, company=company))
    for url in (URL, WORDS):
        assert client.get(url).status_code == 403
        assert client.post(url, GOOD).status_code == 403
    assert client.post(TEST).status_code == 403
    assert client.post(f"{WORDS}restore/").status_code == 403


# --- The words -----------------------------------------------------------------------------------


def test_the_page_starts_with_the_words_that_are_used_and_a_preview(client, company):
    DocumentFactory.create(company=company, recipient_name="Harbour & Hill")
    body = client.get(WORDS).content.decode()
    assert "Dear {party}," in body
    assert "Dear Harbour &amp; Hill," in body


def test_a_preview_saves_nothing(client, company):
    DocumentFactory.create(company=company, recipient_name="Harbour & Hill")
    typed = {"subject": "For {party}", "body": "Pay!", "action": "preview"}
    body = client.post(WORDS, typed).content.decode()
    assert "<strong>For Harbour &amp; Hill</strong>" in body
    assert not MailTemplate.objects.exists()


def test_a_preview_shows_the_paper_that_is_chosen(client, company):
    first, second = (DocumentFactory.create(company=company) for _ in range(2))
    typed = {"subject": "{title}", "body": "x", "action": "preview"}
    for document in (first, second):
        body = client.post(WORDS, typed | {"sample": document.pk}).content.decode()
        assert f"<strong>{document.title}</strong>" in body


def test_own_words_are_saved_shown_and_put_back(client, company):
    client.post(WORDS, {"subject": "For {party}", "body": "Pay!\r\nNow!", "action": "save"})
    row = MailTemplate.objects.get(company=company, kind="statement")
    assert (row.subject, row.body) == ("For {party}", "Pay!\nNow!")
    assert "your own" in client.get(URL).content.decode()
    assert "For {party}" in client.get(WORDS).content.decode()
    client.post(f"{WORDS}restore/")
    assert not MailTemplate.objects.exists()
    assert client.get(f"{WORDS}restore/").status_code == 405


def test_an_unknown_placeholder_is_told_beside_its_field(client):
    body = client.post(WORDS, {"subject": "For {nobody}", "body": "x"}).content.decode()
    assert 'id="id_subject_error"' in body
    assert "{nobody} is not known. There are {party}" in body
    assert not MailTemplate.objects.exists()


def test_an_unknown_kind_is_not_there(client):
    assert client.get("/documents/deliveries/wording/unheard-of/").status_code == 404


def test_without_a_paper_it_says_what_to_do(client):
    assert "There is no paper of this kind yet" in client.get(WORDS).content.decode()


def test_another_companys_papers_are_no_samples(client):
    foreign = DocumentFactory.create(title="Foreign statement")
    body = client.post(
        WORDS, {"subject": "x", "body": "y", "action": "preview", "sample": foreign.pk}
    ).content.decode()
    assert "Foreign statement" not in body
