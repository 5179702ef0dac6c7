"""Inviting people by e-mail. The link holds a token; only its hash is stored.

The message is sent after the commit, best effort: an invitation whose message did not go out is
withdrawn and made again.
"""

import hashlib
import logging
import secrets
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.timezone import now

from accounts.models import Company, Invitation, Membership, Role, User

logger = logging.getLogger(__name__)

LASTS = timedelta(days=7)
_GONE = "This invitation was used, withdrawn, or is too old. Ask for another one."


def invite(*, company: Company, email: str, role: Role, by: User | None) -> Invitation:
    """A new invitation, its message on its way. Raises ValidationError, by field.

    One that has run out is replaced; one that is still good must be withdrawn first.
    """
    email = User.objects.normalize_email(email)
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        if Membership.objects.filter(company=company, user__email__iexact=email).exists():
            raise ValidationError({"email": "Somebody with this address is a member already."})
        _clear_expired(company, email)
        invitation = Invitation(
            company=company,
            email=email,
            role=role,
            token_hash=_hash(token),
            invited_by=by,
            expires_at=now() + LASTS,
        )
        try:
            invitation.validate_constraints()
        except ValidationError as error:
            raise ValidationError({"email": error.messages}) from error
        invitation.save()
        transaction.on_commit(lambda: _send(invitation, token), robust=True)
    return invitation


def withdraw_invitation(*, invitation: Invitation) -> bool:
    """False: it was used or withdrawn already."""
    open_ = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None)
    return open_.update(withdrawn_at=now()) == 1


def find_invitation(token: str) -> Invitation | None:
    """The invitation behind a link, if it can still be accepted."""
    rows = Invitation.objects.select_related("company", "invited_by").filter(
        token_hash=_hash(token), accepted_at=None, withdrawn_at=None, expires_at__gt=now()
    )
    return rows.first()


def accept_invitation(*, invitation: Invitation, user: User) -> Membership:
    """Make `user` a member, once. Raises ValidationError if the invitation is not good any more.

    It is for one address: whoever got the link but not the mailbox's account is refused.
    """
    if user.email.lower() != invitation.email.lower():
        raise ValidationError(f"This invitation is for {invitation.email}.")
    with transaction.atomic():
        _use_up(invitation)
        membership, _ = Membership.objects.get_or_create(
            user=user, company_id=invitation.company_id, defaults={"role": invitation.role}
        )
    return membership


def join(*, invitation: Invitation, name: str, password: str) -> User:
    """A new user, made a member. Raises ValidationError, also where the address is taken."""
    with transaction.atomic():
        user = User(email=invitation.email, name=name)
        user.set_password(password)
        user.validate_constraints()
        user.save()
        accept_invitation(invitation=invitation, user=user)
    return user


def _use_up(invitation: Invitation) -> None:
    """A conditional UPDATE: of two who accept at once, one does."""
    good = Invitation.objects.filter(
        pk=invitation.pk, accepted_at=None, withdrawn_at=None, expires_at__gt=now()
    )
    if good.update(accepted_at=now()) != 1:
        raise ValidationError(_GONE)


def _clear_expired(company: Company, email: str) -> None:
    Invitation.objects.filter(
        company=company,
        email__iexact=email,
        accepted_at=None,
        withdrawn_at=None,
        expires_at__lte=now(),
    ).update(withdrawn_at=now())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _send(invitation: Invitation, token: str) -> None:
    context = {
        "invitation": invitation,
        "link": settings.SITE_URL + reverse("accounts:invitation", args=[token]),
        "days": LASTS.days,
    }
    try:
        send_mail(
            subject=" ".join(f"{invitation.company} invites you to Pressroom".split()),
            message=render_to_string("emails/invitation.txt", context),
            from_email=None,
            recipient_list=[invitation.email],
        )
    except (OSError, SMTPException) as error:
        logger.error("The invitation %s could not be sent: %s", invitation.pk, error)
