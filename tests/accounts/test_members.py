"""Members and invitations: owners invite, change roles and remove; a company keeps an owner."""

import re
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts.models import Invitation, Membership, Role, User
from accounts.services import change_role, invite, remove_member
from tests.factories import PASSWORD, CompanyFactory, UserFactory, member

URL = reverse("accounts:members")
INVITE = reverse("accounts:invite")

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return member(Role.OWNER, company=CompanyFactory.create(legal_name="Northgate Giftware Ltd"))


@pytest.fixture
def company(owner):
    return owner.company


def signed_in(membership):
    client = Client()
    client.force_login(membership.user)
    return client


def body(response):
    return response.content.decode()


@pytest.fixture
def link(owner, django_capture_on_commit_callbacks):
    """`link(email)` invites and returns the path that the message leads to."""

    def send(email="ann@example.org", role=Role.CLERK):
        with django_capture_on_commit_callbacks(execute=True):
            signed_in(owner).post(INVITE, {"email": email, "role": role.value})
        return re.search(r"http://[^/]+(/\S+)", mail.outbox[-1].body)[1]

    return send


class TestInviting:
    def test_the_message_holds_the_link_and_the_database_only_its_hash(self, link, company):
        path = link()
        message = mail.outbox[0]
        assert message.to == ["ann@example.org"]
        assert "Northgate Giftware Ltd" in message.subject
        token = path.rstrip("/").rpartition("/")[2]
        [invitation] = Invitation.objects.all()
        assert token not in str(vars(invitation))
        assert invitation.expires_at - now() > timedelta(days=6, hours=23)

    def test_a_mail_server_that_is_down_loses_no_invitation(
        self, owner, settings, django_capture_on_commit_callbacks
    ):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        with django_capture_on_commit_callbacks(execute=True):
            answer = signed_in(owner).post(INVITE, {"email": "ann@example.org", "role": "10"})
        assert answer.status_code == 302
        assert Invitation.objects.count() == 1

    @pytest.mark.parametrize(
        ("data", "error"),
        [
            ({"email": "nobody", "role": "10"}, "valid email"),
            ({"email": "", "role": "10"}, "required"),
            ({"email": "a@b.example", "role": "99"}, "valid choice"),
            ({"email": "a@b.example\nBcc: all@b.example", "role": "10"}, "valid email"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, owner, data, error):
        assert error in body(signed_in(owner).post(INVITE, data))
        assert not Invitation.objects.exists()

    def test_a_member_is_not_invited_again(self, owner):
        data = {"email": owner.user.email.upper(), "role": "10"}
        assert "is a member already" in body(signed_in(owner).post(INVITE, data))

    def test_an_open_invitation_is_not_made_twice_but_an_old_one_replaced(self, owner, link):
        link()
        data = {"email": "Ann@example.org", "role": "10"}
        assert "open invitation already" in body(signed_in(owner).post(INVITE, data))
        Invitation.objects.update(expires_at=now() - timedelta(seconds=1))
        assert "ran out" in body(signed_in(owner).get(URL))
        assert signed_in(owner).post(INVITE, data).status_code == 302
        assert Invitation.objects.filter(withdrawn_at=None).count() == 1


class TestAccepting:
    def test_a_new_user_makes_an_account_and_is_in(self, link, company):
        path, client = link(), Client()
        assert "Make the account" in body(client.get(path))
        answer = client.post(
            path, {"name": "Ann", "password": "a long sentence", "again": "a long sentence"}
        )
        assert answer["Location"] == reverse("home")
        user = User.objects.get(email="ann@example.org")
        assert user.check_password("a long sentence")
        assert user.memberships.get().role == Role.CLERK
        assert client.get(reverse("billing:dashboard")).status_code == 200

    @pytest.mark.parametrize(
        ("password", "again", "error"),
        [
            ("short", "short", "too short"),
            ("password1234", "password1234", "too common"),
            ("a long sentence", "another one", "not the same"),
            ("", "", "required"),
            ("ann@example.org", "ann@example.org", "too similar"),
        ],
    )
    def test_a_weak_password_is_refused(self, link, password, again, error):
        answer = Client().post(link(), {"name": "Ann", "password": password, "again": again})
        assert error in body(answer)
        assert not User.objects.filter(email="ann@example.org").exists()

    def test_looking_at_it_accepts_nothing(self, link):
        Client().get(link())
        assert Invitation.objects.get().accepted_at is None

    def test_a_user_with_an_account_signs_in_and_accepts(self, link, company):
        user, path, client = UserFactory.create(email="ann@example.org"), link(), Client()
        assert "Sign in" in body(client.get(path))
        client.post(path, {"name": "Thief", "password": "a long sentence", "again": "x"})
        user.refresh_from_db()
        assert user.check_password(PASSWORD)
        client.force_login(user)
        assert client.post(path).status_code == 302
        assert user.memberships.get().company == company

    def test_somebody_else_cannot_use_the_link(self, link, company):
        other = UserFactory.create()
        client = Client()
        client.force_login(other)
        path = link()
        assert "Sign out" in body(client.get(path))
        client.post(path)
        assert not other.memberships.exists()

    def test_it_works_once(self, link):
        path = link()
        data = {"name": "Ann", "password": "a long sentence", "again": "a long sentence"}
        assert Client().post(path, data).status_code == 302
        assert Client().post(path, data).status_code == 404
        assert Client().get(path).status_code == 404

    def test_after_seven_days_it_is_over(self, link):
        path = link()
        Invitation.objects.update(expires_at=now())
        assert Client().get(path).status_code == 404

    def test_withdrawn_it_is_over(self, owner, link):
        path = link()
        withdraw = reverse("accounts:withdraw_invitation", args=[Invitation.objects.get().pk])
        signed_in(owner).post(withdraw)
        assert Client().get(path).status_code == 404

    def test_a_guessed_token_is_not_found(self, link):
        assert Client().get(reverse("accounts:invitation", args=["x" * 43])).status_code == 404

    @pytest.mark.parametrize("slips", [{"role": "40"}, {"email": "boss@example.org"}])
    def test_nothing_can_be_slipped_in(self, link, slips):
        data = {"name": "Ann", "password": "a long sentence", "again": "a long sentence"}
        Client().post(link(), data | slips)
        [membership] = Membership.objects.filter(user__email="ann@example.org")
        assert membership.role == Role.CLERK


class TestMembers:
    def test_an_owner_changes_a_role_and_it_holds_at_once(self, owner, company):
        clerk = member(Role.CLERK, company=company)
        client = signed_in(clerk)
        signed_in(owner).post(reverse("accounts:change_role", args=[clerk.pk]), {"role": "40"})
        assert client.get(URL).status_code == 200

    def test_a_removed_member_is_out_with_the_next_request(self, owner, company):
        clerk = member(Role.CLERK, company=company)
        client = signed_in(clerk)
        assert client.get(reverse("billing:dashboard")).status_code == 200
        signed_in(owner).post(reverse("accounts:remove_member", args=[clerk.pk]))
        assert client.get(reverse("billing:dashboard")).status_code == 403

    def test_the_last_owner_stays_owner(self, owner):
        client = signed_in(owner)
        for name, data in (("change_role", {"role": "10"}), ("remove_member", {})):
            answer = client.post(reverse(f"accounts:{name}", args=[owner.pk]), data, follow=True)
            assert "A company needs an owner" in body(answer)
        owner.refresh_from_db()
        assert owner.role == Role.OWNER

    def test_one_of_two_owners_may_go(self, owner, company):
        other = member(Role.OWNER, company=company)
        answer = signed_in(owner).post(reverse("accounts:remove_member", args=[owner.pk]))
        assert answer["Location"] == reverse("home")
        with pytest.raises(ValidationError):
            remove_member(membership=other)

    def test_a_role_that_does_not_exist_is_refused(self, owner, company):
        clerk = member(Role.CLERK, company=company)
        url = reverse("accounts:change_role", args=[clerk.pk])
        for role in ("99", "", "x"):
            assert signed_in(owner).post(url, {"role": role}).status_code == 302
        clerk.refresh_from_db()
        assert clerk.role == Role.CLERK

    @pytest.mark.servers
    @pytest.mark.django_db(transaction=True)
    def test_two_owners_who_remove_each_other_leave_one(self):
        company = CompanyFactory.create()
        owners = [member(Role.OWNER, company=company) for _ in range(2)]
        start, refused = threading.Barrier(2), []

        def go(membership):
            start.wait(timeout=10)
            try:
                change_role(membership=membership, role=Role.VIEWER)
            except ValidationError:
                refused.append(membership)
            finally:
                connection.close()

        threads = [threading.Thread(target=go, args=[it], daemon=True) for it in owners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert len(refused) == 1
        assert Membership.objects.filter(company=company, role=Role.OWNER).count() == 1


class TestAccess:
    @pytest.mark.parametrize("role", [Role.VIEWER, Role.CLERK, Role.ACCOUNTANT])
    def test_lower_roles_are_refused(self, owner, company, role):
        client = signed_in(member(role, company=company))
        assert client.get(URL).status_code == 403
        assert client.post(INVITE, {"email": "a@b.example", "role": "10"}).status_code == 403
        for name in ("change_role", "remove_member"):
            url = reverse(f"accounts:{name}", args=[owner.pk])
            assert client.post(url, {"role": "10"}).status_code == 403

    def test_a_stranger_finds_nobody(self, owner, company):
        stranger = signed_in(member(Role.OWNER))
        invitation = invite(company=company, email="a@b.example", role=Role.VIEWER, by=None)
        for name, pk in (
            ("change_role", owner.pk),
            ("remove_member", owner.pk),
            ("withdraw_invitation", invitation.pk),
        ):
            answer = stranger.post(reverse(f"accounts:{name}", args=[pk]), {"role": "10"})
            assert answer.status_code == 404
        assert owner.user.email not in body(stranger.get(URL))

    def test_changes_take_a_post(self, owner):
        client = signed_in(owner)
        for name in ("change_role", "remove_member"):
            assert client.get(reverse(f"accounts:{name}", args=[owner.pk])).status_code == 405
        assert client.get(INVITE).status_code == 405

    def test_and_a_token_against_forgery(self, owner):
        client = Client(enforce_csrf_checks=True)
        client.force_login(owner.user)
        assert client.post(INVITE, {"email": "a@b.example", "role": "10"}).status_code == 403
