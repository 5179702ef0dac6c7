"""The real settings, and a kind of paper that misbehaves on demand."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.worker.faults"]
