"""Sessions that ended by themselves: nothing else takes their rows away."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models.functions import Now

# One that is just being made may have its device on file before itself.
_GRACE = timedelta(hours=1)


def clear_ended_sessions() -> int:
    """Removes what has expired, and the devices and addresses of what is no more. How many ended.

    Safe to run twice, and at once: each row goes once.
    """
    with transaction.atomic():
        ended, _ = Session.objects.filter(expire_date__lt=Now()).delete()
        alive = Session.objects.filter(session_key=models.OuterRef("session_key"))
        devices = UserSession.objects.filter(created_at__lt=Now() - _GRACE)
        devices.filter(~models.Exists(alive)).delete()
    return ended
