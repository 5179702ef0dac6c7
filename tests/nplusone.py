"""django-zeal: a request that reads related rows one by one (N+1) raises, in every test."""

from functools import cache

from zeal.constants import initialize_app_registry
from zeal.patch import patch

MIDDLEWARE = "zeal.middleware.zeal_middleware"


# One row at a time on purpose, never for a list: a number is taken under a lock that is held
# shortly, and each posting asks the database afresh up to when the books are closed (on SQLite
# through the ORM).
ALLOWED = [
    {"model": "billing.NumberSequence", "field": "get()"},
    {"model": "accounts.Company", "field": "get()"},
    # The library's page of one's own sessions looks at each of the few.
    {"model": "sessions.Session", "field": "get()"},
]


@cache
def watch() -> None:
    """What zeal's app does when it loads; it is no app of ours, for it belongs to tests only."""
    initialize_app_registry()
    patch()
