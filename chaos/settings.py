"""The real settings, with papers that misbehave, the weather of `chaos`, and a beat in a hurry."""

from config.settings import *  # noqa: F403
from config.settings import CELERY_BEAT_SCHEDULE as _SCHEDULE
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.worker.faults", "chaos"]
# Hours of ticks in minutes: each asks the database what is due, as ever.
CELERY_BEAT_SCHEDULE = {
    name: {**entry, "schedule": 2, "options": {"expires": 2}} for name, entry in _SCHEDULE.items()
}
