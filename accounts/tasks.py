"""The tasks of this app: one service called."""

from celery import shared_task

from accounts.services import clear_ended_sessions


@shared_task(name="accounts.clear_ended_sessions")
def clear_ended_sessions_task() -> int:
    return clear_ended_sessions()
