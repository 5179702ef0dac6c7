"""`manage.py is_present ROLE`: a container's health check asks for its own host's process."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from worker.models import Presence, Role
from worker.presence import Herald

pytestmark = pytest.mark.django_db


def test_a_process_of_this_host_that_spoke_lately_is_present():
    Herald(Role.DISPATCHER).say()
    call_command("is_present", "dispatcher")


@pytest.mark.parametrize(
    "change", [{"seen_at": Now() - timedelta(minutes=2)}, {"host": "elsewhere"}, {"role": "beat"}]
)
def test_silence_another_host_and_another_role_do_not_count(change):
    Herald(Role.DISPATCHER).say()
    Presence.objects.update(**change)
    with pytest.raises(CommandError, match="No dispatcher was seen"):
        call_command("is_present", "dispatcher")
