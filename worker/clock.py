"""The database's clock: the only one that all processes share."""

from datetime import UTC, datetime

from django.db import connection


def database_now() -> datetime:
    """The moment, aware. Raises OperationalError where the database is away."""
    if connection.vendor != "postgresql":
        return datetime.now(UTC)  # the database is this machine
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
