"""Counts that all web processes share, in the table of the shared cache, where they run out.

The cache itself would read a count and write it back, and lose some.
"""

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

# The table is the settings' own, and no part of a request.
_COUNT_UP = """
    INSERT INTO {table} (cache_key, value, expires) VALUES (%s, '1', %s)
    ON CONFLICT (cache_key) DO UPDATE
    SET value = CAST(CAST({table}.value AS integer) + 1 AS text)
    RETURNING value
"""


def count_up(key: str, *, seconds: int) -> int:
    """Which one it is of that key, in one statement. It is forgotten after `seconds`, or later."""
    table = connection.ops.quote_name(str(settings.CACHES["default"]["LOCATION"]))
    ends_at = (timezone.now() + timedelta(seconds=seconds)).replace(microsecond=0)
    expires = connection.ops.adapt_datetimefield_value(ends_at)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_UP.format(table=table), [key, expires])
        return int(cursor.fetchone()[0])
