"""A passkey, added and used in a real browser with a virtual authenticator."""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Membership
from tests.factories import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def authenticator(page: Page) -> None:
    """A key in the machine that always says yes."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_added_and_opens_the_door(
    signed_in: Page, authenticator, owner: Membership, complaints
):
    page = signed_in
    page.goto("/accounts/second-factor/webauthn/add/")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Use it instead of the password").check()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("10 of 10 are left")).to_be_visible()
    page.goto("/accounts/sign-out/")
    page.get_by_role("main").get_by_role("button", name="Sign Out").click()
    page.goto("/accounts/sign-in/?next=/documents/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_title("Documents · Pressroom")
    assert complaints == []
